"""Tell how good a model is: on its test rows, as stored with it, or on the rows of a relation."""

from collections.abc import Mapping
from typing import Any

from pgml import comparison, metrics
from pgml.criterion import is_cost
from pgml.errors import InvalidValue, TooLarge, WrongType
from pgml.evaluations import Stored
from pgml.inference import Predictor
from pgml.metrics.evaluation import CLASSES
from pgml.metrics.scores import GIVEN
from pgml.spec import SUPERVISED
from pgml.store import Model
from pgml.target import label_text
from pgml.usecases import arguments, cost_request, measured
from pgml.usecases.measured import Measured
from pgml.usecases.session import Session

Answer = tuple[list[dict[str, Any]], list[str]]
"""Rows of a result, notes for the user."""
SHARE = "anomaly_share"


def evaluate(session: Session, given: Mapping[str, Any], search_path: str) -> Answer:
    """Return the metrics as pgml.evaluate was called: ``metric``, ``value``, ``low`` and ``high``.

    Raises
    ------
    PgmlError
    """
    model, stored = measured.asked(session, given)
    if given["relation_name"] is None:
        stored.require_shown()
        measured.split_of(model)
        _check_stored(given, model)
        return stored_scores(model, stored), []
    if model.task == "decomposition":
        raise WrongType(
            f'model "{model.name}" takes rows apart, which is not measured on other rows',
            hint="Leave relation_name out, or call pgml.decompose for each row.",
        )
    predictor, found = _on_relation(session, given, search_path, model)
    return [
        *_scores(session, predictor, found),
        *_cost(session, given, search_path, predictor, found),
    ], found.notes


def _check_stored(given: Mapping[str, Any], model: Model) -> None:
    if given["cost"] is not None:
        raise InvalidValue(
            f'cost is given, and no rows are, on which model "{model.name}" would be measured by it',
            hint="Give relation_name, a table or view with the features and the target.",
        )


def _cost(
    session: Session, given: Mapping[str, Any], search_path: str, predictor: Predictor, found: Measured
) -> list[dict[str, Any]]:
    """Return the row of a cost that is asked for."""
    written = given["cost"]
    if written is None:
        return []
    if predictor.task not in SUPERVISED or len(predictor.targets) != 1:
        raise WrongType(
            "cost is given, and the model does not predict one column",
            hint="A cost compares actual and predicted values of one column: leave it out.",
        )
    metric = cost_request.metric_of(session, written, predictor.task, predictor.label_kind, search_path)
    check = session.database.check_for_interrupts
    outcome = comparison.outcome(predictor, found.dataset, found.truth, check)
    if not metric.takes(outcome.kind):
        raise WrongType(
            f'cost function "{written}" takes a probability, which this model does not give',
            hint="Let its second parameter be a label, of the type of the first.",
        )
    return [_row(metric.name, outcome.score(metric), None)]


def confusion_matrix(session: Session, given: Mapping[str, Any], search_path: str) -> Answer:
    """Return ``actual``, ``predicted`` and ``count`` of each two labels; a label not known is null.

    Raises
    ------
    PgmlError
    """
    labels, table, notes, model = _tables(session, given, search_path)
    matrix = table.get("confusion_matrix", [])
    if matrix is None:
        raise TooLarge(
            f'model "{model.name}" tells {len(labels)} classes apart, '
            f"a confusion matrix is made of {CLASSES} at most",
            hint="Join pgml.predict_table to the rows and count.",
        )
    every = [*labels, None]
    rows = [
        {"actual": every[actual], "predicted": every[predicted], "count": count}
        for actual, counts in enumerate(matrix)
        for predicted, count in enumerate(counts)
    ]
    return rows, notes


def roc_curve(session: Session, given: Mapping[str, Any], search_path: str) -> Answer:
    """Return ``class``, ``threshold`` and the rates of the points of each class.

    Raises
    ------
    PgmlError
    """
    return _curve(session, given, search_path, "roc_curve")


def precision_recall_curve(session: Session, given: Mapping[str, Any], search_path: str) -> Answer:
    """Return ``class``, ``threshold``, ``precision`` and ``recall`` of the points of each class.

    Raises
    ------
    PgmlError
    """
    return _curve(session, given, search_path, "precision_recall_curve")


def calibration_curve(session: Session, given: Mapping[str, Any], search_path: str) -> Answer:
    """Return ``class``, ``predicted``, ``observed`` and ``count`` of the bins of each class.

    Raises
    ------
    PgmlError
    """
    return _curve(session, given, search_path, "calibration_curve")


FIELDS: Mapping[str, Mapping[str, str]] = {
    "roc_curve": {
        "threshold": "threshold",
        "false_positive_rate": "false_positive_rate",
        "true_positive_rate": "true_positive_rate",
    },
    "precision_recall_curve": {"threshold": "threshold", "precision": "precision", "recall": "recall"},
    "calibration_curve": {"predicted": "mean_predicted", "observed": "observed", "count": "rows"},
}
"""The fields of a point, and how `metrics.evaluation` calls them."""


def _curve(session: Session, given: Mapping[str, Any], search_path: str, name: str) -> Answer:
    labels, table, notes, model = _tables(session, given, search_path)
    if name not in table:
        raise WrongType(
            f'model "{model.name}" gives no probabilities',
            hint="Call pgml.roc_curve, which takes scores, or train another algorithm, such as random_forest."
            if "roc_curve" in table
            else "Train another algorithm, such as random_forest.",
        )
    rows = []
    for curve in table[name]:
        each = {field: curve[kept] for field, kept in FIELDS[name].items()}
        for point in zip(*each.values(), strict=True):
            found = dict(zip(each, point, strict=True)) | {"class": labels[curve["class"]]}
            if "threshold" in found and found["threshold"] is None:
                found["threshold"] = "Infinity"
            rows.append(found)
    return rows, notes


def _tables(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[list[str], Mapping[str, Any], list[str], Model]:
    """Return labels, tables and notes of a model that tells classes of one target apart, and the model."""
    model, stored = measured.asked(session, given)
    _check_classes(model, stored)
    if given["relation_name"] is None:
        stored.require_shown()
        measured.split_of(model)
        return stored.evaluation.get("labels", []), stored.evaluation, [], model
    predictor, found = _on_relation(session, given, search_path, model)
    check = session.database.check_for_interrupts
    (table,) = comparison.outcome(predictor, found.dataset, found.truth, check).tables()
    labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
    return labels, table, found.notes, model


def _check_classes(model: Model, stored: Stored) -> None:
    if model.task != "classification":
        raise WrongType(
            f'model "{model.name}" is one of {model.task}, which has no classes',
            hint="Call pgml.evaluate.",
        )
    if len(stored.targets) > 1:
        raise WrongType(
            f'model "{model.name}" predicts {len(stored.targets)} columns, not one',
            hint="Call pgml.evaluate for means over them; "
            "the column evaluation of pgml.models has the tables of each.",
        )


def _on_relation(
    session: Session, given: Mapping[str, Any], search_path: str, model: Model
) -> tuple[Predictor, Measured]:
    predictor = measured.loaded(session, model)
    name = arguments.required(given, "relation_name")
    return predictor, measured.of_relation(session, predictor, name, search_path)


def stored_scores(model: Model, stored: Stored) -> list[dict[str, Any]]:
    """Return the metrics of a model's test rows, as `evaluate` does."""
    names = [*metrics.of_task(model.task), SHARE]
    names += [model.metric] if model.metric and is_cost(model.metric) else []
    return [
        _row(name, stored.metrics[name], stored.metrics.get(f"{name}_interval"))
        for name in names
        if name in stored.metrics
    ]


def _scores(session: Session, predictor: Predictor, found: Measured) -> list[dict[str, Any]]:
    check = session.database.check_for_interrupts
    if predictor.task == "anomaly":
        outputs = comparison.outputs(predictor, found.dataset, check)
        return [_row(SHARE, float((outputs > 0).mean()), None)]
    outcome = comparison.outcome(predictor, found.dataset, found.truth, check)
    values = outcome.scores()
    rows = []
    for name, metric in metrics.of_task(predictor.task).items():
        check()
        if name not in GIVEN:
            rows.append(_row(name, values[name], outcome.interval(metric, 0)))
    if predictor.standard is not None:
        _, errors = outcome.pairs[0]
        rows.append(_row(SHARE, float((errors > predictor.standard.threshold).mean()), None))
    return rows


def _row(name: str, value: float | None, interval: Any) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {"metric": name, "value": value, "low": low, "high": high}
