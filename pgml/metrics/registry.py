"""Which metrics there are, for which tasks, and which way is better: a literal registry."""

from collections.abc import Mapping
from math import isfinite

from pgml.criterion import Kind as Kind
from pgml.criterion import Metric as Metric
from pgml.errors import InvalidValue, hint_of_names
from pgml.spec import FitSpec


def _all(task: str, needs: Kind, greater: tuple[str, ...], less: tuple[str, ...] = ()) -> dict[str, Metric]:
    return {name: Metric(name, (task,), name in greater, needs) for name in (*greater, *less)}


METRICS: Mapping[str, Metric] = {
    **_all(
        "regression",
        "values",
        ("r2", "explained_variance"),
        (
            "mean_absolute_error",
            "mean_squared_error",
            "root_mean_squared_error",
            "mean_absolute_percentage_error",
            "median_absolute_error",
            "max_error",
        ),
    ),
    **_all(
        "classification",
        "labels",
        (
            "accuracy",
            "balanced_accuracy",
            "f1",
            "precision",
            "recall",
            "f1_macro",
            "precision_macro",
            "recall_macro",
            "f1_micro",
            "mcc",
            "cohen_kappa",
        ),
    ),
    **_all("classification", "scores", ("roc_auc", "average_precision")),
    **_all("classification", "probabilities", (), ("log_loss", "brier")),
    **_all("clustering", "clusters", ("silhouette", "calinski_harabasz"), ("davies_bouldin",)),
    **_all("autoencoder", "errors", ("reconstruction_r2",), ("reconstruction_error",)),
    **_all("decomposition", "values", ("cumulative_explained_variance",)),
}
"""Every metric by its name."""

KEY: Mapping[str, str] = {
    "regression": "r2",
    "classification": "accuracy",
    "clustering": "silhouette",
    "decomposition": "cumulative_explained_variance",
    "autoencoder": "reconstruction_r2",
}
"""The metric that decides deployments; greater is better for all of them."""

ALIASES: Mapping[str, str] = {
    "r2_score": "r2",
    "r_squared": "r2",
    "explained_variance_score": "explained_variance",
    "mae": "mean_absolute_error",
    "neg_mean_absolute_error": "mean_absolute_error",
    "mse": "mean_squared_error",
    "neg_mean_squared_error": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "neg_root_mean_squared_error": "root_mean_squared_error",
    "mape": "mean_absolute_percentage_error",
    "neg_mean_absolute_percentage_error": "mean_absolute_percentage_error",
    "medae": "median_absolute_error",
    "neg_median_absolute_error": "median_absolute_error",
    "neg_max_error": "max_error",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_score": "f1",
    "f1_weighted": "f1",
    "precision_score": "precision",
    "precision_weighted": "precision",
    "recall_score": "recall",
    "recall_weighted": "recall",
    "precision_micro": "f1_micro",
    "recall_micro": "f1_micro",
    "matthews_corrcoef": "mcc",
    "kappa": "cohen_kappa",
    "cohen_kappa_score": "cohen_kappa",
    "auc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "roc_auc_ovr": "roc_auc",
    "average_precision_score": "average_precision",
    "neg_log_loss": "log_loss",
    "logloss": "log_loss",
    "cross_entropy": "log_loss",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "neg_brier_score": "brier",
    "silhouette_score": "silhouette",
    "calinski_harabasz_score": "calinski_harabasz",
    "davies_bouldin_score": "davies_bouldin",
    "reconstruction_mse": "reconstruction_error",
}
"""Other names, scikit-learn's among them; a ``neg_`` scorer's is that of the metric, which is not negated."""


def of_task(task: str) -> dict[str, Metric]:
    """Return the metrics of a task by name; none for a task that is not scored."""
    return {name: metric for name, metric in METRICS.items() if task in metric.tasks}


def find(name: str, task: str) -> Metric:
    """Return the metric of that name or alias if the task has it.

    Raises
    ------
    InvalidValue
        It does not exist, or not for this task; the hint lists those that do.
    """
    fitting = of_task(task)
    known = ALIASES.get(name.lower(), name.lower())
    if known in fitting:
        return fitting[known]
    hint = hint_of_names(f"metrics for {task}", name, fitting) or f"Models for {task} have no metric."
    if known in METRICS:
        raise InvalidValue(f'metric "{name}" does not score {task}', hint=hint)
    raise InvalidValue(f'metric "{name}" does not exist', hint=hint)


def default(task: str) -> Metric | None:
    """Return the metric that decides deployments, None for a task that is not scored."""
    return METRICS[KEY[task]] if task in KEY else None


def of_spec(spec: FitSpec) -> Metric | None:
    """Return what a fit is judged by: its own criterion, the metric it names, or its task's."""
    if spec.criterion is not None:
        return spec.criterion
    return find(spec.metric, spec.task) if spec.metric else default(spec.task)


def better(metric: Metric, one: float | None, other: float | None) -> bool:
    """Return whether a score is better than another; any is better than none, which is None or NaN."""
    if one is None or not isfinite(one):
        return False
    if other is None or not isfinite(other):
        return True
    return one > other if metric.greater_is_better else one < other
