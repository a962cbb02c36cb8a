"""Every encoding of a feature in PMML: the same numbers of plain, missing, unseen and extreme values."""

from typing import Any

import numpy as np
import pytest

from pgml.dataset import Dataset
from pgml.errors import NotBuilt
from pgml.inference import Predictor
from tests.unit import builders
from tests.unit.pmml_evaluator import Document, Invalid
from tests.unit.pmml_models import differences, fitted, odd, rows_of, tolerance, written

NUMBERS: list[Any] = [
    {"scale": "standard"},
    {"scale": "min_max"},
    {"scale": "robust"},
    {"scale": "power"},
    {"scale": "quantile"},
    {"encode": "bins"},
    {"encode": "bins", "indicator": True},
    {"impute": {"constant": 3}, "indicator": True},
    {"impute": "mean"},
    {"encode": "target"},
]
MODELS = ("linear", "hist_gradient_boosting", "random_forest")
SIZES = {"hist_gradient_boosting": {"max_iter": 10}, "random_forest": {"n_estimators": 10}}


def check(rows: Dataset, name: str, preprocess: dict[str, Any], goal: str = "label") -> None:
    model = fitted(rows, "classification", name, [goal], SIZES.get(name, {}), preprocess)
    wrong, error = differences(model, odd(rows), name)
    assert wrong == 0
    assert error < tolerance(model)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("plan", NUMBERS)
def test_a_number_is_encoded_alike(name: str, plan: dict[str, Any]) -> None:
    check(rows_of("dirty"), name, {"ratio": plan, "amount": plan, "always": plan})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "plan",
    [
        {"encode": "one_hot"},
        {"encode": "one_hot", "indicator": True},
        {"encode": "one_hot", "impute": {"constant": "none"}, "indicator": True},
        {"encode": "target"},
        {"encode": "target", "impute": "mode"},
        {"encode": {"ordinal": ["blue", "red", "green"]}},
        {"encode": {"ordinal": ["blue", "red", "green"]}, "impute": "mode", "indicator": True},
    ],
)
def test_a_text_is_encoded_alike(name: str, plan: dict[str, Any]) -> None:
    check(rows_of("dirty"), name, {"color": plan})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "plan",
    [
        {"encode": "one_hot"},
        {"encode": "target"},
        {"encode": {"ordinal": [0, 1]}, "indicator": True},
    ],
)
def test_a_truth_value_that_is_a_category_is_encoded_alike(name: str, plan: dict[str, Any]) -> None:
    check(rows_of("dirty"), name, {"paid": plan, "always": {"encode": "one_hot", "impute": "mode"}})


def test_records_to_check_by_hold_no_truth_value_that_is_neither() -> None:
    truth = [None, None, 1.0, 0.0, None] * 12
    rows = builders.dataset(
        {
            "b": ("boolean", truth),
            "x": ("double precision", np.sin(np.arange(60.0)).tolist()),
            "label": ("text", ["none" if each is None else str(each) for each in truth]),
        }
    )
    plan = {"b": {"encode": "one_hot", "impute": {"constant": 2}}}
    assert differences(fitted(rows, "classification", "linear", ["label"], {}, plan), rows)[0] == 0


@pytest.mark.parametrize("name", MODELS)
def test_points_in_time_are_encoded_alike(name: str) -> None:
    check(
        rows_of("dirty"), name, {"day": {"encode": "cyclic"}, "seen": {"encode": "cyclic", "indicator": True}}
    )


@pytest.mark.parametrize("name", MODELS)
def test_many_rare_texts_share_an_indicator(name: str) -> None:
    check(rows_of("dirty"), name, {"city": {"encode": "one_hot"}})


def wide(rows: int = 90) -> Dataset:
    """Return arrays, numbers of 32 bits, and numbers of which many are equal."""
    random = np.random.default_rng(5)
    matrix = random.normal(size=(rows, 3)).astype(np.float32).astype(np.float64)
    matrix[::9, 1] = np.nan
    few = random.integers(0, 5, rows).astype(float)
    single = (random.normal(size=rows) * 100).astype(np.float32).astype(np.float64)
    label = np.where(np.nan_to_num(matrix[:, 1]) + few > 2, "up", "down")
    return builders.dataset(
        {
            "vector": ("real[]", matrix.tolist()),
            "few": ("smallint", few.tolist()),
            "single": ("real", single.tolist()),
            "label": ("text", [str(each) for each in label]),
        }
    )


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("scale", ["preserve", "standard", "quantile", "power"])
def test_arrays_have_a_field_each_number(name: str, scale: str) -> None:
    rows = wide()
    plans = {
        "vector": {"scale": scale, "indicator": True},
        "few": {"scale": scale},
        "single": {"scale": scale},
    }
    model = fitted(rows, "classification", name, ["label"], SIZES.get(name, {}), plans)
    wrong, error = differences(model, rows, name)
    assert wrong == 0
    assert error < tolerance(model)
    document = Document(written(model))
    assert document.inputs[:3] == ["vector[1]", "vector[2]", "vector[3]"]


def test_a_number_between_two_of_32_bits_goes_where_it_goes_here() -> None:
    rows = wide()
    features = builders.ordered(rows, ["few", "single", "label"])
    model = fitted(features, "classification", "random_forest", ["label"], {"n_estimators": 30})
    document = Document(written(model))
    predictor = Predictor(model)
    limits = [
        float(each.get("value"))
        for each in document.model.iter("SimplePredicate")
        if each.get("field") == "few"
    ]
    assert limits
    tried = [step for limit in limits for step in (limit, np.nextafter(limit, 9), np.nextafter(limit, -9))]
    given = {
        "few": ("double precision", tried),
        "single": ("double precision", [0.5] * len(tried)),
    }
    outputs = predictor.outputs(builders.dataset(given))
    for value, expected in zip(tried, outputs[:, 1].tolist(), strict=True):
        found = document.evaluate({"few": value, "single": 0.5})
        assert found["probability(up)"] == pytest.approx(expected, abs=1e-12)


def test_what_must_not_be_missing_has_no_result() -> None:
    rows = builders.ordered(rows_of("penguins"), ["species", "island", "year"])
    plans = {
        "island": {"encode": {"ordinal": ["Biscoe", "Dream", "Torgersen"]}, "impute": "error"},
        "year": {"impute": "error"},
    }
    document = Document(written(fitted(rows, "classification", "linear", ["species"], {}, plans)))
    assert document.evaluate({"island": "Dream", "year": 2008.0})["prediction"] in ("Adelie", "Chinstrap")
    for wrong in (
        {"island": None, "year": 2008.0},
        {"island": "Dream"},
        {"island": "Atlantis", "year": 2008.0},
    ):
        with pytest.raises(Invalid):
            document.evaluate(wrong)


@pytest.mark.parametrize("encode", ["tfidf", "hash"])
def test_words_are_refused(encode: str) -> None:
    model = fitted(rows_of("dirty"), "classification", "linear", ["label"], {}, {"color": {"encode": encode}})
    with pytest.raises(NotBuilt, match=f'encoding "{encode}" of feature "color" cannot be written as PMML'):
        written(model)
