"""Tables with all that boosted trees take, and what pgml makes of the files of those who fitted them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from palmerpenguins import load_penguins
from vega_datasets import local_data

from pgml.artifact.format import pack
from pgml.dataset import Dataset
from pgml.exchange import assembly
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.inference import Predictor
from tests.unit import builders, statements

Read = Callable[[bytes, Wanted], Foreign]
TEXTS = ("ash", "birch", "Cedar", "douglas fir", "elm's", 'f"g', "größe", "h", "i", "j", "k", "l", "")
NUMBERS = (3, 10, 20, 35, 70)


def frame(
    rows: int = 10_000, seed: int = 0, missing: float = 0.1, texts: Sequence[str] = TEXTS
) -> pd.DataFrame:
    """Return numbers, a boolean, and categories that are texts and numbers, with holes."""
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "size": rng.normal(size=rows),
            "age": rng.integers(0, 90, rows),
            "old": rng.random(rows) < 0.5,
            "tree": pd.Categorical(rng.choice(texts, rows), categories=texts),
            "zone": pd.Categorical(rng.choice(NUMBERS, rows), categories=NUMBERS),
            "price": rng.exponential(size=rows),
        }
    )
    for name in ("size", "tree", "zone", "price"):
        found.loc[rng.random(rows) < missing, name] = None
    return found


def signal(table: pd.DataFrame, seed: int = 1) -> npt.NDArray[np.float64]:
    """Return a number that depends on all of a table's columns, and on which are missing."""
    rng = np.random.default_rng(seed)
    size, price = (table[name].to_numpy(dtype=float, na_value=np.nan) for name in ("size", "price"))
    tree = table["tree"].cat.codes.to_numpy()
    zone = table["zone"].cat.codes.to_numpy()
    effects = rng.normal(size=len(TEXTS) + 1)[tree] + rng.normal(size=len(NUMBERS) + 1)[zone]
    numbers = np.nan_to_num(size, nan=0.7) + 0.02 * table["age"].to_numpy() * table["old"].to_numpy()
    return np.asarray(
        effects + numbers + np.log1p(np.nan_to_num(price, nan=3.0)) + rng.normal(size=len(table)) / 3
    )


def dataset(table: pd.DataFrame, columns: Sequence[Any]) -> Dataset:
    """Return the rows as pgml reads them, for the columns of a model."""
    given: dict[str, tuple[str, list[Any]]] = {}
    for column, name in zip(columns, table.columns, strict=True):
        values = table[name]
        if column.is_category:
            given[column.name] = column.type, [None if pd.isna(each) else str(each) for each in values]
        else:
            given[column.name] = column.type, [None if pd.isna(each) else float(each) for each in values]
    return builders.dataset(given)


class Imported:
    """A file that was read, and the model of pgml that it became."""

    def __init__(self, read: Read, data: bytes, **wanted: Any) -> None:
        self.foreign = read(data, Wanted(**wanted))
        targets = assembly.target_names(self.foreign, None)
        self.model = pack(assembly.artifact(self.foreign, Wanted(**wanted), targets, 1 << 26))
        self.predictor = Predictor(self.model)

    def outputs(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        return self.predictor.outputs(dataset(table, self.predictor.columns))

    def labels(self, table: pd.DataFrame) -> list[Any]:
        codes = self.predictor.codes(self.outputs(table))
        return [self.predictor.labels[code] for code in codes]

    def check_sql(self, table: pd.DataFrame, tolerance: float = 1e-6) -> None:
        """Assert that SQL decides alike, and gives the same numbers."""
        rows = dataset(table, self.predictor.columns)
        wrong, difference = statements.difference(self.model, rows)
        assert wrong == 0
        assert difference <= tolerance


def far(found: Any, expected: Any) -> float:
    """Return the largest difference, relative to the largest number."""
    found, expected = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def real(name: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return a table that people made, its texts as categories, and three classes to tell apart."""
    if name == "penguins":
        rows = load_penguins()
        classes, rows = rows.pop("species"), rows.drop(columns="year")
    else:
        rows = pd.read_json(local_data.cars.filepath)
        classes, rows = rows.pop("Origin"), rows.drop(columns=["Year"])
        rows["Cylinders"] = rows["Cylinders"].astype("category")
        rows["Name"] = rows["Name"].str.partition(" ")[0]
    for column in rows.columns:
        if not pd.api.types.is_numeric_dtype(rows[column]):
            rows[column] = rows[column].astype("category")
    return rows, classes.astype("category").cat.codes.to_numpy(dtype=np.int64)
