"""Sample tables, from the files that scikit-learn ships."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """A sample table.

    Attributes
    ----------
    loader : str
        Name of the function in `sklearn.datasets`.
    columns : sequence of (name, SQL type)
    rows : callable
        From what the loader returns to the rows, in the order of `columns`.
    """

    loader: str
    columns: Sequence[tuple[str, str]]
    rows: Callable[[Any], list[list[Any]]]


def _floats(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, "float8") for name in names]


def _features_and_target(data: Any) -> list[list[Any]]:
    return [[*row, y] for row, y in zip(data.data.tolist(), data.target.tolist(), strict=True)]


def _digits(data: Any) -> list[list[Any]]:
    return [
        [[int(dot) for dot in row], y]
        for row, y in zip(data.data.tolist(), data.target.tolist(), strict=True)
    ]


def _breast_cancer(data: Any) -> list[list[Any]]:
    return [[*row, y == 0] for row, y in zip(data.data.tolist(), data.target.tolist(), strict=True)]


def _linnerud(data: Any) -> list[list[Any]]:
    return [
        [int(number) for number in row]
        for row in [*map(list.__add__, data.data.tolist(), data.target.tolist())]
    ]


_CELL = (
    "radius", "texture", "perimeter", "area", "smoothness",
    "compactness", "concavity", "concave points", "symmetry", "fractal dimension",
)  # fmt: skip
_WINE = (
    "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
    "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue",
    "od280/od315_of_diluted_wines", "proline",
)  # fmt: skip
SOURCES: Mapping[str, Source] = {
    "diabetes": Source(
        "load_diabetes",
        _floats(["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "target"]),
        _features_and_target,
    ),
    "iris": Source(
        "load_iris",
        [*_floats(["sepal_length", "sepal_width", "petal_length", "petal_width"]), ("target", "int")],
        _features_and_target,
    ),
    "digits": Source("load_digits", [("image", "smallint[]"), ("target", "smallint")], _digits),
    "wine": Source("load_wine", [*_floats(_WINE), ("target", "int")], _features_and_target),
    "breast_cancer": Source(
        "load_breast_cancer",
        [
            *_floats([f"mean {name}" for name in _CELL]),
            *_floats([f"{name} error" for name in _CELL]),
            *_floats([f"worst {name}" for name in _CELL]),
            ("malignant", "boolean"),
        ],
        _breast_cancer,
    ),
    "linnerud": Source(
        "load_linnerud",
        [(name, "int") for name in ("chins", "situps", "jumps", "weight", "waist", "pulse")],
        _linnerud,
    ),
}


def load(
    arguments: Mapping[str, Any], dataset: Dataset | None, tell: Callable[[dict[str, Any]], Any]
) -> tuple[dict[str, Any], bytes]:
    """Return the rows of ``arguments["source"]``, as a job of the child process."""
    from sklearn import datasets

    source = SOURCES[arguments["source"]]
    rows = source.rows(getattr(datasets, source.loader)())
    return {"rows": rows[: arguments["limit"]]}, b""
