"""What a swarm of candidates minimises: costs of the rows that are trained on, and of the rest."""

from collections.abc import Callable, Mapping

from pgml.metrics import Metric

Cost = Callable[[float, float], float]
"""Of the costs of training rows and of the rest, each the mean over the folds; less is better."""
SELECTIONS: Mapping[str, Cost] = {
    "mean": lambda trained, tested: tested,
    "gap_penalised": lambda trained, tested: abs(trained - tested) + (1.5 * tested + trained) / 2.5,
}
"""By which cost candidates compare; the second is the formula of automl, a package for R."""
LEARNING = ("overfitting", "2steps")
"""Run types whose first swarm goes by the cost of training rows alone."""
RUN_TYPES = ("normal", "overfitting", "regularization", "2steps")


def of_training(trained: float, tested: float) -> float:
    """Return the cost of training rows alone."""
    return trained


def of_score(score: float | None, metric: Metric) -> float | None:
    """Return what a score costs: itself, or what it lacks to 1 where more is better."""
    return 1 - score if score is not None and metric.greater_is_better else score
