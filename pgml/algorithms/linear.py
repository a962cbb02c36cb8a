"""Linear and logistic regression of scikit-learn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, Parameter
from pgml.algorithms.fitting import fit_quietly

if TYPE_CHECKING:
    from onnx import ModelProto

MAX_ITER = 1000
"""Of logistic regression; the library's 100 are too few for many ordinary tables."""

REGRESSION = (
    Parameter("fit_intercept", default=True, type="boolean"),
    Parameter("copy_X", default=True, type="boolean"),
    Parameter("tol", 1e-6, "number"),
    Parameter("n_jobs", None, "integer or null"),
    Parameter("positive", default=False, type="boolean"),
    # Accepted everywhere, so that one set of hyperparameters serves all algorithms; nothing is random here.
    Parameter("random_state", None, "integer or null"),
)
# class_weight as an object is left out: its keys would be labels, and a fit knows codes only.
CLASSIFICATION = (
    Parameter("penalty", "deprecated", "text or null"),
    Parameter("C", 1.0, "number"),
    Parameter("l1_ratio", 0.0, "number or null"),
    Parameter("dual", default=False, type="boolean"),
    Parameter("tol", 1e-4, "number"),
    Parameter("fit_intercept", default=True, type="boolean"),
    Parameter("intercept_scaling", 1, "number"),
    Parameter("class_weight", None, "text or null"),
    Parameter("random_state", None, "integer or null"),
    Parameter("solver", "lbfgs", "text"),
    Parameter("max_iter", MAX_ITER, "integer"),
    Parameter("verbose", 0, "integer or boolean"),
    Parameter("warm_start", default=False, type="boolean"),
    Parameter("n_jobs", None, "integer or null"),
)


def fit(matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext) -> Fitted:
    """Fit LinearRegression or LogisticRegression; see `Algorithm.fit`."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    given = dict(hyperparams)
    if context.task == "regression":
        given.pop("random_state", None)
        # With several targets joblib would start processes, which no bound here reaches.
        given.pop("n_jobs", None)
        return fit_quietly(LinearRegression, given, matrix, target, hyperparams)
    given = {"max_iter": MAX_ITER, "random_state": context.seed} | given
    return fit_quietly(LogisticRegression, given, matrix, target, hyperparams)


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the estimator's values or probabilities; see `Algorithm.predict`."""
    outputs = estimator.predict(matrix) if task == "regression" else estimator.predict_proba(matrix)
    return np.asarray(outputs, dtype=np.float64)


def graph_bytes(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a coefficient."""
    return 300 + 8 * (int(np.size(estimator.coef_)) + int(np.size(estimator.intercept_)))


def graph(estimator: Any, task: str) -> "ModelProto":
    """Return ``features @ coefficients + intercept``, made probabilities where asked."""
    from pgml.artifact.graph import INPUT, Graph

    coefficients = np.atleast_2d(estimator.coef_).T
    intercept = np.broadcast_to(estimator.intercept_, (coefficients.shape[1],))
    built = Graph(coefficients.shape[0], "float64")
    product = built.apply("MatMul", INPUT, built.constant(coefficients))
    margin = built.apply("Add", product, built.constant(intercept))
    if task == "classification":
        if coefficients.shape[1] == 1:
            built.two_classes(built.apply("Sigmoid", margin))
        else:
            built.apply("Softmax", margin, axis=1)
    return built.finish(task, coefficients.shape[1] if task == "regression" else len(estimator.classes_))


def dot(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return the coefficients; None for more than two classes or several targets."""
    coefficients = np.atleast_2d(estimator.coef_)
    if len(coefficients) > 1:
        return None
    intercept = np.ravel(estimator.intercept_)[0]
    return {"weights": coefficients[0].tolist(), "intercept": float(intercept)}


ALGORITHM = Algorithm(
    name="linear",
    library="scikit-learn",
    parameters={"regression": REGRESSION, "classification": CLASSIFICATION},
    scaled=True,
    takes_missing=False,
    dtype="float64",
    fit=fit,
    predict=predict,
    centered=lambda task, hyperparams: False,
    graph_bytes=graph_bytes,
    graph=graph,
    dot=dot,
)
