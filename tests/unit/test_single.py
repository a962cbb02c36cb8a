"""The quick way for one row gives what the general way gives, or raises what sends the row there."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pgml import preprocessing, rows, training
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.single import UNUSUAL, Single, single_row
from pgml.spec import FitSpec, Recipe
from pgml.target import label_text
from tests.unit import builders

ALGORITHMS = ("linear", "random_forest", "xgboost")
RNG = np.random.default_rng(0)
ROWS = 400


def features() -> Dataset:
    return builders.numbers(
        a=RNG.normal(size=ROWS),
        b=1.7e9 + RNG.integers(0, 86400, ROWS),
        c=RNG.integers(0, 2, ROWS),
        y=RNG.normal(size=ROWS),
        k=RNG.integers(0, 3, ROWS),
        two=RNG.integers(0, 2, ROWS),
    )


def model(algorithm: str, target: str) -> tuple[Predictor, Dataset]:
    data = features()
    task = "regression" if target == "y" else "classification"
    spec = FitSpec(task, [target], ["a", "b", "c"], algorithm, {}, 0, Recipe(0.25, 0, ("a",)), 1 << 28, 1)
    return Predictor(training.fit(spec, data)[1]), data


def quick(predictor: Predictor) -> Single:
    single = single_row(predictor)
    assert single is not None
    return single


@pytest.mark.parametrize(
    ("algorithm", "target"),
    [(algorithm, target) for algorithm in ALGORITHMS for target in ("y", "k", "two")],
)
def test_a_row_of_numbers_is_answered_as_by_the_general_path(algorithm: str, target: str) -> None:
    predictor, data = model(algorithm, target)
    single = single_row(predictor)
    if (algorithm, target) == ("linear", "k"):
        assert single is None
        return
    assert single is not None

    def answer(row: list[float]) -> float:
        return single.value(single.numbers(row))

    outputs = predictor.outputs(data)
    expected = outputs if target == "y" else np.array(predictor.labels)[outputs.argmax(axis=1)]
    every = np.hstack([data.values(name) for name in ("a", "b", "c")]).tolist()
    np.testing.assert_allclose([answer(row) for row in every], expected, rtol=1e-12)
    named = {"extra": "x", "c": True, "b": 1_700_000_000, "a": 0.25}
    assert single.value(single.by_name(named)) == answer([0.25, 1.7e9, 1.0])
    if target != "y":
        found = [single.probabilities(single.numbers(row)) for row in every]
        np.testing.assert_allclose(found, outputs, rtol=1e-12)
        labels = [single.label(single.numbers(row)) for row in every]
        assert labels == [label_text(label, "number") for label in expected]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_several_targets_take_the_general_path(algorithm: str) -> None:
    spec = FitSpec(
        "regression", ["y", "k"], ["a", "b"], algorithm, {}, 0, Recipe(0.25, 0, ("a",)), 1 << 28, 1
    )
    assert single_row(Predictor(training.fit(spec, features())[1])) is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "row",
    [
        [1.0, 2.0],
        [1.0, 2.0, 3.0, 4.0],
        [],
        [1.0, None, 0.0],
        [1.0, math.nan, 0.0],
        [1.0, math.inf, 0.0],
        [1.0, -math.inf, math.inf],
        [1.0, "2", 0.0],
        [[1.0, 2.0, 0.0]],
        [10**400, 0, 0],
    ],
    ids=str,
)
def test_a_row_out_of_the_ordinary_is_left_to_the_general_path(algorithm: str, row: list[float]) -> None:
    single = quick(model(algorithm, "y")[0])
    with pytest.raises(UNUSUAL):
        single.numbers(row)
    assert math.isfinite(single.value(single.numbers([0.0, 1.7e9, 1.0])))


@pytest.mark.parametrize("given", [{"a": 1, "b": 2}, [1, 2, 3], "a", 5, None, {"f1": 1, "f2": 2, "f3": 3}])
def test_what_is_not_by_name_is_left_to_the_general_path(given: object) -> None:
    single = quick(model("linear", "y")[0])
    with pytest.raises(UNUSUAL):
        single.by_name(given)


def test_a_number_beyond_float32_is_left_to_the_general_path() -> None:
    with pytest.raises(UNUSUAL):
        quick(model("xgboost", "y")[0]).numbers([1e300, 1.7e9, 0.0])


def test_a_rounded_column_takes_the_general_path() -> None:
    assert single_row(mixed("linear", "y", small="real")[0]) is None
    assert single_row(mixed("xgboost", "y", small="real")[0]) is not None


TEXTS = [*("rare" + str(i) for i in range(80)), *["often"] * 200, *["also"] * 120]
"""More categories than have an indicator of their own."""
RANKS = ["also", "never seen", *sorted(set(TEXTS) - {"also"})]
PLANS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one_hot": {"text": {"encode": "one_hot"}},
    "one_hot filled": {"text": {"encode": "one_hot", "impute": {"constant": "rare3"}}},
    "target": {"text": {"encode": "target"}},
    "target filled": {"text": {"encode": "target", "impute": "mode", "scale": "standard"}},
    "ordinal": {"text": {"encode": {"ordinal": RANKS}}},
    "ordinal filled": {"text": {"encode": {"ordinal": RANKS}, "impute": {"constant": "never seen"}}},
    "numbers": {"*": {"scale": "robust", "impute": "max"}, "flag": {"impute": {"constant": 1}}},
}


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Return how to let `training.fit` follow a plan."""
    fit = preprocessing.fit

    def follow(said: dict[str, Any]) -> None:
        def planned(data: Dataset, columns: Any, family: Any, plans: Any, *rest: Any, **options: Any) -> Any:
            return fit(data, columns, family, preprocessing.checked(said, columns, ["y"]), *rest, **options)

        monkeypatch.setattr(preprocessing, "fit", planned)

    return follow


def mixed(
    algorithm: str, target: str, small: str = "double precision", *, nulls: bool = True
) -> tuple[Predictor, Dataset]:
    rng = np.random.default_rng(1)
    data = builders.dataset(
        {
            "small": (small, [None if nulls and i % 7 == 0 else i / 10 for i in range(ROWS)]),
            "text": ("text", [None if nulls and i % 11 == 0 else TEXTS[i] for i in range(ROWS)]),
            "flag": ("boolean", rng.integers(0, 2, ROWS).astype(float).tolist()),
            "y": ("double precision", rng.normal(size=ROWS).tolist()),
            "class": ("text", rng.choice(["ja", "nein"], ROWS).tolist()),
        }
    )
    task = "regression" if target == "y" else "classification"
    names = ["small", "text", "flag"]
    spec = FitSpec(task, [target], names, algorithm, {}, 0, Recipe(0.25, 0, ("small",)), 1 << 28, 1)
    return Predictor(training.fit(spec, data)[1]), data


@pytest.mark.parametrize("said", PLANS.values(), ids=list(PLANS))
@pytest.mark.parametrize(
    ("algorithm", "target"), [("linear", "y"), ("linear", "class"), ("xgboost", "class")]
)
def test_texts_and_nulls_are_answered_as_by_the_general_path(
    algorithm: str, target: str, said: dict[str, Any], plan: Callable[[dict[str, Any]], None]
) -> None:
    plan(said)
    predictor, _ = mixed(algorithm, target)
    single = quick(predictor)
    given = [
        {"small": small, "text": text, "flag": flag}
        for small in (None, 3.25, 7)
        for text in (None, "often", "also", "rare3", "rare77", "never seen", "")
        for flag in (True, False, None)
    ]
    for row in given:
        values = rows.from_json(predictor.encoder, row, imputes=False)
        expected = predictor.outputs(rows.as_dataset(predictor.encoder, values, lambda texts: []))[0]
        result = single.by_name(row)
        if target == "y":
            assert single.value(result) == pytest.approx(float(expected), rel=1e-12)
        else:
            np.testing.assert_allclose(single.probabilities(result), expected, rtol=1e-12)
            assert single.label(result) == predictor.labels[expected.argmax()]
            with pytest.raises(UNUSUAL):
                single.value(result)


@pytest.mark.parametrize(
    "wrong",
    [{"small": "1.5"}, {"small": math.inf}, {"text": 5}, {"text": ["a"]}, {"flag": {}}, {"small": 10**400}],
    ids=str,
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_value_of_another_kind_is_left_to_the_general_path(
    algorithm: str, wrong: dict[str, object]
) -> None:
    single = quick(mixed(algorithm, "y")[0])
    with pytest.raises(UNUSUAL):
        single.by_name({"small": 1.0, "text": "often", "flag": True} | wrong)


@pytest.mark.parametrize("encode", ["one_hot", "target", {"ordinal": RANKS}])
def test_a_null_that_is_refused_is_left_to_the_general_path(
    encode: Any, plan: Callable[[dict[str, Any]], None]
) -> None:
    plan({"*": {"impute": "error"}, "text": {"encode": encode}})
    single = quick(mixed("xgboost", "y", nulls=False)[0])
    row: dict[str, Any] = {"small": 1.0, "text": "often", "flag": True}
    assert math.isfinite(single.value(single.by_name(row)))
    for name in row:
        with pytest.raises(UNUSUAL):
            single.by_name(row | {name: None})
    if isinstance(encode, dict):
        with pytest.raises(UNUSUAL):
            single.by_name(row | {"text": "none of the list"})


@pytest.mark.parametrize(
    "said",
    [
        {"text": {"encode": "tfidf"}},
        {"text": {"encode": "hash"}},
        {"text": {"indicator": True}},
        {"small": {"indicator": True}},
        {"small": {"encode": "bins"}},
        {"small": {"scale": "power"}},
        {"small": {"scale": "quantile"}},
        {"flag": {"encode": "one_hot"}},
        {"flag": {"encode": "target"}},
        {"flag": {"encode": {"ordinal": [False, True]}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("algorithm", ["linear", "xgboost"])
def test_other_encodings_take_the_general_path(
    algorithm: str, said: dict[str, Any], plan: Callable[[dict[str, Any]], None]
) -> None:
    plan(said)
    assert single_row(mixed(algorithm, "y")[0]) is None


@pytest.mark.parametrize("algorithm", ["huber", "linear_svm", "passive_aggressive", "mlp"])
def test_a_target_far_from_0_is_answered_as_by_the_general_path(algorithm: str) -> None:
    data = builders.numbers(a=RNG.normal(size=ROWS), b=RNG.normal(size=ROWS), y=1e9 + RNG.normal(size=ROWS))
    hyperparams = {"hidden_layer_sizes": []} if algorithm == "mlp" else {}
    spec = FitSpec(
        "regression", ["y"], ["a", "b"], algorithm, hyperparams, 0, Recipe(0.25, 0, ("a",)), 1 << 28, 1
    )
    predictor = Predictor(training.fit(spec, data)[1])
    assert abs(predictor.center[0] - 1e9) < 1
    single = quick(predictor)
    row = [float(data.values(name)[0, 0]) for name in ("a", "b")]
    expected = float(predictor.outputs(data)[0])
    assert single.value(single.numbers(row)) == pytest.approx(expected, abs=1e-6)
    assert abs(expected - 1e9) < 5


@pytest.mark.parametrize("type_", ["real", "double precision"])
def test_a_real_number_is_rounded_before_it_is_moved_however_it_comes(type_: str) -> None:
    # What to_json writes of a real, 1000001.7, is another number than the 1000001.6875 that it is.
    values = (1e6 + 3 * np.random.default_rng(2).random(ROWS)).astype(np.float32)
    data = builders.dataset(
        {
            "a": (type_, values.astype(float).tolist()),
            "y": ("double precision", np.sin(9.0 * values.astype(float)).tolist()),
        }
    )
    plan = {"a": {"scale": "standard"}}
    spec = FitSpec(
        "regression", ["y"], ["a"], "xgboost", {}, 0, Recipe(0.25, 0, ("a",)), 1 << 28, 1, preprocess=plan
    )
    predictor = Predictor(training.fit(spec, data)[1])
    single = single_row(predictor)
    assert (single is None) == (type_ == "real")
    for value, expected in zip(values[:50], predictor.outputs(data), strict=False):
        given = {"a": float(str(value)) if type_ == "real" else float(value)}
        if single is None:
            row = rows.as_dataset(
                predictor.encoder, rows.from_json(predictor.encoder, given, imputes=False), list
            )
            assert predictor.outputs(row)[0] == expected
        else:
            assert single.value(single.by_name(given)) == expected
