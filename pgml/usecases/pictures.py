"""The kinds of pictures: which a model can show, and from what each is drawn."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml import comparison, dossiers, metrics, runner, store
from pgml.artifact.format import unpack
from pgml.evaluations import Stored
from pgml.plots import bars, curves, leaderboard, matrix, numbers, progress, residuals, search, tree
from pgml.plots.bars import Bar
from pgml.plots.curves import Curve
from pgml.plots.leaderboard import Entry
from pgml.plots.residuals import Residuals
from pgml.plots.search import Trial
from pgml.plots.tree import Branch
from pgml.runner import Limits
from pgml.spec import SUPERVISED
from pgml.store import Model
from pgml.usecases import arguments, evaluate, importance, measured
from pgml.usecases.session import Session

DEPTH, ROOMY = 3, 560.0
"""Branches of a tree that follow each other, and the pixels that these take; in less there is one less."""
TREES = b"TreeEnsemble"
"""What is in the bytes of a graph that has trees."""
Drawn = tuple[str, list[str]]
"""A picture, notes for the user."""


@dataclass(frozen=True)
class Asked:
    """What is to be drawn of which model.

    Attributes
    ----------
    session : Session
    given : mapping
        The arguments of the call, with ``relation_name``.
    search_path : str
    model : Model
    stored : Stored
    width : float
        In pixels.
    """

    session: Session
    given: Mapping[str, Any]
    search_path: str
    model: Model
    stored: Stored
    width: float

    @property
    def is_of_relation(self) -> bool:
        return self.given["relation_name"] is not None

    @property
    def where(self) -> str:
        """The rows that are looked at, for a title; empty of the test rows."""
        return f" on {self.given['relation_name']}" if self.is_of_relation else ""


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    Attributes
    ----------
    draw : callable (Asked) -> Drawn
    is_shown : callable (Asked) -> bool
        Whether the model has what it takes.
    of_relation : bool
        It can be of other rows than those of the training.
    """

    draw: Callable[[Asked], Drawn]
    is_shown: Callable[[Asked], bool]
    of_relation: bool = False


def shown(asked: Asked) -> list[str]:
    """Return the kinds that the caller can have of a model."""
    return [name for name, kind in KINDS.items() if kind.is_shown(asked)]


def _tells_classes(asked: Asked) -> bool:
    return asked.model.task == "classification" and len(asked.stored.targets) == 1


def _has(name: str) -> Callable[[Asked], bool]:
    """Return whether there are curves of a name, or may be: nobody knows of an imported model."""

    def is_shown(asked: Asked) -> bool:
        unknown = asked.stored.is_imported and not asked.stored.evaluation
        return _tells_classes(asked) and (unknown or name in asked.stored.evaluation)

    return is_shown


def _tells_numbers(asked: Asked) -> bool:
    return asked.model.task == "regression"


def _has_metric(asked: Asked) -> bool:
    return asked.model.metric is not None and asked.model.task in (*SUPERVISED, "clustering")


def _is_ranked(asked: Asked) -> bool:
    return asked.stored.is_shown and asked.model.metric is not None


def _has_trials(asked: Asked) -> bool:
    return asked.stored.is_shown and bool(_trials(asked))


def _has_learnt(asked: Asked) -> bool:
    return asked.stored.is_shown and "learning" in asked.stored.evaluation


def _has_clusters(asked: Asked) -> bool:
    return asked.stored.is_shown and "cluster_sizes" in asked.stored.evaluation


def _has_trees(asked: Asked) -> bool:
    return asked.stored.is_shown and TREES in unpack(_data(asked)).graph


def _curve(
    verb: Callable[..., evaluate.Answer], x: str, y: str
) -> Callable[[Asked], tuple[list[Curve], list[str]]]:
    """Return how to read the curves of each class from what a function of `evaluate` gives."""

    def read(asked: Asked) -> tuple[list[Curve], list[str]]:
        rows, notes = verb(asked.session, asked.given, asked.search_path)
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["class"], []).append(row)
        return [
            Curve(label, [(row[x], row[y]) for row in those], [row.get("count", 0) for row in those])
            for label, those in found.items()
        ], notes

    return read


_ROC = _curve(evaluate.roc_curve, "false_positive_rate", "true_positive_rate")
_PRECISION = _curve(evaluate.precision_recall_curve, "recall", "precision")
_CALIBRATION = _curve(evaluate.calibration_curve, "predicted", "observed")


def _roc(asked: Asked) -> Drawn:
    found, notes = _ROC(asked)
    return curves.roc(f"ROC of {asked.model.name}{asked.where}", found, asked.width), notes


def _precision_recall(asked: Asked) -> Drawn:
    found, notes = _PRECISION(asked)
    # Where the threshold is lowest all rows are taken for the class.
    shares = {each.label: each.points[0][1] for each in found if each.points}
    title = f"Precision and recall of {asked.model.name}{asked.where}"
    return curves.precision_recall(title, found, asked.width, shares), notes


def _calibration(asked: Asked) -> Drawn:
    found, notes = _CALIBRATION(asked)
    return curves.calibration(f"Calibration of {asked.model.name}{asked.where}", found, asked.width), notes


def _confusion_matrix(asked: Asked) -> Drawn:
    rows, notes = evaluate.confusion_matrix(asked.session, asked.given, asked.search_path)
    labels = list(dict.fromkeys(row["predicted"] for row in rows))
    counts: dict[str | None, list[int]] = {}
    for row in rows:
        counts.setdefault(row["actual"], []).append(row["count"])
    title = f"Confusion matrix of {asked.model.name}{asked.where}"
    return matrix.confusion(title, labels, list(counts.values()), asked.width), notes


def _residuals(asked: Asked) -> Drawn:
    notes: list[str] = []
    if asked.is_of_relation:
        session, name = asked.session, arguments.required(asked.given, "relation_name")
        predictor = measured.loaded(session, asked.model)
        rows = measured.of_relation(session, predictor, name, asked.search_path)
        check = session.database.check_for_interrupts
        (table,) = comparison.outcome(predictor, rows.dataset, rows.truth, check).tables()
        notes = rows.notes
    else:
        asked.stored.require_shown()
        measured.split_of(asked.model)
        table = dict(asked.stored.evaluation)
    title = f"Residuals of {asked.model.name}{asked.where}"
    return residuals.residuals(title, residuals_of(table, asked.stored.targets), asked.width), notes


def residuals_of(table: Mapping[str, Any], targets: Sequence[str]) -> list[Residuals]:
    """Return the residuals of each target of what `pgml.metrics.evaluation` tells."""
    kept = table.get("residual_quantiles") or {"probabilities": [], "residuals": []}
    points = table.get("residual_points", [])
    return [
        Residuals(
            name,
            list(zip(points[at]["actual"], points[at]["predicted"], strict=True)) if at < len(points) else [],
            list(zip(kept["probabilities"], kept["residuals"][at], strict=True))
            if at < len(kept["residuals"])
            else [],
        )
        for at, name in enumerate(targets)
    ]


def _feature_importance(asked: Asked) -> Drawn:
    title = f"What the features of {asked.model.name} are worth"
    own = asked.stored.evaluation.get("importances")
    notes: list[str] = []
    if own and not asked.is_of_relation:
        asked.stored.require_shown()
        found = [Bar(name, share) for name, share in sorted(own.items(), key=lambda pair: -pair[1])]
        about = "The model's own importances, as shares."
    else:
        rows, notes = importance.feature_importance(asked.session, asked.given, asked.search_path)
        found = [Bar(row["feature"], row["importance"], row["deviation"] or 0.0) for row in rows]
        about = f"By how much {asked.model.metric} gets worse when the values of a feature change rows."
    return bars.bars(title, about, found, asked.width, "features", "The model has no features."), notes


def _cluster_sizes(asked: Asked) -> Drawn:
    asked.stored.require_shown()
    sizes = asked.stored.evaluation["cluster_sizes"]
    total = sum(each["rows"] for each in sizes) or 1
    found = [
        Bar(
            "noise" if each["cluster"] < 0 else f"cluster {each['cluster']}",
            each["rows"],
            text=f"{each['rows']:,} ({numbers.percent(each['rows'] / total)})",
        )
        for each in sizes
    ]
    title = f"Clusters of {asked.model.name}{asked.where}"
    about = "How many rows are of each cluster."
    return bars.bars(title, about, found, asked.width, "clusters", "There are no clusters."), []


def _leaderboard(asked: Asked) -> Drawn:
    asked.stored.require_shown()
    metric = metrics.find(asked.model.metric or "", asked.model.task)
    found = ranking(asked.session, asked.model)
    entries = [
        Entry(f"{each['name']} {each['algorithm']}", each["score"], each["low"], each["high"], each["live"])
        for each in found
        if each["metric"] == metric.name
    ]
    better = "higher" if metric.greater_is_better else "lower"
    title = f"Models of {asked.stored.project}"
    return leaderboard.leaderboard(title, metric.name, entries, asked.width, better), []


def ranking(session: Session, model: Model) -> list[dict[str, Any]]:
    """Return the models of a model's project by their scores, the best first, then those without one."""
    database = session.database
    found = database.as_owner(lambda: dossiers.models(database, model.project_id))
    if model.metric is None:
        return found
    sign = -1.0 if metrics.find(model.metric, model.task).greater_is_better else 1.0

    def key(each: Mapping[str, Any]) -> tuple[bool, bool, float]:
        score = each["score"]
        return each["metric"] != model.metric, score is None, sign * (score or 0.0)

    return sorted(found, key=key)


def _search(asked: Asked) -> Drawn:
    asked.stored.require_shown()
    summary = asked.stored.metrics.get("search_results") or {}
    name = summary.get("metric") or asked.model.metric or "score"
    metric = metrics.find(name, asked.model.task)
    found = [Trial(each["trial"], each["parameters"], each["score"], each["best"]) for each in _trials(asked)]
    title = f"Search of {asked.model.name}"
    return search.search(title, name, found, asked.width, greater=metric.greater_is_better), []


def _learning_curve(asked: Asked) -> Drawn:
    asked.stored.require_shown()
    kept = asked.stored.evaluation["learning"]
    series = [(label, list(zip(kept["steps"], costs, strict=True))) for label, costs in kept["costs"].items()]
    title = f"Learning of {asked.model.name}"
    return progress.learning_curve(title, kept["step"], "cost", series, asked.width), []


def _tree(asked: Asked) -> Drawn:
    asked.stored.require_shown()
    database = asked.session.database
    bounds = database.as_owner(lambda: store.settings(database))
    limits = Limits(bounds["child_threads"] or os.cpu_count() or 1, bounds["child_memory_bytes"])
    with runner.start(asked.session.python, limits, ("pgml.specimens",), purpose="drawing") as process:
        found, _ = process.run(
            "first_tree",
            {"depth": DEPTH if asked.width >= ROOMY else DEPTH - 1},
            _data(asked),
            database.check_for_interrupts,
        )
    title = f"The {'only tree' if found['trees'] == 1 else 'first tree'} of {asked.model.name}"
    return tree.tree(title, _about(found), _branch(found["root"], found["leaves"]), asked.width), []


def _about(found: Mapping[str, Any]) -> str:
    said = f"One of {found['trees']:,}. " if found["trees"] > 1 else ""
    if found["leaves"] == "steps":
        said += f"Its numbers are added to those of the other trees{_towards(found['label'])}. "
    return f"{said}A row goes up where the answer is yes."


def _towards(label: str | None) -> str:
    return "" if label is None else f' that speak for "{label}"'


def _branch(node: Mapping[str, Any], leaves: str) -> Branch:
    if "question" in node:
        answers = zip(("yes", "no"), node["answers"], strict=True)
        return Branch(node["question"], [(answer, _branch(each, leaves)) for answer, each in answers])
    if "label" in node:
        return Branch([node["label"], numbers.percent(node["share"])], share=node["share"])
    if "value" in node:
        said = ", ".join(numbers.shown(each) for each in node["value"])
        step = leaves == "steps" and len(node["value"]) == 1 and node["value"][0] > 0
        return Branch([f"+{said}" if step else said])
    return Branch(["…", f"{node['below']:,} leaves"], is_cut=True)


def _trials(asked: Asked) -> list[dict[str, Any]]:
    database = asked.session.database
    return database.as_owner(lambda: dossiers.trials(database, asked.model.id))


def _data(asked: Asked) -> bytes:
    database = asked.session.database
    return database.as_owner(lambda: store.model_bytes(database, asked.model))


KINDS: Mapping[str, Kind] = {
    "roc": Kind(_roc, _has("roc_curve"), of_relation=True),
    "precision_recall": Kind(_precision_recall, _has("precision_recall_curve"), of_relation=True),
    "confusion_matrix": Kind(_confusion_matrix, _tells_classes, of_relation=True),
    "calibration": Kind(_calibration, _has("calibration_curve"), of_relation=True),
    "residuals": Kind(_residuals, _tells_numbers, of_relation=True),
    "feature_importance": Kind(_feature_importance, _has_metric, of_relation=True),
    "cluster_sizes": Kind(_cluster_sizes, _has_clusters),
    "leaderboard": Kind(_leaderboard, _is_ranked),
    "learning_curve": Kind(_learning_curve, _has_learnt),
    "search": Kind(_search, _has_trials),
    "tree": Kind(_tree, _has_trees),
}
"""By name, in the order in which a report shows them."""
