"""Fit scikit-learn's models and write them as SQL with orbital, in an environment that has both.

``python orbital.py DIRECTORY``: reads ``train.csv`` (features, a number, a class), ``few.npy`` and
``fewer.npy`` (features) there, and writes ``<model>.sql``, ``<model>.npy`` with what the model itself gives
for the rows, and ``found.json``.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SIZES: dict[str, dict[str, Any]] = {
    "linear": {},
    "logistic": {},
    "tree": {"max_depth": 8},
    "boosting": {"n_estimators": 100, "max_depth": 3},
    "forest": {"n_estimators": 100, "max_depth": 8},
    "forest_of_classes": {"n_estimators": 100, "max_depth": 8},
    "mlp": {"hidden_layer_sizes": [32], "max_iter": 20},
    "svm": {},
    "bayes": {},
}
"""Hyperparameters by what a model is called."""
CLASSIFIED = ("logistic", "forest_of_classes", "bayes")
SLOW = ("svm",)
"""Trained on a thousand rows, and run over ``fewer`` instead of ``few``."""


def estimator(name: str) -> Any:
    """Return an estimator that is not fitted."""
    from sklearn import ensemble, linear_model, naive_bayes, neural_network, svm, tree

    classes = {
        "linear": linear_model.LinearRegression,
        "logistic": linear_model.LogisticRegression,
        "tree": tree.DecisionTreeRegressor,
        "boosting": ensemble.GradientBoostingRegressor,
        "forest": ensemble.RandomForestRegressor,
        "forest_of_classes": ensemble.RandomForestClassifier,
        "mlp": neural_network.MLPRegressor,
        "svm": svm.SVR,
        "bayes": naive_bayes.GaussianNB,
    }
    return classes[name](**SIZES[name])


def written(name: str, names: list[str], train: npt.NDArray[Any], directory: Path) -> dict[str, Any]:
    """Fit a model and write it as SQL; return how long the latter took."""
    import orbital
    from orbital import types
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    x = train[:, : len(names)].astype(np.float64)
    y = train[:, -1].astype(str) if name in CLASSIFIED else train[:, len(names)].astype(np.float64)
    count, relation = (1_000, "fewer") if name in SLOW else (len(x), "few")
    pipeline = Pipeline([("scale", StandardScaler()), ("model", estimator(name))]).fit(x[:count], y[:count])
    np.save(directory / f"{name}.npy", pipeline.predict(np.load(directory / f"{relation}.npy")))
    started = time.perf_counter()
    parsed = orbital.parse_pipeline(pipeline, features={each: types.DoubleColumnType() for each in names})
    sql = orbital.export_sql(relation, parsed, dialect="postgres")
    (directory / f"{name}.sql").write_text(sql)
    return {"compile": time.perf_counter() - started}


def main() -> None:
    """Write all models."""
    directory = Path(sys.argv[1])
    with (directory / "train.csv").open() as file:
        names = file.readline().strip().split(",")[:-2]
        train = np.array([line.strip().split(",") for line in file])
    found: dict[str, Any] = {}
    for name in SIZES:
        try:
            found[name] = written(name, names, train, directory)
        except (ValueError, NotImplementedError, RuntimeError, KeyError, TypeError, AttributeError) as error:
            found[name] = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"}
    (directory / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
