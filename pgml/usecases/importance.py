"""Tell what each feature of a model is worth."""

from collections.abc import Mapping
from typing import Any

from pgml import comparison, importance, reader, target
from pgml.errors import NotPermitted, WrongState, WrongType
from pgml.evaluations import Stored
from pgml.inference import Predictor
from pgml.spec import SUPERVISED
from pgml.store import Model
from pgml.usecases import arguments, cost_request, measured
from pgml.usecases.measured import Measured
from pgml.usecases.session import Session

GIVE = "Give relation_name, a table or view with its features and its target."


def feature_importance(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return ``feature``, ``importance``, ``deviation`` and ``own`` of each, the most important first.

    Raises
    ------
    PgmlError
    """
    model, stored = measured.asked(session, given)
    predictor = measured.loaded(session, model)
    _check(model, predictor)
    metric = cost_request.metric_of_model(session, model, predictor.label_kind, search_path)
    if given["relation_name"] is None:
        stored.require_shown()
        found = _test_rows(session, model, stored, search_path)
    else:
        name = arguments.required(given, "relation_name")
        found = measured.of_relation(session, predictor, name, search_path)
    check = session.database.check_for_interrupts
    drops = importance.by_permutation(predictor, metric, found.dataset, found.truth, check)
    own = (stored.evaluation.get("importances") or {}) if stored.is_shown else {}
    rows = []
    for feature, drop in drops.items():
        mean, deviation = drop or (None, None)
        rows.append({"feature": feature, "importance": mean, "deviation": deviation, "own": own.get(feature)})
    return sorted(rows, key=lambda row: -(row["importance"] or 0.0)), found.notes


def _check(model: Model, predictor: Predictor) -> None:
    if model.task not in (*SUPERVISED, "clustering") or model.metric is None:
        raise WrongType(
            f'model "{model.name}" is one of {model.task}, which has no metric to tell importances by',
            hint="Call pgml.evaluate.",
        )
    if predictor.output == "cluster":
        raise WrongType(
            f'model "{model.name}" knows the clusters of its training rows alone, and so of no changed row',
            hint="Train another algorithm, such as kmeans.",
        )


def _test_rows(session: Session, model: Model, stored: Stored, search_path: str) -> Measured:
    """Return the rows of the project's relation as it is now that are the model's test rows."""
    database, split = session.database, measured.split_of(model)
    if stored.owner != session.caller():
        raise NotPermitted(
            f'the relation of project "{stored.project}" of role "{stored.owner}" is not read for others',
            detail="A view may call functions, and they would run with your rights.",
            hint=GIVE,
        )
    with reader.search_path(database, search_path):
        relation = reader.required(database, stored.relation_name)
        wanted = [relation.column(name) for name, _ in relation.columns]
        dataset = target.known(reader.read(database, relation, wanted), stored.targets)
    if not comparison.has_columns(dataset, model.columns, split):
        raise WrongState(f'columns of model "{model.name}" are gone from {relation.name}', hint=GIVE)
    truth = target.read(dataset, stored.targets, model.task, varied=False)
    lost = not comparison.can_tell(dataset, truth, split)
    rows = None if lost else comparison.common_rows(dataset, truth, [split])
    if rows is None or not rows.any():
        raise WrongState(
            f'the test rows of model "{model.name}" cannot be told in {relation.name} as it is now', hint=GIVE
        )
    return Measured(dataset.take(rows), truth.take(rows), [])
