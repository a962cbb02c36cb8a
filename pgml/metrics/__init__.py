"""Scores of predictions against the truth: names, directions, formulas, intervals and curves.

All in plain numpy, so that a backend can compare two models without importing scikit-learn.
"""

from pgml.metrics.clustering import calinski_harabasz, davies_bouldin, silhouette
from pgml.metrics.curves import precision_recall_curve, roc_curve, thinned
from pgml.metrics.evaluation import evaluation
from pgml.metrics.intervals import interval
from pgml.metrics.labels import by_class, confusion
from pgml.metrics.probabilities import calibration_curve
from pgml.metrics.registry import (
    ALIASES,
    KEY,
    METRICS,
    Kind,
    Metric,
    better,
    default,
    find,
    of_spec,
    of_task,
)
from pgml.metrics.regression import r2, r2_by_target
from pgml.metrics.scores import evaluate, key_score, score

__all__ = [
    "ALIASES",
    "KEY",
    "METRICS",
    "Kind",
    "Metric",
    "better",
    "by_class",
    "calibration_curve",
    "calinski_harabasz",
    "confusion",
    "davies_bouldin",
    "default",
    "evaluate",
    "evaluation",
    "find",
    "interval",
    "key_score",
    "of_spec",
    "of_task",
    "precision_recall_curve",
    "r2",
    "r2_by_target",
    "roc_curve",
    "score",
    "silhouette",
    "thinned",
]
