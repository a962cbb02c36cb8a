"""The decision threshold that a training is asked for, checked before rows are read where it can be."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml import algorithms, metrics
from pgml.columns import INTEGERS, Column
from pgml.errors import InvalidValue, name_list
from pgml.reader import Relation
from pgml.spec import AUTO

CALL = "Write threshold => 'auto', or a probability such as threshold => '0.3'."


SCORES_ONLY = ("ridge", "ridge_cv", "perceptron", "linear_svm")
"""Classifiers that give no probabilities, whatever their hyperparameters; for others these tell."""


def check(
    given: Mapping[str, Any],
    task: str | None,
    algorithm: str | None,
    relation: Relation,
    targets: Sequence[str],
) -> None:
    """Raise InvalidValue for a threshold that is none, or that the task or the metric has no use for.

    Parameters
    ----------
    given : mapping
        The arguments by name; ``threshold`` may not be among them.
    task : str or None
        None: inferred from the target.
    algorithm : str or None
        None: the task's default.
    relation : Relation
    targets : sequence of str
    """
    wanted = given.get("threshold")
    if wanted is None:
        return
    quantity = len(targets) == 1 and not _may_be_classes(relation.column(targets[0]))
    settled(wanted, task or ("regression" if quantity else "classification"), algorithm, given["metric"])


def settled(given: str | None, task: str, algorithm: str | None, metric: str | None) -> float | str | None:
    """Return the threshold as a fit takes it: a number, ``auto`` or nothing.

    Raises
    ------
    InvalidValue
    """
    if given is None:
        return None
    if task != "classification":
        raise InvalidValue(
            f"threshold is for two classes, and the task is {task}",
            hint="Leave threshold out, or say task => 'classification'.",
        )
    if algorithm is not None and algorithms.ALIASES.get(algorithm, algorithm) in SCORES_ONLY:
        others = [name for name in algorithms.names(task) if name not in SCORES_ONLY]
        raise InvalidValue(
            f'threshold is for probabilities, and "{algorithm}" gives scores of the classes',
            hint=f"Leave threshold out, or train one of {name_list(others, 50)}.",
        )
    if given == AUTO:
        _check_metric(metric)
        return AUTO
    try:
        value = float(given) if given.isascii() and "_" not in given else 0.0
    except ValueError:
        raise InvalidValue(f'threshold "{given:.40}" is no number', hint=CALL) from None
    if not 0 < value < 1:
        raise InvalidValue(f"threshold {given:.40} is not between 0 and 1", hint=CALL)
    return value


def _may_be_classes(target: Column) -> bool:
    return target.is_category or target.type == "boolean" or target.type in INTEGERS


def _check_metric(name: str | None) -> None:
    """Raise InvalidValue for a metric that is the same whatever the threshold is."""
    if name is None:
        return
    metric = metrics.find(name, "classification")
    if metric.needs != "labels":
        fitting = [name for name, each in metrics.of_task("classification").items() if each.needs == "labels"]
        raise InvalidValue(
            f'metric "{metric.name}" does not depend on the threshold, so none can be chosen by it',
            hint=f"Give one of the metrics {name_list(fitting, 20)}, or a number as threshold.",
        )
