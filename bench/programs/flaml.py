"""FLAML, in an environment that has it, and the tables that packages of that environment hold.

``python flaml.py tables DIRECTORY`` writes ``penguins.csv`` and ``cars.csv`` there.
``python flaml.py fit DIRECTORY TASK SECONDS`` reads ``train.csv`` and ``test.csv`` there, the target being
their last column, and prints accuracy or r2 of the test rows, what was found, and the seconds it took.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def tables(directory: Path) -> None:
    """Write two tables of numbers and texts with missing values; the target comes last."""
    import palmerpenguins
    from vega_datasets import local_data

    penguins = palmerpenguins.load_penguins()
    penguins["species"] = penguins.pop("species")
    penguins.to_csv(directory / "penguins.csv", index=False)
    cars = local_data.cars().dropna(subset=["Miles_per_Gallon"])
    cars["Year"] = cars["Year"].dt.year
    cars["Miles_per_Gallon"] = cars.pop("Miles_per_Gallon")
    cars.columns = [name.lower() for name in cars.columns]
    cars.to_csv(directory / "cars.csv", index=False)


def fit(directory: Path, task: str, seconds: float) -> dict[str, Any]:
    """Return what FLAML comes to in so many seconds."""
    import pandas as pd
    from flaml import AutoML
    from sklearn import metrics

    train = pd.read_csv(directory / "train.csv")
    test = pd.read_csv(directory / "test.csv")
    *features, target = train.columns
    for name in features:
        if not pd.api.types.is_numeric_dtype(train[name]):
            known = pd.concat([train[name], test[name]]).dropna().unique()
            for part in (train, test):
                part[name] = pd.Categorical(part[name], categories=known)
    started = time.perf_counter()
    search = AutoML()
    search.fit(
        train[features],
        train[target],
        task=task,
        time_budget=seconds,
        metric="accuracy" if task == "classification" else "r2",
        seed=1,
        verbose=0,
    )
    took = time.perf_counter() - started
    score = metrics.accuracy_score if task == "classification" else metrics.r2_score
    found = score(test[target], search.predict(test[features]))
    return {"score": float(found), "found": str(search.best_estimator), "seconds": took}


if __name__ == "__main__":
    if sys.argv[1] == "tables":
        tables(Path(sys.argv[2]))
    else:
        print(json.dumps(fit(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))))
