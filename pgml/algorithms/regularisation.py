"""Which hyperparameters hold a model back from learning its training rows by heart.

These are penalties, smoothing, the least rows of a leaf, and what leaves rows or columns out of each step;
how large a model may be (its trees, depths and layers) is not among them.
"""

from collections.abc import Mapping

_LEAVES = (
    "min_samples_leaf",
    "min_samples_split",
    "min_weight_fraction_leaf",
    "min_impurity_decrease",
    "ccp_alpha",
)
_STOCHASTIC = ("alpha", "l1_ratio", "penalty")
_XGBOOST = (
    *("reg_alpha", "reg_lambda", "alpha", "lambda", "gamma", "min_split_loss", "min_child_weight"),
    *("max_delta_step", "subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"),
    *("rate_drop", "skip_drop"),
)
REGULARISING: Mapping[str, tuple[str, ...]] = {
    "linear": ("C",),
    "ridge": ("alpha",),
    "bayesian_ridge": ("lambda_1", "lambda_2"),
    "automatic_relevance_determination": ("lambda_1", "lambda_2", "threshold_lambda"),
    "lasso": ("alpha",),
    "elastic_net": ("alpha", "l1_ratio"),
    "elastic_net_cv": ("l1_ratio",),
    "lasso_least_angle": ("alpha",),
    "least_angle": ("n_nonzero_coefs",),
    "orthogonal_matching_pursuit": ("n_nonzero_coefs", "tol"),
    "stochastic_gradient_descent": _STOCHASTIC,
    "perceptron": _STOCHASTIC,
    "passive_aggressive": ("C",),
    "huber": ("alpha",),
    "quantile": ("alpha",),
    "poisson": ("alpha",),
    "gamma": ("alpha",),
    "tweedie": ("alpha",),
    "decision_tree": _LEAVES,
    "random_forest": (*_LEAVES, "max_samples"),
    "extra_trees": (*_LEAVES, "max_samples"),
    "bagging": ("min_samples_leaf", "min_samples_split", "max_samples"),
    "ada_boost": ("min_samples_leaf", "min_samples_split"),
    "gradient_boosting_trees": (*_LEAVES, "subsample"),
    "hist_gradient_boosting": ("l2_regularization", "min_samples_leaf"),
    "xgboost": _XGBOOST,
    "xgboost_random_forest": _XGBOOST[:-2],
    "lightgbm": (
        *("reg_alpha", "reg_lambda", "min_child_samples", "min_child_weight", "min_split_gain"),
        *("subsample", "colsample_bytree", "path_smooth"),
    ),
    "catboost": (
        "l2_leaf_reg",
        "random_strength",
        "bagging_temperature",
        "subsample",
        "rsm",
        "min_data_in_leaf",
    ),
    "gaussian_naive_bayes": ("var_smoothing",),
    "linear_discriminant_analysis": ("shrinkage",),
    "quadratic_discriminant_analysis": ("shrinkage", "reg_param"),
    "svm": ("C",),
    "nu_svm": ("C", "nu"),
    "linear_svm": ("C",),
    "mlp": ("alpha",),
    "neural_network": ("lambda", "dropout"),
    "kernel_ridge": ("alpha",),
    "gaussian_process": ("alpha",),
}
"""By algorithm; one that is not listed has none."""
