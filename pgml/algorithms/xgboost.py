"""Gradient boosted trees of XGBoost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators, links
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.algorithms.parameters import Parameter
from pgml.errors import InvalidValue, NotBuilt, hint_of_names

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

LINKS: Mapping[str, Mapping[str, str]] = {
    "regression": {
        "reg:squarederror": "identity",
        "reg:squaredlogerror": "identity",
        "reg:pseudohubererror": "identity",
        "reg:absoluteerror": "identity",
        "reg:logistic": "logistic",
        "reg:gamma": "log",
        "reg:tweedie": "log",
        "count:poisson": "log",
    },
    "classification": {
        "binary:logistic": "logistic",
        "multi:softprob": "softmax",
        "multi:softmax": "softmax",
    },
}
"""For each task the objectives that can be served, each with its link from margin to prediction."""
EQUIVARIANT = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror")
"""Objectives to which only differences matter."""
UNBUILT = (
    "binary:hinge",
    "binary:logitraw",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:expectileerror",
    "reg:quantileerror",
    "survival:aft",
    "survival:cox",
)
ALIASES: Mapping[str, str] = {
    "alpha": "reg_alpha",
    "eta": "learning_rate",
    "lambda": "reg_lambda",
    "min_split_loss": "gamma",
    "nthread": "n_jobs",
    "seed": "random_state",
}
"""XGBoost's own names of what its scikit-learn interface calls otherwise."""
VALIDATION_SHARE = 0.1
"""Share of the training rows that early stopping watches instead of fitting."""

# Left out: missing (NaN always), callbacks (code), device (the library is built for CPUs), verbosity
# (nobody reads a server's output, and a bad value sticks to the process), and what concerns categorical
# columns (enable_categorical, feature_types, max_cat_threshold, max_cat_to_onehot): the matrix is numbers.
_COMMON = (
    Parameter("n_estimators", None, "integer or null"),
    Parameter("max_depth", None, "integer or null"),
    Parameter("max_leaves", None, "integer or null"),
    Parameter("max_bin", None, "integer or null"),
    Parameter("grow_policy", None, "text or null"),
    Parameter("learning_rate", None, "number or null"),
    Parameter("booster", None, "text or null"),
    Parameter("tree_method", None, "text or null"),
    Parameter("n_jobs", None, "integer or null"),
    Parameter("gamma", None, "number or null"),
    Parameter("min_child_weight", None, "number or null"),
    Parameter("max_delta_step", None, "number or null"),
    Parameter("subsample", None, "number or null"),
    Parameter("sampling_method", None, "text or null"),
    Parameter("colsample_bytree", None, "number or null"),
    Parameter("colsample_bylevel", None, "number or null"),
    Parameter("colsample_bynode", None, "number or null"),
    Parameter("reg_alpha", None, "number or null"),
    Parameter("reg_lambda", None, "number or null"),
    Parameter("scale_pos_weight", None, "number or null"),
    Parameter("base_score", None, "number or array or null"),
    Parameter("random_state", None, "integer or null"),
    Parameter("num_parallel_tree", None, "integer or null"),
    Parameter("monotone_constraints", None, "array or text or null"),
    Parameter("interaction_constraints", None, "array or text or null"),
    Parameter("importance_type", None, "text or null"),
    Parameter("validate_parameters", None, "boolean or null"),
    Parameter("feature_weights", None, "array or null"),
    Parameter("multi_strategy", None, "text or null"),
    Parameter("eval_metric", None, "text or array or null"),
    Parameter("early_stopping_rounds", None, "integer or null"),
    Parameter("sample_type", None, "text or null"),
    Parameter("normalize_type", None, "text or null"),
    Parameter("rate_drop", None, "number or null"),
    Parameter("one_drop", None, "integer or boolean or null"),
    Parameter("skip_drop", None, "number or null"),
    Parameter("huber_slope", None, "number or null"),
    Parameter("tweedie_variance_power", None, "number or null"),
    Parameter("alpha", None, "number or null"),
    Parameter("eta", None, "number or null"),
    Parameter("lambda", None, "number or null"),
    Parameter("min_split_loss", None, "number or null"),
    Parameter("nthread", None, "integer or null"),
    Parameter("seed", None, "integer or null"),
)
REGRESSION = (Parameter("objective", "reg:squarederror", "text"), *_COMMON)
CLASSIFICATION = (Parameter("objective", "binary:logistic", "text"), *_COMMON)
FOREST_DEFAULTS: Mapping[str, float] = {
    "learning_rate": 1.0,
    "subsample": 0.8,
    "colsample_bynode": 0.8,
    "reg_lambda": 1e-5,
}
"""A forest's trees are not shrunk but drawn; these are the library's own."""
_NOT_OF_FORESTS = ("num_parallel_tree", "early_stopping_rounds")
"""All of its trees are of one round."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit XGBRegressor or XGBClassifier, or a random forest of theirs; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        The objective, booster or strategy cannot be served.
    InvalidValue
        A value cannot be used.
    """
    classes = 1 if context.task == "regression" else int(target.max()) + 1
    given = _renamed(hyperparams)
    _check_served(given, context.task)
    margins = target[0].size if context.task == "regression" else classes if classes > 2 else 1
    _check_values(given, matrix.shape[1], margins)
    _check_base_score(given, context.task, classes)
    options = {"random_state": context.seed, "verbosity": 0} | _as_texts(given)
    options["n_jobs"] = context.jobs(given.get("n_jobs"))
    kind = estimators.imported(algorithm.estimators[context.task])
    if classes == 2 and str(given.get("objective")).startswith("multi:"):
        options["num_class"] = classes
    if given.get("early_stopping_rounds") is None:
        return fit_quietly(kind, options, matrix, target, hyperparams, **estimators.weights(context))
    watched = _watched(target, context)
    fitted = fit_quietly(
        kind,
        options,
        matrix[~watched],
        target[~watched],
        hyperparams,
        eval_set=[(matrix[watched], target[watched])],
        verbose=False,
        **({} if context.weights is None else {"sample_weight": context.weights[~watched]}),
    )
    stopped = (
        f"early stopping watched {int(watched.sum())} of the training rows "
        f"and kept {fitted.estimator.best_iteration + 1} rounds"
    )
    return Fitted(fitted.estimator, (stopped, *fitted.notes))


def centered(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether the target may be moved: XGBoost holds it, and adds up its trees, in float32."""
    if task != "regression" or any(
        hyperparams.get(name) is not None for name in ("base_score", "eval_metric")
    ):
        return False
    return hyperparams.get("objective", EQUIVARIANT[0]) in EQUIVARIANT


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.algorithms import xgboost_model
    from pgml.artifact import trees

    model = xgboost_model.read(estimator)
    return 300 + 8 * model.groups + trees.size(xgboost_model.trees(model), model.features)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the sum of the trees, with base score and link in float64."""
    from pgml.algorithms import xgboost_model
    from pgml.artifact import trees

    model = xgboost_model.read(estimator)
    link = LINKS[task][model.objective]
    total = trees.append(graph, source, xgboost_model.trees(model), model.groups, trees.LESS)
    margin = graph.apply("Add", total, graph.constant(xgboost_model.base_margin(model.base_score, link)))
    return links.applied(graph, margin, link, classes=task == "classification")


def _renamed(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters by the names of the scikit-learn interface."""
    given: dict[str, Any] = {}
    for name, value in hyperparams.items():
        known = ALIASES.get(name, name)
        if known in given:
            raise InvalidValue(
                f'hyperparameters "{known}" and its other name are both given', hint="Give one."
            )
        given[known] = value
    return given


def _check_served(given: Mapping[str, Any], task: str) -> None:
    """Refuse what no graph can be made of (0A000), before time is spent on it."""
    if given.get("booster") == "gblinear":
        raise NotBuilt(
            'booster "gblinear" is not built', hint='Use "gbtree", "dart" or the algorithm "linear".'
        )
    if given.get("multi_strategy") == "multi_output_tree":
        raise NotBuilt('multi_strategy "multi_output_tree" is not built', hint='Use "one_output_per_tree".')
    objective = given.get("objective")
    if objective is None or objective in LINKS[task]:
        return
    hint = hint_of_names(f"objectives for {task}", str(objective), LINKS[task])
    if objective in UNBUILT:
        raise NotBuilt(f'objective "{objective}" is not built', hint=hint)
    elsewhere = any(objective in links for links in LINKS.values())
    problem = f"is not for {task}" if elsewhere else "does not exist"
    raise InvalidValue(f'objective "{objective}" {problem}', hint=hint)


def _check_values(given: Mapping[str, Any], features: int, margins: int) -> None:
    """Refuse what XGBoost itself would take in silence."""
    for name in ("n_estimators", "early_stopping_rounds"):
        if given.get(name) is not None and given[name] < 1:
            raise InvalidValue(
                f'hyperparameter "{name}" must be at least 1, not {given[name]}',
                hint="Leave it out for the default.",
            )
    lengths = {
        "feature_weights": features,
        "monotone_constraints": features,
        "base_score": margins,
    }
    for name, length in lengths.items():
        value = given.get(name)
        if not isinstance(value, list):
            continue
        if len(value) != length or not all(type(each) in (int, float) for each in value):
            raise InvalidValue(
                f'hyperparameter "{name}" must be an array of {length} numbers',
                hint="Give one for each number that the features become.",
            )


def _check_base_score(given: Mapping[str, Any], task: str, classes: int) -> None:
    """Refuse a base score whose margin would be infinite."""
    default = "binary:logistic" if classes == 2 else "multi:softprob"
    objective = given.get("objective") or ("reg:squarederror" if task == "regression" else default)
    link = LINKS[task][objective] if classes <= 2 else "softmax"
    score = given.get("base_score")
    for each in score if isinstance(score, list) else [] if score is None else [score]:
        if (link == "logistic" and not 0 < each < 1) or (link == "log" and not each > 0):
            wanted = "between 0 and 1" if link == "logistic" else "above 0"
            raise InvalidValue(
                f'hyperparameter "base_score" must be {wanted} for {objective}, not {each}',
                hint="Leave it out for the default.",
            )


def _as_texts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters with constraints as the library's texts: its lists go by feature name."""
    texts = dict(given)
    for name in ("monotone_constraints", "interaction_constraints"):
        if isinstance(given.get(name), list):
            texts[name] = json.dumps(given[name])
    if isinstance(given.get("monotone_constraints"), list):
        texts["monotone_constraints"] = f"({texts['monotone_constraints'][1:-1]})"
    return texts


def _watched(target: npt.NDArray[Any], context: FitContext) -> npt.NDArray[np.bool_]:
    """Choose rows for early stopping to watch, seeded, leaving a row of each class to fit."""
    order = np.random.default_rng(context.seed).permutation(len(target))
    chosen = np.zeros(len(target), dtype=np.bool_)
    chosen[order[: max(1, round(len(target) * VALIDATION_SHARE))]] = True
    if context.task == "classification":
        backwards = order[::-1]
        _, first = np.unique(target[backwards], return_index=True)
        chosen[backwards[first]] = False
    if not chosen.any():
        raise InvalidValue(
            "there are too few rows for early stopping", hint="Leave early_stopping_rounds out."
        )
    return chosen


def _of_forests(known: Sequence[Parameter]) -> tuple[Parameter, ...]:
    return tuple(
        replace(each, default=FOREST_DEFAULTS.get(each.name, each.default))
        for each in known
        if each.name not in _NOT_OF_FORESTS
    )


XGBOOST = Algorithm(
    name="xgboost",
    library="xgboost",
    estimators={"regression": "xgboost:XGBRegressor", "classification": "xgboost:XGBClassifier"},
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    takes_missing=True,
    dtype="float32",
    weighted=True,
    joint=True,
    own={"regression": REGRESSION, "classification": CLASSIFICATION},
    space={
        "n_estimators": {"int": [50, 300]},
        "learning_rate": {"log": [0.01, 0.3]},
        "max_depth": {"int": [2, 8]},
        "min_child_weight": {"log": [0.5, 20]},
        "subsample": {"uniform": [0.5, 1.0]},
        "colsample_bytree": {"uniform": [0.5, 1.0]},
        "reg_lambda": {"log": [0.1, 10]},
    },
    centered=centered,
    importances=lambda estimator: np.asarray(estimator.feature_importances_, dtype=np.float64),
    modules=("xgboost", "onnx"),
)
FOREST = replace(
    XGBOOST,
    name="xgboost_random_forest",
    estimators={"regression": "xgboost:XGBRFRegressor", "classification": "xgboost:XGBRFClassifier"},
    own={task: _of_forests(known) for task, known in XGBOOST.own.items()},
    space={
        "n_estimators": {"int": [50, 300]},
        "max_depth": {"int": [4, 12]},
        "min_child_weight": {"log": [0.5, 20]},
        "subsample": {"uniform": [0.5, 1.0]},
        "colsample_bynode": {"uniform": [0.3, 1.0]},
    },
)
ALGORITHMS = (XGBOOST, FOREST)
