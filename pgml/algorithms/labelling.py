"""Clusterings of scikit-learn that label the rows they are fitted on and can label no others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, no_graph
from pgml.algorithms.parameters import Interval, Parameter
from pgml.algorithms.refusals import refuse_precomputed
from pgml.native import TrainingRows
from pgml.spec import Output

if TYPE_CHECKING:
    pass


LEFT_OUT = frozenset({"memory", "connectivity", "kernel_params", "store_centers", "compute_distances"})
"""Paths of caches, matrices in the order of rows, and what only the Python object is for."""
MAX_EPS = Parameter("max_eps", None, "number or null", intervals=(Interval("number", 0, None, "left"),))
"""Of OPTICS; the library's default is infinite, which JSON cannot say."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit, and keep the labels of the rows by what is in the rows."""
    from threadpoolctl import threadpool_limits

    for name in ("affinity", "metric"):
        refuse_precomputed(hyperparams, name)
    hyperparams = {name: value for name, value in hyperparams.items() if (name, value) != ("max_eps", None)}
    with threadpool_limits(1, user_api="openmp"):
        fitted = estimators.fit(algorithm, matrix, target, hyperparams, context)
    fitted.estimator.known_ = TrainingRows.of(matrix, fitted.estimator.labels_)
    return fitted


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the labels of training rows, NaN for others, shape (rows, 1)."""
    known: TrainingRows = estimator.known_
    return known.run(matrix)


def pack(estimator: Any, matrix: Matrix, task: str) -> bytes:
    """Return the labels of the rows of a matrix as bytes."""
    return TrainingRows.of(matrix, estimator.labels_).pack()


def size(estimator: Any, task: str) -> int:
    """Return the size of the stored labels: 16 bytes a distinct row."""
    return 200 + 16 * len(estimator.known_.hashes)


def output(estimator: Any, task: str) -> Output:
    """Return what such a clustering gives."""
    return "cluster"


def _labelling(name: str, kind: str, **changes: Any) -> Algorithm:
    plain = Algorithm(
        name=name,
        library="scikit-learn",
        estimators={"clustering": f"sklearn.cluster:{kind}"},
        fitter=fit,
        predict=predict,
        emit=no_graph,
        size=size,
        output=output,
        scaled=True,
        serving="training rows",
        pack=pack,
        parallel=True,
        left_out=LEFT_OUT,
        modules=("sklearn.cluster", "sklearn.metrics", "onnx"),
    )
    return replace(plain, **changes)


ALGORITHMS = (
    _labelling(
        "dbscan",
        "DBSCAN",
        weighted=True,
        space={"eps": {"log": [0.1, 5]}, "min_samples": {"int": [3, 15]}},
    ),
    _labelling("hdbscan", "HDBSCAN", defaults={"copy": True}, space={"min_cluster_size": {"int": [3, 50]}}),
    _labelling(
        "optics",
        "OPTICS",
        left_out=LEFT_OUT | {"max_eps"},
        own={"clustering": (MAX_EPS,)},
        space={"min_samples": {"int": [3, 30]}, "xi": {"uniform": [0.01, 0.2]}},
    ),
    _labelling("spectral", "SpectralClustering", space={"n_clusters": {"int": [2, 12]}}),
    _labelling(
        "agglomerative",
        "AgglomerativeClustering",
        parallel=False,
        space={"n_clusters": {"int": [2, 12]}, "linkage": ["ward", "average", "complete", "single"]},
    ),
)
