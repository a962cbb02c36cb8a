"""Writing models of XGBoost and LightGBM as ONNX, with what they answer; run by Python with the frameworks.

Called with the name of a directory.  Writes there for each model ``NAME.onnx`` and ``NAME.npz`` with its
``rows`` and its ``answer``: probabilities or values.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_diabetes, load_iris
from xgboost import XGBClassifier, XGBRegressor


def models() -> Iterator[tuple[str, Any, Any, Any]]:
    """Give names, fitted models, rows and what converts them."""
    flowers, kind = load_iris(return_X_y=True)
    flowers = flowers.astype(np.float32)
    flowers[::7, 1] = np.nan
    people, value = load_diabetes(return_X_y=True)
    people = people.astype(np.float32)
    for name, target in (("classes", kind), ("two", (kind == 1).astype(int))):
        yield f"xgboost_{name}", XGBClassifier(n_estimators=8).fit(flowers, target), flowers, convert_xgboost
        booster = LGBMClassifier(n_estimators=8, verbose=-1).fit(flowers, target)
        yield f"lightgbm_{name}", booster, flowers, convert_lightgbm
    yield "xgboost_value", XGBRegressor(n_estimators=15).fit(people, value), people, convert_xgboost
    yield (
        "lightgbm_value",
        LGBMRegressor(n_estimators=15, verbose=-1).fit(people, value),
        people,
        convert_lightgbm,
    )
    random = np.random.default_rng(0)
    coded = np.column_stack([random.integers(0, 9, len(flowers)), flowers[:, 1:3]]).astype(np.float32)
    fine = LGBMRegressor(n_estimators=15, verbose=-1, min_data_per_group=1, cat_smooth=1, min_child_samples=3)
    fine.fit(coded, kind + coded[:, 0] % 2, categorical_feature=[0])
    yield "lightgbm_categories", fine, coded, convert_lightgbm


def main(directory: Path) -> None:
    """Write all models."""
    for name, model, rows, convert in models():
        types = [("rows", FloatTensorType([None, rows.shape[1]]))]
        found = convert(model, initial_types=types, target_opset=15)
        (directory / f"{name}.onnx").write_bytes(found.SerializeToString())
        answer = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)
        np.savez(directory / f"{name}.npz", rows=rows, answer=answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
