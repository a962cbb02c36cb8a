"""Every encoding as SQL: the same numbers in SQLite as from the encoder."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pgml import preprocessing
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.preprocessing import Encoder, Family, checked
from pgml.sqlgen import features, layers
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.tensors import Reading
from pgml.sqlgen.writing import statement
from tests.unit import builders, statements

Floats = npt.NDArray[np.float64]
PASSING = Family(scaled=False, takes_missing=True, dtype="float64")
FILLING = Family(scaled=False, takes_missing=False, dtype="float64")
SCALED = Family(scaled=True, takes_missing=False, dtype="float64")
CLOSE = 1e-12
COLUMN = Column("a", "double precision")
RANDOM = np.random.default_rng(5)
SKEWED = np.round(np.exp(RANDOM.normal(size=400)) - 0.7, 2)
TINY = np.concatenate(
    [10.0 ** RANDOM.uniform(-300, 2, 60) * RANDOM.choice([-1, 1], 60), [0.0, 1e-17, -1e-16]]
)
EXTREMES = [1e300, -1e300, 1e-300, -1e-300, 0.0, -0.0, 1.0, np.nextafter(1.0, 2), -2.5e9, 2.0**53]


def select(encoder: Encoder, dialect: str) -> str:
    """Return a statement whose columns are those of the matrix."""
    reading = Reading()
    values = features.encoded(encoder, reading).values[0]
    outputs = {f"c{at}": expr for at, expr in enumerate(values)}
    spelling = DIALECTS[dialect]
    plan = layers.plan(outputs, reading.names, ["row_id"], spelling)
    return statement.select(plan, reading.tables, spelling, "rows", ["row_id"])


def in_sqlite(encoder: Encoder, rows: Dataset) -> Floats:
    found = sorted(statements.sqlite(rows).execute(select(encoder, "sqlite")).fetchall())
    return np.array([row[1:] for row in found], dtype=np.float64)


def assert_alike(encoder: Encoder, rows: Dataset, *, relative: bool = False) -> None:
    """Compare with the encoder: numbers by their column's largest, or each by itself."""
    given, wanted = in_sqlite(encoder, rows), encoder.encode(rows).astype(np.float64)
    assert (np.isnan(given) == np.isnan(wanted)).all()
    whole = (wanted == np.rint(wanted)).all(axis=0) & (np.abs(wanted) < 100).all(axis=0)
    np.testing.assert_array_equal(given[:, whole], wanted[:, whole])
    if relative:
        np.testing.assert_allclose(given, wanted, rtol=CLOSE, atol=1e-307)
    else:
        scale = np.nan_to_num(np.abs(wanted)).max(axis=0)
        assert (np.nan_to_num(np.abs(given - wanted)) <= CLOSE * np.maximum(scale, 1e-300)).all()


def fitted(rows: Dataset, said: dict[str, Any], family: Family) -> Encoder:
    plans = checked(said, rows.columns, ("y",))
    column = [each for each in rows.columns if each.name != "y"]
    target = np.arange(len(rows)) % 3
    return preprocessing.fit(rows, column, family, plans, target.astype(np.float64), 3)[0]


def numbers(values: Any, kind: str = "double precision", *, null: bool = True) -> Dataset:
    given = [float(each) for each in values]
    return builders.dataset({"a": (kind, [*given, None] if null else given)})


NUMBERS = [
    {},
    *({"scale": each} for each in ("standard", "min_max", "max_abs", "robust", "power", "quantile")),
    {"encode": "bins"},
    {"encode": {"bins": [0, 0.5, 3]}},
    {"encode": "one_hot"},
    {"encode": "target"},
    {"encode": {"ordinal": [3, 1, 2]}},
]


@pytest.mark.parametrize("impute", [None, "mode", "max", {"constant": 3}])
@pytest.mark.parametrize("family", [PASSING, FILLING])
@pytest.mark.parametrize("said", NUMBERS, ids=str)
def test_numbers_are_encoded_in_sql_as_in_training(said: dict[str, Any], family: Family, impute: Any) -> None:
    few = "encode" in said and "bins" not in str(said["encode"])
    training = numbers([1, 2, 2, 3, 1] * 9 if few else SKEWED)
    for indicator in (False, True):
        plan = said | ({"impute": impute} if impute else {}) | {"indicator": indicator}
        encoder = fitted(training, {"a": plan}, family)
        assert_alike(encoder, training)
        near = [
            each for value in (0.5, 2.0, 3.0) for each in (np.nextafter(value, -9), np.nextafter(value, 9))
        ]
        assert_alike(encoder, numbers([*near, -7, 1.5, 0, 80, -0.0]))


@pytest.mark.parametrize(
    "exponent", [-3.5, -1.0, -1e-9, 0.0, 1e-9, 0.3, 1.0, 1.7, 2.0, 2.0 - 1e-12, 2.5, 6.0]
)
def test_a_power_keeps_all_digits_near_0_and_far_from_it(exponent: float) -> None:
    encoding = preprocessing.numbers.PowerEncoding(
        COLUMN, "fill", nulls=False, fill=(0.3,), power=(exponent,), center=(0.0,), scale=(1.0,)
    )
    limit = 250 / max(1, abs(exponent), abs(2 - exponent))
    wide = np.concatenate([TINY, -TINY, [10.0**limit, -(10.0**limit), 1e15, -1e15]])
    assert_alike(Encoder([encoding], "float64"), numbers(wide), relative=True)


def test_a_power_of_an_extreme_does_not_overflow() -> None:
    for exponent in (-5.0, 0.0, 0.5, 2.0, 7.0):
        encoding = preprocessing.numbers.PowerEncoding(
            COLUMN, "fill", nulls=False, fill=(0.3,), power=(exponent,), center=(1.0,), scale=(0.5,)
        )
        given = in_sqlite(Encoder([encoding], "float64"), numbers(EXTREMES))
        wanted = Encoder([encoding], "float64").encode(numbers(EXTREMES))
        usual = np.abs(wanted) < 1e280
        np.testing.assert_allclose(given[usual], wanted[usual], rtol=CLOSE)
        assert (np.abs(given[~usual]) > 1e280).all()
        assert (np.sign(given) == np.sign(wanted)).all()


KNOTS = {
    "many": tuple(np.sort(RANDOM.normal(size=1000)).tolist()),
    "equal": (0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 5.0, 7.0, 7.0),
    "one": (3.0,),
    "constant": (3.0, 3.0, 3.0),
    "two": (-1.0, 0.0),
    "far": (-1e300, 0.0, 1e-300, 1e300),
}


@pytest.mark.parametrize("name", list(KNOTS))
def test_a_number_between_quantiles_ranks_as_in_the_model(name: str) -> None:
    knots = KNOTS[name]
    encoding = preprocessing.numbers.QuantileEncoding(
        COLUMN, "pass", nulls=True, fill=(0.0,), quantiles=(knots,)
    )
    near = [np.nextafter(knot, way) for knot in knots for way in (-np.inf, np.inf)]
    rows = numbers([*knots, *near, *RANDOM.normal(size=300), *EXTREMES])
    encoder = Encoder([encoding], "float64")
    given, wanted = in_sqlite(encoder, rows)[:, 0], encoder.encode(rows)[:, 0]
    np.testing.assert_array_equal(given[: len(knots)], wanted[: len(knots)])
    np.testing.assert_allclose(given, wanted, rtol=0, atol=3e-16)


@pytest.mark.parametrize("kind", ["date", "time without time zone", "timestamp with time zone"])
def test_points_in_time_lie_on_circles(kind: str) -> None:
    seconds = RANDOM.uniform(-2e11, 9e12, 50).round(6)
    values = np.concatenate([seconds, [0, -0.000001, 86_400, 604_800 - 1e-6, 31_556_952, -1, 1.7e9 + 0.1]])
    values = values % 86_400 if kind.startswith("time w") else np.floor(values) if kind == "date" else values
    for plan in ({}, {"impute": "median"}):
        encoder = fitted(numbers(values, kind), {"a": {"encode": "cyclic"} | plan}, PASSING)
        assert_alike(encoder, numbers(values, kind))


TEXTS = [
    "pro",
    "Pro",
    "PRO",
    "",
    " ",
    "it's",
    'a "quote"',
    "back\\slash",
    "Zoë",
    "ZOË",
    "né\ne",
    "x" * 3000,
    "null",
]


@pytest.mark.parametrize("family", [PASSING, FILLING])
@pytest.mark.parametrize("impute", [None, "mode", {"constant": "never seen"}])
@pytest.mark.parametrize("encode", ["one_hot", "target", "many", {"ordinal": TEXTS[:4]}], ids=str)
def test_texts_are_encoded_in_sql_as_in_training(encode: Any, impute: Any, family: Family) -> None:
    known = TEXTS[:4] if isinstance(encode, dict) else TEXTS
    values = [*known * 3, *([f"city {at % 90}" for at in range(300)] if encode == "many" else [])]
    training = builders.dataset({"a": ("text", [*values, None, "pro"])})
    if isinstance(encode, dict) and isinstance(impute, dict):
        impute = {"constant": "Pro"}
    plan = {"encode": "one_hot" if encode == "many" else encode} | ({"impute": impute} if impute else {})
    encoder = fitted(training, {"a": plan | {"indicator": True}}, family)
    assert_alike(encoder, training)
    assert_alike(
        encoder, builders.dataset({"a": ("text", [*TEXTS, "pro ", "pr", "zoe", None, "never seen"])})
    )


def test_booleans_are_categories_and_numbers() -> None:
    rows = numbers([0, 1, 1], "boolean")
    for plan in ({}, {"encode": "one_hot"}, {"encode": {"ordinal": [True, False]}}):
        assert_alike(fitted(rows, {"a": plan}, PASSING), rows)


def test_columns_are_called_what_people_call_features() -> None:
    rows = builders.dataset({"age": ("integer", [1, 2, None]), "plan": ("text", ["pro", "basic", None])})
    text = select(fitted(rows, {"plan": {"encode": "one_hot"}}, SCALED), "postgres")
    assert "coalesce(age::float8, 1.5)" in text
    assert "= 'pro'" in text


def test_an_output_that_no_step_is_needed_for_reads_the_column_itself_below_steps_of_the_same_name() -> None:
    training = numbers(SKEWED)
    encoder = fitted(
        training, {"a": {"scale": "power", "impute": {"constant": 3}, "indicator": True}}, FILLING
    )
    assert_alike(encoder, training)
