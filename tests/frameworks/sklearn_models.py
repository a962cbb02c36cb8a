"""Writing pipelines of scikit-learn as ONNX, with what they answer; run by Python with the frameworks.

Called with the name of a directory.  Writes there for each model ``NAME.onnx`` and ``NAME.npz``: its inputs
as ``in:`` and their names, what scikit-learn answers as ``answer`` (probabilities, scores or values), and
``labels``.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from palmerpenguins import load_penguins
from skl2onnx import to_onnx
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier
from vega_datasets import data

OPSETS = {"": 21, "ai.onnx.ml": 3}
BILL = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
Model = tuple[str, Any, pd.DataFrame]


def penguins() -> pd.DataFrame:
    """Return birds, of which some lack numbers and some a sex."""
    table: pd.DataFrame = load_penguins()
    return table


def cars() -> pd.DataFrame:
    """Return cars whose consumption is known; the power of some is not."""
    table: pd.DataFrame = data.cars()
    return table[table["Miles_per_Gallon"].notna()].reset_index(drop=True)


def prepared(
    numbers: list[str], texts: list[str], scaler: Any = None, encoder: Any = None
) -> ColumnTransformer:
    """Return what makes a matrix of a dirty table."""
    filled = make_pipeline(SimpleImputer(strategy="median"), scaler or StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", filled, numbers),
            ("texts", encoder or OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        ]
    )


def classifiers() -> Iterator[tuple[str, Any, Any]]:
    """Give names, estimators and encoders of texts."""
    ranks = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    filled = make_pipeline(
        SimpleImputer(missing_values="", strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    yield "logistic", LogisticRegression(max_iter=2000), None
    yield "logistic_filled", LogisticRegression(max_iter=2000), filled
    yield "forest", RandomForestClassifier(20, max_depth=6, random_state=0), ranks
    yield "boosting", GradientBoostingClassifier(n_estimators=15, random_state=0), None
    yield "histogram", HistGradientBoostingClassifier(max_iter=15, random_state=0), ranks
    yield "tree", DecisionTreeClassifier(max_depth=4, random_state=0), None
    yield "svc", SVC(), None
    yield "svc_poly", SVC(kernel="poly"), None
    yield "platt", SVC(probability=True, random_state=0), None
    yield "neighbors", KNeighborsClassifier(5), None
    yield "network", MLPClassifier((8,), max_iter=400, random_state=0), None
    members = [("tree", DecisionTreeClassifier(max_depth=3)), ("logistic", LogisticRegression(max_iter=2000))]
    yield "stacking", StackingClassifier(members, cv=3), None


def regressors() -> Iterator[tuple[str, Any, Any]]:
    """Give names, estimators and scalers."""
    yield "ridge", Ridge(), None
    yield "ridge_scaled", Ridge(), MinMaxScaler()
    yield "ridge_normal", Ridge(), make_pipeline(StandardScaler(), Normalizer())
    yield "ridge_binary", Ridge(), Binarizer(threshold=100.0)
    yield "forest", RandomForestRegressor(20, max_depth=6, random_state=0), None
    yield "extra", ExtraTreesRegressor(10, max_depth=6, random_state=0), None
    yield "boosting", GradientBoostingRegressor(n_estimators=30, random_state=0), None
    yield "histogram", HistGradientBoostingRegressor(max_iter=30, random_state=0), None
    yield "svr", SVR(), None
    yield "neighbors", KNeighborsRegressor(5), None
    yield "network", MLPRegressor(hidden_layer_sizes=(8,), max_iter=200, random_state=0), None
    members = [("tree", RandomForestRegressor(5, random_state=0)), ("ridge", Ridge())]
    yield "voting", VotingRegressor(members), None


def models() -> Iterator[Model]:
    """Give fitted models, and rows with their answers still to be had."""
    birds = penguins()
    texts = ["island", "sex"]
    rows = birds[[*BILL, *texts]].copy()
    rows[texts] = rows[texts].fillna("")
    for name, estimator, encoder in classifiers():
        for target in ("species", "is_gentoo"):
            known = birds["species"] if target == "species" else (birds["species"] == "Gentoo").astype(int)
            pipeline = make_pipeline(prepared(BILL, texts, None, encoder), estimator)
            yield f"{name}_{target}", pipeline.fit(rows, known), rows
    table = cars()
    numbers = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"]
    rows = table[[*numbers, "Origin"]].copy()
    for name, estimator, scaler in regressors():
        pipeline = make_pipeline(prepared(numbers, ["Origin"], scaler), estimator)
        yield f"{name}_consumption", pipeline.fit(rows, table["Miles_per_Gallon"]), rows


def fed(rows: pd.DataFrame) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    """Return the types of the inputs, and the inputs themselves, each of shape (rows, 1)."""
    types: list[tuple[str, Any]] = []
    given: dict[str, Any] = {}
    for name in rows.columns:
        texts = rows[name].dtype == object or str(rows[name].dtype).startswith("str")
        types.append((name, StringTensorType([None, 1]) if texts else FloatTensorType([None, 1])))
        held = rows[[name]].to_numpy()
        given[name] = held.astype(str) if texts else held.astype(np.float32)
    return types, given


def write(directory: Path, name: str, model: Any, rows: pd.DataFrame, **options: Any) -> None:
    """Write a model, its inputs and its answers."""
    types, given = fed(rows)
    found = to_onnx(model, initial_types=types, target_opset=OPSETS, **options)
    (directory / f"{name}.onnx").write_bytes(found.SerializeToString())
    # What ONNX is given is rounded to float32, and so is what scikit-learn answers for.
    exact = pd.DataFrame({key: value[:, 0] for key, value in given.items()})
    for key, value in given.items():
        exact[key] = (
            value[:, 0].astype(np.float64) if value.dtype == np.float32 else value[:, 0].astype(object)
        )
    ask: Callable[[Any], Any] = next(
        getattr(model, each)
        for each in ("predict_proba", "decision_function", "predict")
        if hasattr(model, each)
    )
    labels = np.asarray(getattr(model, "classes_", []))
    np.savez(
        directory / f"{name}.npz",
        answer=np.asarray(ask(exact), dtype=np.float64),
        labels=labels.astype(str) if labels.dtype.kind == "O" else labels,
        **{f"in:{key}": value for key, value in given.items()},
    )


def add_node(self: Any, kind: str, *args: Any, **attributes: Any) -> None:
    """Add a node; skl2onnx gives the nodes of histogram boosting as integers of numpy, which ONNX refuses."""
    plain = {
        key: np.asarray(value).tolist() if key.startswith("nodes_") and value is not None else value
        for key, value in attributes.items()
    }
    ADD_NODE(self, kind, *args, **plain)


ADD_NODE = ModelComponentContainer.add_node
ModelComponentContainer.add_node = add_node


def main(directory: Path) -> None:
    """Write all models."""
    for name, model, rows in models():
        options = {"options": {"zipmap": name.startswith("logistic_filled")}}
        write(directory, name, model, rows, **options if hasattr(model, "predict_proba") else {})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
