"""Every encoding in an ONNX file gives the very matrix that it gives here, from raw columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pgml import preprocessing
from pgml.dataset import Dataset
from pgml.errors import NotBuilt
from pgml.exchange.onnx.writing import onnx_of
from pgml.preprocessing import Encoder, Family, checked
from pgml.preprocessing.numbers import PowerEncoding
from pgml.preprocessing.times import CyclicEncoding
from tests.unit import builders, exported, test_dirty_table

Floats = npt.NDArray[Any]
RANDOM = np.random.default_rng(8)
ROWS = 90
CURVE = 1e-12
"""By what share of it a curve of a power scale may differ, at numbers up to 1e300."""
CIRCLE = 1e-15
"""By how much a sine or cosine may differ."""


@dataclass(frozen=True)
class Case:
    """Columns, what is said of them, and for which matrix."""

    columns: Mapping[str, tuple[str, Sequence[Any]]]
    said: Mapping[str, Any]
    later: Mapping[str, tuple[str, Sequence[Any]]] = field(default_factory=dict)
    scaled: bool = False
    passing: bool = False
    classes: int = 0

    def __str__(self) -> str:
        types = ",".join(kind for kind, _ in self.columns.values())
        return f"{types} {self.said}{' scaled' * self.scaled}{' passing' * self.passing}"[:90]


def holed(values: Sequence[Any], share: float = 0.1) -> list[Any]:
    """Return values of which some are NULL."""
    return [None if RANDOM.random() < share else value for value in values]


SKEWED = np.round(np.exp(RANDOM.normal(size=ROWS)) - 0.7, 2).tolist()
SECONDS = (1.7e9 + RANDOM.integers(-(10**9) * 2, 10**7, ROWS) + 0.25).tolist()
LATER = [-1e300, -1e6, -0.0, 0.0, 0.5, 1e-9, 17.5, 1e6, 1e300, 5e-324, None]
AGAIN = [None, -1.5, -86_400.0, 0.0, 1.7e9, 253_402_300_799.0, -62_135_596_800.0]
WORDS = [str(each) for each in RANDOM.choice(["red", "green", "it's", "", "Ünï ", "é\n'\".;"], size=ROWS)]
FEW = RANDOM.choice([1.0, 2.0, np.nextafter(2.0, 3.0), -7.5, 1e300], size=ROWS).tolist()
ARRAYS = RANDOM.normal(3, 2, size=(ROWS, 3)).round(1).tolist()
NEW_WORDS = [None, "never seen", "", "red ", "red", "\u00fc"]
NEW_FEW = [None, 2.0, 2.0000001, np.nextafter(2.0, 0.0), 0.0, -7.5, 1e300, -1e300]


def number(said: Any, kind: str = "double precision", **more: Any) -> Case:
    later = [each for each in LATER if kind != "real" or each is None or abs(each) < 1e38]
    return Case({"a": (kind, holed(SKEWED))}, {"a": said}, {"a": (kind, later)}, **more)


def text(said: Any, **more: Any) -> Case:
    return Case({"a": ("text", holed(WORDS))}, {"a": said}, {"a": ("text", NEW_WORDS)}, **more)


def few(said: Any, **more: Any) -> Case:
    return Case({"a": ("numeric", holed(FEW))}, {"a": said}, {"a": ("numeric", NEW_FEW)}, **more)


def moment(said: Any, kind: str = "timestamp with time zone") -> Case:
    return Case({"a": (kind, holed(SECONDS))}, {"a": said}, {"a": (kind, AGAIN)})


def array(said: Any, **more: Any) -> Case:
    values = [[None, 1.0, None], [1e300, -5.0, 2.0], None]
    later = {"a": ("double precision[]", [[np.nan if one is None else one for one in each or [None] * 3]
                                          for each in values])}  # fmt: skip
    return Case({"a": ("double precision[]", holed(ARRAYS))}, {"a": said}, later, **more)


SCALES = ("preserve", "standard", "min_max", "max_abs", "robust", "power", "quantile")
ORDER = {"ordinal": ["red", "green", "it's", "", "é\n'\".;", "Ünï "]}
RANKS = {"ordinal": [2, 1, -7.5, 2.0000000000000004, 1e300]}
CASES = [
    *(number({"scale": scale}) for scale in SCALES),
    *(number({"scale": scale, "indicator": True}, passing=True) for scale in SCALES),
    *(array({"scale": scale, "indicator": True, "impute": "median"}) for scale in SCALES),
    *(number({"impute": impute}) for impute in ("mean", "mode", "min", "max", "zero", {"constant": -3})),
    number({"scale": "standard"}, kind="real"),
    number({"scale": "quantile", "impute": "zero"}, kind="real", scaled=True),
    number({}, scaled=True),
    array({}, passing=True),
    *(number({"encode": {"bins": bins}}) for bins in (2, 7, [0, 0.5, 1], [-1e300, 1e300], [0.0])),
    number({"encode": {"bins": 4}, "indicator": True}, passing=True),
    *(moment({"encode": "cyclic"}, kind) for kind in ("timestamp without time zone", "date")),
    moment({"encode": "cyclic"}, "time without time zone"),
    moment({"encode": "cyclic", "indicator": True, "impute": "min"}),
    moment({"scale": "standard"}, "interval"),
    *(text({"encode": encode}) for encode in ("one_hot", ORDER, "target")),
    *(text({"encode": encode, "indicator": True}, passing=True) for encode in ("one_hot", ORDER, "target")),
    text({"encode": "one_hot", "impute": {"constant": "none"}}),
    text({"encode": ORDER, "scale": "standard"}, passing=True),
    text({"encode": "target", "scale": "min_max"}, classes=3),
    *(few({"encode": encode}) for encode in ("one_hot", "target", RANKS)),
    *(few({"encode": encode, "indicator": True}, passing=True) for encode in ("one_hot", "target")),
    Case({"a": ("boolean", holed([1.0, 0.0, 0.0] * 30))}, {"a": {"encode": "one_hot"}}),
    Case({"a": ("text", [None] * 9)}, {"a": {"encode": "one_hot"}}, {"a": ("text", ["x", None])}),
    Case({"a": ("integer", [None] * 9)}, {"a": {"scale": "quantile"}}, {"a": ("integer", [1, None])}),
    Case({"a": ("text", [f"city {n}" for n in range(80)])}, {"a": {"encode": "one_hot"}}),
    Case({"a": ("integer", list(range(80)))}, {"a": {"encode": "one_hot"}}, {"a": ("integer", [99, 0.5])}),
    Case({"a": ("double precision", [0.0, 0.0, 1.0, 2.0, 2.0])}, {"a": {"scale": "quantile"}},
         {"a": ("double precision", [-1, 0, 5e-324, 0.3, 1, 1.7, 2, 3])}),
    Case({"a": ("double precision", [1e300, -1e300, 1.0])}, {"a": {"scale": "standard"}}),
    Case({"a": ("double precision", [5e-324, 0.0])}, {"a": {"scale": "quantile"}}),
]  # fmt: skip


def fitted(case: Case, dtype: str) -> tuple[Encoder, Dataset]:
    data = read(case.columns)
    family = Family(scaled=case.scaled, takes_missing=case.passing, dtype=dtype)
    target = RANDOM.integers(0, case.classes or 9, len(data)).astype(np.float64)
    plans = checked(case.said, data.columns, ("y",))
    encoder, _ = preprocessing.fit(data, data.columns, family, plans, target, case.classes)
    return encoder, data


def rows_of(case: Case, kind: str) -> Dataset:
    return builders.dataset(case.columns if kind == "trained" else case.later or case.columns)


def read(columns: Mapping[str, tuple[str, Sequence[Any]]]) -> Dataset:
    """Return rows as a relation has them: real numbers are rounded there."""
    data = builders.dataset(columns)
    for name, (kind, _) in columns.items():
        if kind == "real":
            data.values(name)[:] = data.values(name).astype(np.float32)
    return data


NUMBERED = [(at, dtype) for at in range(len(CASES)) for dtype in ("float32", "float64")]
Made = Mapping[tuple[int, str, str], tuple[Encoder, Floats, Floats]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Encoder, matrix here and matrix there of each case."""
    encoders = {key: fitted(CASES[key[0]], key[1])[0] for key in NUMBERED}
    wanted = [(*key, kind) for key in NUMBERED for kind in ("trained", "later")]
    models = [(exported.matrix(encoders[at, dtype]), rows_of(CASES[at], kind)) for at, dtype, kind in wanted]
    answers = exported.run(models, tmp_path_factory.mktemp("encodings"))
    found = {}
    for key, answer in zip(wanted, answers, strict=True):
        encoder, case = encoders[key[:2]], CASES[key[0]]
        rows = read(case.columns if key[2] == "trained" else case.later or case.columns)
        found[key] = encoder, encoder.encode(rows).astype(np.float64), answer.outputs["components"]
    return found


@pytest.mark.parametrize("kind", ["trained", "later"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", [pytest.param(at, id=str(case)) for at, case in enumerate(CASES)])
def test_the_file_encodes_as_training_does(made: Made, at: int, dtype: str, kind: str) -> None:
    encoder, expected, found = made[at, dtype, kind]
    assert found.shape == expected.shape
    start = 0
    for encoding in encoder.encodings:
        own = getattr(encoding, "of", encoding)
        columns = slice(start, start + encoding.width)
        here, there = expected[:, columns], found[:, columns]
        if isinstance(own, PowerEncoding):
            assert_curves_are_near(own, there, here, dtype)
        elif isinstance(own, CyclicEncoding):
            np.testing.assert_allclose(there, here, rtol=0, atol=CIRCLE if dtype == "float64" else 1e-7)
        else:
            np.testing.assert_array_equal(there, here)
        start += encoding.width


def assert_curves_are_near(own: PowerEncoding, there: Floats, here: Floats, dtype: str) -> None:
    """Logarithms and powers come from another library, and of what they give there is a difference."""
    line = np.abs(np.array(own.center) / np.array(own.scale))
    bent = np.abs(here[:, : own.width]) + line
    most = CURVE * bent if dtype == "float64" else 2.0**-22 * bent
    near = np.abs(there - here)[:, : own.width] <= most
    assert (near | (np.isnan(there) & np.isnan(here))[:, : own.width]).all()
    np.testing.assert_array_equal(there[:, own.width :], here[:, own.width :])


def test_a_table_of_all_kinds_is_one_matrix(tmp_path: Path) -> None:
    data = test_dirty_table.data()
    said = {
        "color": {"encode": "target"},
        "day": {"encode": "cyclic"},
        "seen": {"scale": "standard", "indicator": True},
        "amount": {"scale": "quantile"},
        "epoch": {"encode": {"bins": 5}},
        "paid": {"encode": "one_hot"},
        "ratio": {"indicator": True},
    }
    columns = [data.find(name) for name in test_dirty_table.TYPES]
    for dtype in ("float32", "float64"):
        family = Family(scaled=True, takes_missing=False, dtype=dtype)
        target = np.arange(len(data)) % 3.0
        encoder, _ = preprocessing.fit(data, columns, family, checked(said, columns, ("label",)), target, 3)
        (answer,) = exported.run([(exported.matrix(encoder), data)], tmp_path)
        np.testing.assert_allclose(
            answer.outputs["components"],
            encoder.encode(data),
            rtol=0,
            atol=1e-15 if dtype == "float64" else 0,
        )


@pytest.mark.parametrize("encode", ["tfidf", "hash"])
@pytest.mark.parametrize("indicator", [False, True])
def test_words_are_refused_by_the_name_of_their_column(encode: str, indicator: bool) -> None:
    case = Case({"note": ("text", WORDS)}, {"note": {"encode": encode, "indicator": indicator}})
    with pytest.raises(NotBuilt, match=f'feature "note" is encoded by "{encode}"'):
        onnx_of(exported.matrix(fitted(case, "float64")[0]))
