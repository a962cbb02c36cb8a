"""Random pipelines: tables as nobody would make them, plans for their columns, and rows that try a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from pgml import algorithms, target, training
from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

Floats = npt.NDArray[np.float64]
Random = np.random.Generator
NAMES = (
    *("a", "B", "select", "order", "row", "Name with blanks", 'quo"te', "it's", "back\\slash", "Ünï", "ünï2"),
    *("features", "layer_1", "step", "votes", "refused", "prediction", "x" * 80, "x" * 79 + "y", "1", "a.b"),
    *("line\nbreak", "--", "%s", "{}", "$1", "é" * 40, "rowid", "null", "position", "points"),
)
TEXTS = (
    *(
        "pro",
        "Pro",
        "PRO",
        "",
        " ",
        "pro ",
        "it's",
        'a "quote"',
        "back\\slash",
        "\\'",
        "Zoë",
        "ZOË",
        "Zoe\u0308",
    ),
    *(
        "line\nbreak",
        "tab\t",
        "null",
        "NULL",
        "1",
        "1.0",
        "true",
        "x" * 3000,
        "%s",
        "{}",
        "--",
        ";",
        "😀",
        "\u202e",
    ),
)
LIMITS: Mapping[str, tuple[float, float]] = {
    "smallint": (-(2.0**15), 2.0**15 - 1),
    "integer": (-(2.0**31), 2.0**31 - 1),
    "bigint": (-(2.0**63), 2.0**63),
    "boolean": (0, 1),
    "date": (-2.1e11, 9.2e12),
    "time without time zone": (0, 86_400),
    "timestamp without time zone": (-2.1e11, 9.2e12),
    "timestamp with time zone": (-2.1e11, 9.2e12),
    "interval": (-5e15, 5e15),
}
FAR = (1e300, -1e300, 1e-300, -1e-300, 0.0, -0.0, 1.0, 3.5e38, -3.5e38, 1e-45, 2.0**53 + 2, 1.7e9)
FAR_SINGLE = (3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45, 0.0, 16777217.0)
ARRAYS = ("double precision[]", "integer[]", "real[]")
TYPES = (
    *LIMITS,
    "real",
    "double precision",
    "double precision",
    "numeric",
    "text",
    "text",
    "enum",
    "uuid",
    *ARRAYS,
)
SMALL: Mapping[str, Any] = {
    "n_estimators": 4,
    "iterations": 4,
    "n_clusters": 3,
    "n_components": 2,
    "hidden_layer_sizes": [5],
    "max_iter": 60,
}
"""What makes models small, where an algorithm has it."""
OWN: Mapping[str, Mapping[str, Any]] = {
    "birch": {},
    "catboost": {"iterations": 4},
    "hist_gradient_boosting": {"max_iter": 4},
    "huber": {"max_iter": 1000},
    "linear": {},
    "automatic_relevance_determination": {},
    "gaussian_mixture": {"n_components": 2},
}


@dataclass(frozen=True, repr=False)
class Pipeline:
    """A table, and what is to be made of it."""

    rows: Dataset
    spec: FitSpec
    seed: int

    def __repr__(self) -> str:
        types = {column.name: column.type for column in self.rows.columns}
        return f"{self.spec.task}, {self.spec.algorithm}, {types}, {self.spec.preprocess}, seed {self.seed}"

    def fitted(self) -> bytes:
        return training.fit(self.spec, target.known(self.rows, self.spec.targets))[1]


def every() -> list[tuple[str, str]]:
    """Return each task with each algorithm that is served as a graph."""
    tasks = ("regression", "classification", "clustering", "decomposition", "anomaly", "autoencoder")
    return [
        (task, name)
        for task in tasks
        for name in algorithms.names(task)
        if algorithms.find(name, task).serving == "onnx"
    ]


@st.composite
def pipelines(draw: st.DrawFn, cases: Sequence[tuple[str, str]]) -> Pipeline:
    """Draw a table of 60 to 200 rows, a plan for some of its columns, and an algorithm."""
    task, name = draw(st.sampled_from(cases))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(60, 200))
    wide = 1 if name == "isotonic" else draw(st.integers(1, 5))
    types = [draw(st.sampled_from(TYPES)) for _ in range(wide)]
    if name == "isotonic":
        types = [draw(st.sampled_from([*LIMITS, "double precision"]))]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=wide, max_size=wide, unique_by=str.lower))
    shares = [draw(st.sampled_from([0.0, 0.05, 0.5])) for _ in types]
    given = {
        column: (kind, values(kind, count, share, random))
        for column, kind, share in zip(names, types, shares, strict=True)
    }
    spoken = {column: plan for column, kind in zip(names, types, strict=True) if (plan := draw(plans(kind)))}
    if name == "isotonic":
        spoken = {}
    targets: list[str] = []
    if task in ("regression", "classification"):
        targets = ["the target"]
        given["the target"] = outcome(task, given, random)
    rows = builders.dataset(given)
    recipe = Recipe(0.25, 0, tuple(names))
    known = {each.name for each in algorithms.find(name, task).parameters(task)}
    small = OWN.get(name, {key: value for key, value in SMALL.items() if key in known})
    if "max_depth" in known and name != "catboost":
        small = {**small, "max_depth": draw(st.integers(1, 6))}
    spec = FitSpec(task, targets, names, name, small, 0, recipe, 64 << 20, 1, preprocess=spoken)
    return Pipeline(rows, spec, int(random.integers(2**32)))


@st.composite
def plans(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw what is said of a column: nothing, or what its type allows."""
    column = Column("x", kind)
    found: dict[str, Any] = {}
    if draw(st.booleans()):
        return found
    if column.is_category:
        encode = draw(st.sampled_from([None, "one_hot", "one_hot"]))
        impute = draw(st.sampled_from([None, "mode", {"constant": "it's new"}]))
    elif column.kind.shape == "array":
        encode = None
        impute = draw(st.sampled_from([None, "mean", "min", "zero"]))
    else:
        encode = draw(st.sampled_from([None, None, "bins", "one_hot", {"bins": 3}]))
        if column.kind.temporal not in (None, "interval") and draw(st.booleans()):
            encode = "cyclic"
        impute = draw(st.sampled_from([None, "mode", "max", "zero", {"constant": 2}]))
    if not column.is_category and encode is None:
        scale = [None, "preserve", "standard", "min_max", "max_abs", "robust", "power", "quantile"]
        found["scale"] = draw(st.sampled_from(scale))
    found |= {"encode": encode, "impute": impute, "indicator": draw(st.booleans())}
    return {key: value for key, value in found.items() if value is not None}


def values(kind: str, count: int, share: float, random: Random) -> list[Any]:
    """Return values of a type, some of them NULL."""
    column = Column("x", kind)
    null = random.random(count) < share
    null[:4] = False
    if column.is_category:
        pool = [*TEXTS] if random.random() < 0.5 else [f"city {at}" for at in range(90)]
        few = random.choice(len(pool), size=int(random.integers(1, min(len(pool), 80))), replace=False)
        found: list[Any] = [pool[at] for at in random.choice(few, size=count)]
    elif column.kind.shape == "array":
        width = int(random.integers(1, 4))
        numbers = np.column_stack([_numbers(kind.removesuffix("[]"), count, random) for _ in range(width)])
        found = numbers.tolist()
    else:
        found = _numbers(kind, count, random).tolist()
    return [None if hole else value for hole, value in zip(null, found, strict=True)]


DRAWS: Sequence[Callable[[Random, int], Floats]] = (
    lambda random, count: random.normal(size=count),
    lambda random, count: random.normal(size=count) * 100 + 1000,
    lambda random, count: random.lognormal(2, 2, count),
    lambda random, count: random.integers(0, 4, count).astype(np.float64),
    lambda random, count: np.round(random.normal(size=count) * 3, 1),
    lambda random, count: 1.7e9 + random.integers(0, 10**7, count).astype(np.float64),
    lambda random, count: np.full(count, 7.0),
)


def _numbers(kind: str, count: int, random: Random) -> Floats:
    found = DRAWS[int(random.integers(len(DRAWS)))](random, count)
    return as_type(kind, found)


def as_type(kind: str, numbers: Floats) -> Floats:
    """Return numbers as a column of a type holds them."""
    element = kind.removesuffix("[]")
    if element == "real":
        return numbers.astype(np.float32).astype(np.float64)
    if element not in LIMITS:
        return numbers
    if element == "boolean":
        return (numbers > np.median(numbers)).astype(np.float64)
    low, high = LIMITS[element]
    found = numbers.clip(low, high)
    if element == "date":
        return np.floor(found / 86_400) * 86_400
    return np.rint(found) if element in ("smallint", "integer", "bigint") else found.round(6)


def outcome(task: str, given: Mapping[str, tuple[str, list[Any]]], random: Random) -> tuple[str, list[Any]]:
    """Return a target that depends on the features, and a little on nothing."""
    kind, first = next(iter(given.values()))
    if Column("x", kind).is_category:
        texts = sorted({each for each in first if each is not None})
        level = np.array([-1.0 if each is None else texts.index(each) % 3 for each in first])
    else:
        matrix = np.array([np.nan if each is None else np.ravel(each)[0] for each in first], dtype=np.float64)
        known = matrix[~np.isnan(matrix)]
        level = np.nan_to_num((matrix - known.mean()) / (known.std() or 1.0))
    level = level + random.normal(size=len(level)) * 0.5
    if task == "regression":
        return "double precision", (
            np.exp(level.clip(-3, 3)) if random.random() < 0.5 else level + 5
        ).tolist()
    parts = int(random.integers(2, 5))
    codes = np.searchsorted(np.quantile(level, np.arange(1, parts) / parts), level)
    codes[: 3 * parts] = np.arange(3 * parts) % parts
    kind = str(random.choice(["text", "integer", "boolean"] if parts == 2 else ["text", "integer"]))
    if kind == "text":
        return kind, [TEXTS[code] for code in codes.tolist()]
    return kind, [float(code) for code in codes.tolist()]


def probes(pipeline: Pipeline, random: Random) -> Dataset:
    """Return rows that try a model: next to values of training, at the ends of a type, NULL, never seen."""
    count = 120
    given: dict[str, tuple[str, list[Any]]] = {}
    for name in pipeline.spec.features:
        column = pipeline.rows.find(name)
        if column.is_category:
            codes, texts = pipeline.rows.coded(name)
            seen = [texts[code] for code in codes if code != MISSING]
            pool = [*seen[:40], *TEXTS, "never seen", "it's new", None]
            given[name] = column.type, [pool[at] for at in random.integers(len(pool), size=count)]
            continue
        known = pipeline.rows.values(name)
        parts = [_tried(column, known[:, at], count, random) for at in range(column.width)]
        rows = np.column_stack(parts).tolist()
        if column.kind.shape != "array":
            given[name] = column.type, [None if row[0] != row[0] else row[0] for row in rows]
        else:
            given[name] = column.type, rows
    return builders.dataset(given)


def _tried(column: Column, known: Floats, count: int, random: Random) -> Floats:
    known = known[~np.isnan(known)]
    element = column.type.removesuffix("[]")
    near = [np.nextafter(known, -np.inf), np.nextafter(known, np.inf), known]
    step = random.choice(known, size=(2, 40))
    pool = [*near, step.mean(axis=0), known + 1, np.zeros(1)]
    if element == "real":
        single = known.astype(np.float32)
        pool = [
            np.nextafter(single, way).astype(np.float64) for way in map(np.float32, (-np.inf, np.inf))
        ] + pool
    numbers = random.choice(np.concatenate(pool), size=count)
    is_truth = element == "boolean"
    numbers = random.choice([0.0, 1.0], size=count) if is_truth else as_type(element, numbers)
    far = np.array(FAR_SINGLE if element == "real" else LIMITS.get(element, FAR))
    wild = random.random(count) < 0.1
    numbers[wild] = random.choice(far, size=int(wild.sum()))
    numbers[random.random(count) < 0.15] = np.nan
    return numbers
