"""Rows that try a model where a translation of it may go wrong.

They are made when a model is compiled.  The golden rows of an artifact cannot serve: they are encoded
already, so that they say nothing of NULL, categories, times or casts, they are few, and they are rows of the
table, while translations go wrong between its rows: on a threshold, beyond a scale, in a category never seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from pgml.artifact.format import Artifact
from pgml.columns import INTEGERS, Column
from pgml.dataset import MISSING, Dataset
from pgml.preprocessing import Encoder
from pgml.preprocessing.base import Encoding
from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.categories import Keyed
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.numbers import Filled, NumberEncoding, QuantileEncoding
from pgml.preprocessing.texts import TfidfEncoding, WordEncoding
from pgml.sqlgen.proof import thresholds

Floats = npt.NDArray[np.float64]
CELLS = 60_000
"""Numbers and texts that all probe rows together hold, so that a wide model gets fewer rows."""
LEAST, MOST = 48, 400
"""Rows."""
SHARES = {"edge": 0.3, "extreme": 0.3, "null": 0.15}
"""Of the rows; the others are typical."""
STRANGE = 0.25
"""Of the rows that are there for numbers: how many of them hold a text that is not known."""
ALIKE = 4
"""Rows that come twice."""
LIMITS = {"smallint": 2.0**15, "integer": 2.0**31, "bigint": 2.0**63}
SECONDS = {
    "date": (86_400.0 * -2_314_000, 86_400.0 * 104_166_000),
    "timestamp": (-2.0e11, 9.0e12),
    "timestamptz": (-2.0e11, 9.0e12),
    "time": (0.0, 86_399.999999),
    "interval": (-9.0e12, 9.0e12),
}
"""The oldest and the farthest that PostgreSQL takes, or nearly, as epoch seconds."""
TINY = 1e-300
"""The smallest number beside 0; see `pgml.sqlgen.ranges.LEAST`."""
LARGE = (1e300, TINY, 2.0**53 + 2, 2.0**24 + 1, 1e39, 1e15, 1.0, 1e-5, 1e-30)
LARGE_SINGLE = (3.0e38, 1.0e-37, 2.0**24, 1e15, 1.0, 1e-5)


@dataclass
class Source:
    """What a number or text of a column may be: values for each purpose, taken in turn.

    Attributes
    ----------
    column : Column
    element : int
        Of an array, from 0.
    typical, edge, extreme : list
        Without NULL; an empty one stands for the typical ones.
    """

    column: Column
    element: int = 0
    typical: list[Any] = field(default_factory=list)
    edge: list[Any] = field(default_factory=list)
    extreme: list[Any] = field(default_factory=list)


def rows(artifact: Artifact) -> Dataset:
    """Return rows in the columns of a model, the same ones each time.

    Of each column NULL, what training never saw, each known category while there are rows for them,
    doubles on both sides of thresholds, edges and knots, the ends of its type, and values as they are
    common; a row that is all NULL, and rows that come twice.

    Parameters
    ----------
    artifact : Artifact
        Of a model that is served as a graph.
    """
    random = np.random.default_rng(0)
    encoder = Encoder.from_json(artifact.encoder)
    sources = list(_sources(encoder, artifact, random))
    count = int(np.clip(CELLS // max(len(sources), 1), LEAST, MOST))
    purposes = _purposes(count, sources, random)
    values = [_drawn(source, purposes[:, at], random) for at, source in enumerate(sources)]
    order = [*range(count), *range(0, count, max(1, count // ALIKE))]
    return _dataset(encoder.columns, sources, [[each[at] for at in order] for each in values])


def _purposes(count: int, sources: Sequence[Source], random: np.random.Generator) -> npt.NDArray[np.object_]:
    """Return what each number or text of each row is there for, shape (count, width)."""
    width = len(sources)
    found = np.full((count, width), "typical", dtype=object)
    found[0] = "null"
    at = 1
    for purpose, share in SHARES.items():
        part = found[at : at + int(share * count)]
        at += len(part)
        if purpose == "edge":
            part[random.random(part.shape) < 0.7] = purpose
            continue
        # One column at a time, or as many as it takes to have had all.
        units = _units(sources, whole=purpose == "null")
        for turn in range(max(len(units), len(part)) if units else 0):
            part[turn % len(part), units[turn % len(units)]] = purpose
    texts = np.array([source.column.is_category for source in sources], dtype=np.bool_)
    strange = texts & (random.random((count, width)) < STRANGE)
    found[strange & np.isin(found, ("typical", "edge"))] = "extreme"
    return found


def _units(sources: Sequence[Source], *, whole: bool) -> list[list[int]]:
    """Return positions of numbers and texts: each alone, and where `whole` those of each array together."""
    found = [[at] for at in range(len(sources))]
    if whole:
        arrays: dict[str, list[int]] = {}
        for at, source in enumerate(sources):
            if source.column.kind.shape == "array":
                arrays.setdefault(source.column.name, []).append(at)
        found += arrays.values()
    return found


def _drawn(source: Source, purposes: npt.NDArray[np.object_], random: np.random.Generator) -> list[Any]:
    """Return a value a row: for each purpose those there are in turn, mixed, and typical ones for none."""
    pools = {"typical": source.typical, "edge": source.edge, "extreme": source.extreme}
    turns: dict[str, Iterator[Any]] = {
        name: _turns(pool or source.typical, random, mixed=name != "extreme") for name, pool in pools.items()
    }
    return [None if purpose == "null" else next(turns[purpose]) for purpose in purposes]


def _turns(pool: Sequence[Any], random: np.random.Generator, *, mixed: bool) -> Iterator[Any]:
    """Give values without end, each as often as the others; not mixed, the first are sure to come."""
    while True:
        yield from (pool[at] for at in (random.permutation(len(pool)) if mixed else range(len(pool))))


def _sources(encoder: Encoder, artifact: Artifact, random: np.random.Generator) -> Iterator[Source]:
    """Give the source of each number and text, in the order of the columns."""
    compared = thresholds.of_matrix(ModelProto.FromString(artifact.graph), encoder.width)
    sides = thresholds.around(encoder, compared)
    golden = np.array(artifact.golden.get("matrix", []), dtype=np.float64).reshape(-1, encoder.width)
    start = 0
    for at, encoding in enumerate(encoder.encodings):
        inner = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        seen = golden[:, start : start + inner.width]
        start += encoding.width
        if encoding.column.is_category:
            yield _texts(inner, random)
            continue
        for element in range(encoding.column.width):
            near = sides.get((at, element), np.empty(0))
            yield _numbers(inner, element, seen, near, random)


def _numbers(
    encoding: Encoding, element: int, seen: Floats, near: Floats, random: np.random.Generator
) -> Source:
    """Return the source of one number of a column.

    Parameters
    ----------
    encoding : Encoding
    element : int
    seen : ndarray of shape (rows, width)
        Golden rows of its matrix columns.
    near : ndarray
        Doubles around thresholds.
    """
    column = encoding.column
    common, edges = _of_encoding(encoding, element, seen)
    both = np.concatenate((edges, near))
    if both.size > MOST:
        both = random.choice(both, MOST, replace=False)
    if near.size:
        # Between the thresholds of trees lies what they tell apart.
        common = np.concatenate((common, random.choice(near, min(near.size, 40), replace=False)))
    middle, spread = float(np.median(common)), float(np.ptp(common)) or 1.0
    common = np.concatenate((common, random.normal(middle, min(spread, 1e300), 20), common + spread / 7))
    fits = _fitted(column)
    return Source(
        column,
        element,
        typical=fits(common),
        edge=fits(np.concatenate((both, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)))),
        extreme=fits(_extremes(column)),
    )


def _of_encoding(encoding: Encoding, element: int, seen: Floats) -> tuple[Floats, Floats]:
    """Return raw numbers that are common, and those at which the encoding turns."""
    if isinstance(encoding, Keyed):
        known = np.array(encoding.categories, dtype=np.float64)
        return np.append(known, known.max(initial=0) + 1), known
    fill = np.array(encoding.fill[element : element + 1] if isinstance(encoding, Filled) else [0.0])
    if isinstance(encoding, NumberEncoding):
        center, scale = encoding.center[element], encoding.scale[element]
        back = seen[:, element] * scale + center
        steps = center + scale * np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
        return np.concatenate((back[np.isfinite(back)], steps, fill)), np.append(steps, fill)
    if isinstance(encoding, BinEncoding):
        edges = np.array(encoding.edges)
        return np.concatenate((edges, fill, edges + 1)), edges
    if isinstance(encoding, QuantileEncoding):
        knots = np.array(encoding.quantiles[element])
        return np.concatenate((knots, (knots[1:] + knots[:-1]) / 2, fill)), knots
    size = max(abs(float(fill[0])), 1.0)
    return fill + size * np.array([-2.0, -1.0, -0.5, 0.0, 0.3, 1.0, 2.0]), np.append(fill, 0.0)


def _extremes(column: Column) -> Floats:
    """Return the ends of a type, and numbers that are hard for others."""
    kind = column.type.removesuffix("[]")
    if column.kind.temporal:
        low, high = SECONDS[column.kind.temporal]
        return np.array([low, high, 0.0, 1.0, 86_399.0, 951_782_400.0, 4_102_444_800.0, -86_400.0])
    if kind in LIMITS:
        limit = LIMITS[kind]
        # The largest of a bigint is no double; as one it would be 2 ** 63.
        return np.array([-limit, limit - 1 if limit < 2**53 else limit - 1024, 0.0, 1.0, -1.0])
    if kind == "boolean":
        return np.array([0.0, 1.0])
    sizes = np.array(LARGE_SINGLE if kind == "real" else LARGE)
    return np.concatenate((np.stack((sizes, -sizes), axis=1).ravel(), [0.0, -0.0]))


def _fitted(column: Column) -> Callable[[Floats], list[float]]:
    """Return what makes of doubles those nearest, on both sides, that a column can hold."""
    kind = column.type.removesuffix("[]")

    def fits(values: Floats) -> list[float]:
        # Denormal numbers, below what SQL is asked to tell from 0, are left out.
        values = values[np.isfinite(values) & ((values == 0) | (np.abs(values) >= TINY))]
        low, high = _bounds(column)
        values = values.clip(low, high)
        if kind == "boolean":
            found = np.array([0.0, 1.0])
        elif kind in INTEGERS:
            found = np.stack((np.floor(values), np.ceil(values)), axis=1).ravel()
        elif kind == "date":
            found = 86_400.0 * np.concatenate((np.floor(values / 86_400), np.ceil(values / 86_400)))
        elif column.kind.temporal:
            found = np.concatenate((np.floor(values * 1e6), np.ceil(values * 1e6))) / 1e6
        elif kind == "real":
            found = _singles(values)
        else:
            found = values
        return list(dict.fromkeys(found.clip(low, high).tolist())) or [0.0]

    return fits


def _bounds(column: Column) -> tuple[float, float]:
    kind = column.type.removesuffix("[]")
    if column.kind.temporal:
        return SECONDS[column.kind.temporal]
    if kind in LIMITS:
        ends = _extremes(column)
        return float(ends.min()), float(ends.max())
    if kind == "boolean":
        return 0.0, 1.0
    return (-3.4e38, 3.4e38) if kind == "real" else (-1e300, 1e300)


def _singles(values: Floats) -> Floats:
    """Return the float32 numbers on both sides of doubles."""
    nearest = values.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    above = np.nextafter(nearest, np.float32(np.inf))
    found = np.concatenate((nearest, below, above)).astype(np.float64)
    # Smaller ones are denormal, which some databases make 0.
    return np.asarray(found[(found == 0) | (np.abs(found) > 1.2e-38)])


def _texts(encoding: Encoding, random: np.random.Generator) -> Source:
    """Return the source of a text column."""
    if isinstance(encoding, WordEncoding):
        return _sentences(encoding, random)
    assert isinstance(encoding, Keyed)
    known = [str(each) for each in encoding.categories][:MOST]
    near = [f(each) for each in known[:20] for f in (str.upper, str.swapcase, _longer, _shorter)]
    unseen = ["", " ", "never seen", "NULL", "'", '"', "%", "é", "Ä ß", "\\", "0", "a\nb"]
    others = [each for each in dict.fromkeys([*unseen, *near]) if encoding.column.type != "uuid"]
    return Source(encoding.column, 0, [*known, "never seen"], known or unseen, others)


def _longer(text: str) -> str:
    return text + "x"


def _shorter(text: str) -> str:
    return text[:-1]


def _sentences(encoding: WordEncoding, random: np.random.Generator) -> Source:
    """Return the source of a text whose words count: known words in many combinations, and other signs."""
    known = list(encoding.words[:MOST]) if isinstance(encoding, TfidfEncoding) else ["one", "two", "three"]
    known = known or ["one"]
    few = [random.choice(known, size=random.integers(1, 9)).tolist() for _ in range(60)]
    signs = [" ", ", ", "-", ". ", "\n", "  "]
    typical = [signs[at % len(signs)].join(words) for at, words in enumerate(few)]
    joined = [known[0] + known[-1], known[0] + "_", known[0] + "1", f"({known[0]})", known[0].upper()]
    odd = ["", " ", "...", "never seen words", "é", "'", "\\", "%", "a_b", *joined]
    return Source(encoding.column, 0, typical, [*known, *joined], odd)


def _dataset(columns: Sequence[Column], sources: Sequence[Source], values: Sequence[list[Any]]) -> Dataset:
    """Return rows from a list of values for each number and text, None being NULL."""
    count = len(values[0]) if values else 1
    numbers, codes, categories = [], [], []
    for source, each in zip(sources, values, strict=True):
        if source.column.is_category:
            texts = sorted({text for text in each if text is not None})
            place = {text: at for at, text in enumerate(texts)}
            codes.append([MISSING if text is None else place[text] for text in each])
            categories.append(texts)
        else:
            numbers.append([np.nan if value is None else value for value in each])
    return Dataset(
        list(columns),
        np.array(numbers, dtype=np.float64).reshape(len(numbers), count).T.copy(),
        np.array(codes, dtype=np.int32).reshape(len(codes), count).T,
        categories,
    )
