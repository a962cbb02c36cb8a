"""Each kind of encoding gives what scikit-learn gives, on training rows and on others."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from pgml import preprocessing
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.preprocessing import Encoder, Family, checked
from tests.unit import builders

Floats = npt.NDArray[Any]
PLAIN = Family(scaled=False, takes_missing=False, dtype="float64")
PASSING = Family(scaled=False, takes_missing=True, dtype="float64")
SCALED = Family(scaled=True, takes_missing=False, dtype="float64")
RNG = np.random.default_rng(0)
SKEWED = np.round(np.exp(RNG.normal(size=700)) - 0.5, 2)
SKEWED[::9] = np.nan
LATER = np.array([-1e6, -3.0, 0.0, 0.5, 1.0, 17.5, 1e6])
IMPUTERS = {"mean": "mean", "median": "median", "mode": "most_frequent"}


def fitted(data: Dataset, said: dict[str, Any], family: Family = PLAIN) -> tuple[Encoder, Floats]:
    plans = checked(said, data.columns, ())
    encoder, matrix = preprocessing.fit(data, data.columns, family, plans, None, 0)
    np.testing.assert_array_equal(encoder.encode(data), matrix)
    again = Encoder.from_json(json.loads(json.dumps(encoder.as_json(), allow_nan=False)))
    assert again == encoder
    np.testing.assert_array_equal(again.encode(data), matrix)
    one = np.vstack([encoder.encode(data.take(np.array([row]))) for row in range(min(len(data), 9))])
    np.testing.assert_allclose(one, matrix[: len(one)], rtol=1e-15)
    assert [name for name, _ in encoder.matrix_columns] == [
        each.column.name for each in encoder.encodings for _ in range(each.width)
    ]
    assert len(set(encoder.matrix_columns)) == encoder.width == matrix.shape[1]
    return encoder, matrix


def column(values: Any, kind: str = "double precision") -> Dataset:
    return builders.dataset({"a": (kind, [None if each != each else each for each in values])})


def labels(encoder: Encoder) -> list[str]:
    return [label for _, label in encoder.matrix_columns]


@pytest.mark.parametrize("impute", list(IMPUTERS))
@pytest.mark.parametrize(
    ("scale", "start", "scaler"),
    [
        ("standard", 0, StandardScaler()),
        ("standard", 1e5, StandardScaler()),
        ("min_max", 700, MinMaxScaler()),
        ("max_abs", -70, MaxAbsScaler()),
        ("robust", 700, RobustScaler()),
        ("power", 0, PowerTransformer()),
        ("power", -5, PowerTransformer()),
        ("power", 2, PowerTransformer()),
        ("quantile", 700, QuantileTransformer(n_quantiles=700, subsample=None)),
    ],
)
def test_numbers_are_imputed_and_scaled_as_by_scikit_learn(
    impute: str, scale: str, start: float, scaler: Any
) -> None:
    values = SKEWED + start
    expected = make_pipeline(SimpleImputer(strategy=IMPUTERS[impute]), scaler).fit(values[:, None])
    encoder, matrix = fitted(column(values), {"a": {"impute": impute, "scale": scale}})
    np.testing.assert_allclose(matrix, expected.transform(values[:, None]), rtol=1e-6, atol=1e-6)
    later = expected.transform(LATER[:, None])
    np.testing.assert_allclose(encoder.encode(column(LATER)), later, rtol=1e-5, atol=1e-6)


def test_quantiles_are_a_thousand_at_most_and_equal_ones_meet_in_the_middle() -> None:
    values = np.concatenate([np.zeros(2000), RNG.normal(size=3000), np.full(500, 7.0)])
    encoder, matrix = fitted(column(values), {"a": {"scale": "quantile"}})
    expected = QuantileTransformer(n_quantiles=1000, subsample=None).fit_transform(values[:, None])
    np.testing.assert_allclose(matrix, expected, atol=1e-12)
    assert len(encoder.as_json()["encodings"][0]["quantiles"][0]) == 1000


@pytest.mark.parametrize(
    "scale", ["standard", "min_max", "max_abs", "robust", "power", "quantile", "preserve"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "values",
    [
        [5.0] * 9,
        [0.0, -0.0],
        [1e300, -1e300, 1.0],
        [1.7e9, 1.7e9 + 1, 1.7e9 + 5],
        [3.0],
        [5e-324, 0.0],
        [None],
    ],
    ids=str,
)
def test_no_column_of_numbers_makes_a_scale_fail(scale: str, dtype: str, values: list[Any]) -> None:
    family = Family(scaled=True, takes_missing=False, dtype=dtype)
    encoder, matrix = fitted(builders.dataset({"a": ("real", values)}), {"a": {"scale": scale}}, family)
    assert np.isfinite(matrix).all()
    assert matrix.dtype == dtype
    assert np.isfinite(encoder.encode(column([1e300, -1e300, 0, 1]))).all()


def test_a_column_too_far_from_zero_for_the_power_is_standardised() -> None:
    values = SKEWED[~np.isnan(SKEWED)] + 700
    matrix = fitted(column(values), {"a": {"scale": "power"}})[1]
    np.testing.assert_allclose(matrix, StandardScaler().fit_transform(values[:, None]), rtol=1e-9)


def test_a_column_far_from_zero_keeps_its_order_under_every_scale() -> None:
    values = 1_700_000_000 + np.sort(RNG.integers(0, 10**7, 300)).astype(float)
    for scale in ("standard", "min_max", "robust", "power", "quantile"):
        matrix = fitted(column(values), {"a": {"scale": scale}})[1][:, 0]
        assert (np.diff(matrix) >= 0).all()
        assert np.unique(matrix).size == np.unique(values).size


@pytest.mark.parametrize(
    ("impute", "expected"),
    [
        ("mean", 14 / 5),
        ("median", 3),
        ("mode", 1),
        ("min", 1),
        ("max", 5),
        ("zero", 0),
        ({"constant": -7}, -7),
    ],
)
@pytest.mark.parametrize("family", [PLAIN, PASSING])
def test_an_imputation_said_always_fills(impute: Any, expected: float, family: Family) -> None:
    data = builders.dataset({"a": ("integer", [3, 1, None, 5, 1, 4]), "v": ("real[]", [[1, None]] * 6)})
    said = {"a": {"impute": impute}}
    encoder, matrix = fitted(data, said, family)
    assert matrix[2, 0] == encoder.encodings[0].filled == pytest.approx(expected)
    assert np.isnan(matrix[0, 2]) == family.takes_missing
    later = builders.dataset({"a": ("integer", [None]), "v": ("real[]", [[None, 1]])})
    assert encoder.encode(later)[0, 0] == pytest.approx(expected)


def test_each_element_of_an_array_is_imputed_and_scaled_by_itself() -> None:
    rows = [[1.0, 10.0], [2.0, None], [6.0, 40.0], [None, 20.0]]
    values = np.array(rows, dtype=float)
    encoder, matrix = fitted(
        builders.dataset({"v": ("real[]", rows)}), {"v": {"impute": "mean", "scale": "min_max"}}
    )
    expected = make_pipeline(SimpleImputer(), MinMaxScaler()).fit_transform(values)
    np.testing.assert_allclose(matrix, expected)
    assert labels(encoder) == ["v[1]", "v[2]"]
    assert encoder.encodings[0].filled == pytest.approx([3, 70 / 3])


@pytest.mark.parametrize("encode", ["native", "one_hot", "bins", "cyclic", {"ordinal": [0, 86_400]}])
def test_a_missing_number_is_an_error_where_that_is_said(encode: Any) -> None:
    said = {"a": {"encode": encode, "impute": "error"}}
    for family in (PLAIN, PASSING):
        encoder, _ = fitted(column([0, 86_400], "date"), said, family)
        with pytest.raises(InvalidValue, match='feature "a" is NULL') as caught:
            encoder.encode(column([0, np.nan], "date"))
        assert '"median"' in caught.value.hint
        assert encoder.encodings[0].filled is None
        with pytest.raises(InvalidValue, match='feature "a" is NULL'):
            fitted(column([0, np.nan], "date"), said, family)


@pytest.mark.parametrize("encode", ["one_hot", "tfidf", "hash", {"ordinal": ["a", "b"]}])
def test_a_missing_text_is_an_error_where_that_is_said(encode: Any) -> None:
    said = {"a": {"encode": encode, "impute": "error"}}
    encoder, _ = fitted(builders.dataset({"a": ("text", ["a", "b"])}), said)
    later = builders.dataset({"a": ("text", ["a", None])})
    for attempt in (lambda: encoder.encode(later), lambda: fitted(later, said)):
        with pytest.raises(InvalidValue, match='feature "a" is NULL'):
            attempt()


def test_an_indicator_says_where_values_were_missing() -> None:
    values = {
        "a": ("integer", [1, None, 3]),
        "t": ("text", ["x", None, "y"]),
        "v": ("real[]", [[1, None], None, [2, 3]]),
    }
    said = {"*": {"indicator": True}, "a": {"impute": "zero"}}
    encoder, matrix = fitted(builders.dataset(values), said)
    assert labels(encoder) == [
        "a",
        "a is null",
        "t=x",
        "t=y",
        "t is null",
        "v[1]",
        "v[2]",
        "v[1] is null",
        "v[2] is null",
    ]
    np.testing.assert_array_equal(matrix[:, [0, 1]], [[1, 0], [0, 1], [3, 0]])
    np.testing.assert_array_equal(matrix[:, 4], [0, 1, 0])
    array = np.array([[1, np.nan], [np.nan] * 2, [2, 3]])
    np.testing.assert_array_equal(matrix[:, 7:], MissingIndicator(features="all").fit_transform(array))
    passed = fitted(builders.dataset(values), {"a": {"indicator": True}}, PASSING)[1]
    np.testing.assert_array_equal(passed[:, :2], [[1, 0], [np.nan, 1], [3, 0]])


@pytest.mark.parametrize("bins", [2, 3, 10, 50])
@pytest.mark.parametrize("kind", ["skewed", "many equal", "constant"])
@pytest.mark.filterwarnings("ignore")
def test_bins_hold_equally_many_values_as_scikit_learns_do(bins: int, kind: str) -> None:
    values = {
        "skewed": SKEWED,
        "many equal": np.repeat([0.0, 0, 0, 0, 1, 5], 50),
        "constant": np.full(9, 3.0),
    }[kind]
    expected = make_pipeline(
        SimpleImputer(strategy="median"),
        KBinsDiscretizer(
            bins, encode="onehot-dense", quantile_method="averaged_inverted_cdf", subsample=None
        ),
    ).fit(values[:, None])
    encoder, matrix = fitted(column(values), {"a": {"encode": {"bins": bins}}})
    np.testing.assert_array_equal(matrix, expected.transform(values[:, None]))
    np.testing.assert_array_equal(encoder.encode(column(LATER)), expected.transform(LATER[:, None]))


def test_edges_begin_bins_and_those_outside_have_bins_too() -> None:
    data = column([-1, 0, 17.5, 18, 65, 100, np.nan])
    encoder, matrix = fitted(data, {"a": {"encode": {"bins": [0, 18, 65]}, "impute": "zero"}})
    assert labels(encoder) == ["a<0", "0<=a<18", "18<=a<65", "a>=65"]
    assert matrix.argmax(axis=1).tolist() == [0, 1, 1, 2, 3, 3, 1]
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)
    passed = fitted(data, {"a": {"encode": {"bins": [0, 18, 65]}}}, PASSING)[1]
    assert np.isnan(passed[-1]).all()
    assert not np.isnan(passed[:-1]).any()


def test_numbers_and_booleans_can_be_categories() -> None:
    values = {"n": ("integer", [3, 1, None, 3, 200]), "b": ("boolean", [True, False, None, True, True])}
    said = {"n": {"encode": "one_hot"}, "b": {"encode": "one_hot"}}
    encoder, matrix = fitted(builders.dataset(values), said)
    assert labels(encoder) == ["n=1", "n=3", "n=200", "b=false", "b=true"]
    array = np.array([[3, 1], [1, 0], [np.nan, np.nan], [3, 1], [200, 1]])
    expected = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    ).fit(array)
    np.testing.assert_array_equal(matrix, expected.transform(array))
    later = np.array([[2, 1], [np.nan, 0], [1, np.nan]])
    found = encoder.encode(builders.dataset({"n": ("integer", later[:, 0]), "b": ("boolean", later[:, 1])}))
    np.testing.assert_array_equal(found, expected.transform(later))
    passed = fitted(builders.dataset(values), said, PASSING)[1]
    assert np.isnan(passed[2]).all()


def test_of_more_than_64_numbers_the_rarest_share_an_indicator_too() -> None:
    values = [*range(100), *range(50)]
    encoder, matrix = fitted(column(values, "integer"), {"a": {"encode": "one_hot"}})
    assert matrix.shape[1] == 64
    assert labels(encoder)[-1] == "a: rare"
    np.testing.assert_array_equal(encoder.encode(column([99, -5.5], "integer"))[:, -1], 1)


@pytest.mark.parametrize("family", [PLAIN, PASSING])
def test_a_constant_that_fills_is_a_category_of_its_own(family: Family) -> None:
    data = builders.dataset({"a": ("text", ["b", None, "z", None])})
    encoder, matrix = fitted(data, {"a": {"encode": "one_hot", "impute": {"constant": "n/a"}}}, family)
    assert labels(encoder) == ["a=b", "a=n/a", "a=z"]
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    unseen = fitted(
        builders.dataset({"a": ("text", ["b", "z"])}), {"a": {"impute": {"constant": "n/a"}}}, family
    )[0]
    np.testing.assert_array_equal(unseen.encode(data)[1], [0, 0])


@pytest.mark.parametrize("scale", ["preserve", "standard", "min_max", "max_abs", "robust"])
def test_a_rank_is_the_place_in_the_users_list(scale: str) -> None:
    order = ["small", "medium", "large"]
    texts = ["large", "small", "small", None, "large"]
    said = {"a": {"encode": {"ordinal": order}, "scale": scale}}
    encoder, matrix = fitted(builders.dataset({"a": ("text", texts)}), said)
    scalers = {
        "standard": StandardScaler(),
        "min_max": MinMaxScaler(),
        "max_abs": MaxAbsScaler(),
        "robust": RobustScaler(),
    }
    known = np.array([["large" if text is None else text] for text in texts])
    steps = [OrdinalEncoder(categories=[order]), *([scalers[scale]] if scale in scalers else [])]
    expected = make_pipeline(*steps).fit(known)
    np.testing.assert_allclose(matrix, expected.transform(known))
    later = encoder.encode(builders.dataset({"a": ("text", ["medium", None, "huge"])}))
    np.testing.assert_allclose(later, expected.transform([["medium"], ["large"], ["large"]]))
    assert encoder.encodings[0].filled == "large"


def test_numbers_and_booleans_can_be_listed() -> None:
    values = {"n": ("integer", [30, 10, None]), "b": ("boolean", [True, False, None])}
    said = {
        "n": {"encode": {"ordinal": [30, 20, 10]}},
        "b": {"encode": {"ordinal": [True, False]}, "impute": "max"},
    }
    encoder, matrix = fitted(builders.dataset(values), said)
    np.testing.assert_array_equal(matrix, [[0, 0], [2, 1], [2, 0]])
    later = builders.dataset({"n": ("integer", [20, 25]), "b": ("boolean", [False, None])})
    np.testing.assert_array_equal(encoder.encode(later), [[1, 1], [2, 0]])
    passing = fitted(builders.dataset(values), said, PASSING)[0].encode(later)
    np.testing.assert_array_equal(passing, [[1, 1], [np.nan, 0]])


def test_a_list_that_lacks_a_training_value_is_refused() -> None:
    with pytest.raises(
        InvalidValue, match='feature "a" holds "huge", which its ordinal list lacks'
    ) as caught:
        fitted(
            builders.dataset({"a": ("text", ["small", "huge"])}),
            {"a": {"encode": {"ordinal": ["small", "big"]}}},
        )
    assert '"small", "big"' in caught.value.hint
    with pytest.raises(InvalidValue, match='feature "a" holds "true"'):
        fitted(column([1, 0], "boolean"), {"a": {"encode": {"ordinal": [False]}}})
    strict = {"a": {"encode": {"ordinal": ["s", "m"]}, "impute": "error"}}
    encoder, _ = fitted(builders.dataset({"a": ("text", ["s"])}), strict)
    with pytest.raises(InvalidValue, match="its ordinal list lacks"):
        encoder.encode(builders.dataset({"a": ("text", ["huge"])}))


@pytest.mark.parametrize(
    ("kind", "periods"),
    [
        ("date", ["week", "year"]),
        ("timestamp without time zone", ["day", "week", "year"]),
        ("timestamp with time zone", ["day", "week", "year"]),
        ("time without time zone", ["day"]),
    ],
)
def test_points_in_time_have_places_on_circles(kind: str, periods: list[str]) -> None:
    seconds = {"day": 86_400, "week": 7 * 86_400, "year": 365.2425 * 86_400}
    epochs = np.array([0.0, 21_600, -86_400, 1_795_219_200, 43_200])
    encoder, matrix = fitted(column(epochs, kind), {"a": {"encode": "cyclic"}})
    angles = [2 * np.pi * epochs / seconds[period] for period in periods]
    expected = np.stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)], axis=1)
    np.testing.assert_allclose(matrix, expected, atol=1e-9)
    assert labels(encoder) == [f"a: {wave}({period})" for period in periods for wave in ("sin", "cos")]
    later = column([np.nan], kind)
    np.testing.assert_allclose(encoder.encode(later)[0], matrix[1])
    assert np.isnan(fitted(column(epochs, kind), {"a": {"encode": "cyclic"}}, PASSING)[0].encode(later)).all()


def test_nothing_said_is_what_suits_the_family() -> None:
    values = {"a": ("integer", [1, None, 4]), "t": ("text", ["x", None, "y"])}
    data = builders.dataset(values)
    assert fitted(data, {}, SCALED)[1][:, 0] == pytest.approx(
        StandardScaler().fit_transform([[1], [2.5], [4]])[:, 0]
    )
    np.testing.assert_array_equal(fitted(data, {})[1], [[1, 1, 0], [2.5, 1, 0], [4, 0, 1]])
    np.testing.assert_array_equal(fitted(data, {}, PASSING)[1][1], [np.nan] * 3)
    many = builders.dataset({"t": ("text", [f"c{i}" for i in range(99)])})
    assert fitted(many, {})[0].as_json()["encodings"][0]["kind"] == "one_hot"


def test_columns_are_known_by_name_whatever_else_is_there() -> None:
    data = builders.dataset({"a": ("integer", [1, 2]), "t": ("text", ["x", "y"])})
    encoder, matrix = fitted(data, {"a": {"encode": "one_hot"}, "t": {"encode": "hash"}})
    wider = builders.dataset({"z": ("text", ["q", "q"]), "t": ("text", ["x", "y"]), "a": ("integer", [1, 2])})
    np.testing.assert_array_equal(encoder.encode(wider), matrix)
    assert encoder.columns == [Column("a", "integer"), Column("t", "text")]


def test_a_power_of_1_keeps_every_digit_of_a_number_far_from_0() -> None:
    values = np.array([1.2345678901234567e19, -1.7e9 - 0.1, 0.1, np.nan])
    np.testing.assert_array_equal(preprocessing.scaling.yeo_johnson(values, 1.0), values)
