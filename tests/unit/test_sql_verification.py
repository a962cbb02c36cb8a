"""Statements are held against their model: rows that tell, and what is made of answers that differ."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import target, training
from pgml.artifact.format import Artifact, unpack
from pgml.dataset import MISSING, Dataset
from pgml.errors import Disagrees
from pgml.preprocessing import Encoder
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import arithmetic, branches, compiler, outputs, relations
from pgml.sqlgen.features import categories, numbers
from pgml.sqlgen.operators import trees
from pgml.sqlgen.proof import answers, probes, thresholds, verification
from pgml.sqlgen.proof.verification import Probe
from pgml.sqlgen.writing import conditions
from tests.unit import builders

ROWS = 200
TYPES = {
    "color": "text",
    "ratio": "double precision",
    "single": "real",
    "count": "integer",
    "tiny": "smallint",
    "huge": "bigint",
    "price": "numeric",
    "paid": "boolean",
    "day": "date",
    "clock": "time without time zone",
    "seen": "timestamp with time zone",
    "lasting": "interval",
    "pair": "real[]",
}
FEW = {"n_estimators": 12}


def data() -> Dataset:
    random = np.random.default_rng(2)
    ratio = random.normal(size=ROWS)
    values: dict[str, list[Any]] = {
        "color": random.choice(["red", "green", "Blue", "it's"], size=ROWS).tolist(),
        "ratio": ratio.tolist(),
        "single": random.normal(size=ROWS).astype(np.float32).astype(float).tolist(),
        "count": random.integers(0, 50, ROWS).astype(float).tolist(),
        "tiny": random.integers(-3, 4, ROWS).astype(float).tolist(),
        "huge": (1.7e9 + random.integers(0, 10**6, ROWS)).tolist(),
        "price": random.lognormal(3, 1, ROWS).round(2).tolist(),
        "paid": (random.random(ROWS) < 0.5).astype(float).tolist(),
        "day": (86_400.0 * random.integers(19_000, 20_000, ROWS)).tolist(),
        "clock": (random.integers(0, 86_400 * 10**6, ROWS) / 1e6).tolist(),
        "seen": (1.7e9 + random.integers(0, 10**12, ROWS) / 1e6).round(6).tolist(),
        "lasting": (random.integers(0, 10**12, ROWS) / 1e6).tolist(),
        "pair": random.normal(size=(ROWS, 2)).astype(np.float32).astype(float).tolist(),
    }
    for each in ("color", "ratio", "huge", "seen"):
        values[each][7] = values[each][70] = None
    kind = np.where(ratio + np.array(values["single"]) > 0.3, "yes", "no").tolist()
    given = {name: (TYPES[name], column) for name, column in values.items()}
    return builders.dataset(given | {"kind": ("text", kind), "value": ("double precision", ratio.tolist())})


@cache
def model(name: str, task: str = "classification") -> Artifact:
    known = {"classification": "kind", "regression": "value"}[task]
    hyperparams = {} if name == "linear" else FEW
    recipe = Recipe(0.25, 0, tuple(TYPES))
    spec = FitSpec(task, [known], list(TYPES), name, hyperparams, 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        return unpack(training.fit(spec, target.known(data(), [known]))[1])


def asked(artifact: Artifact, wanted: outputs.Wanted = "all", missing: compiler.Missing = "model") -> Probe:
    """Return what `check` is given, and hold the compiled model against it in SQLite."""
    rows = probes.rows(artifact)
    probe = answers.of_rows(artifact, rows, wanted, missing)
    compiled = compiler.compiled(artifact, wanted, missing)
    text = compiler.to_select(compiled, "sqlite", relations.RELATION, [probe.key])
    found = relations.run_sqlite(text, rows)
    assert found is not None
    verification.check(found, probe)
    return probe


@pytest.mark.parametrize("missing", ["model", "null"])
@pytest.mark.parametrize("wanted", ["prediction", "probabilities", "all"])
@pytest.mark.parametrize("name", ["linear", "random_forest", "xgboost"])
def test_what_is_right_passes(name: str, wanted: outputs.Wanted, missing: compiler.Missing) -> None:
    probe = asked(model(name), wanted, missing)
    given = [row["prediction"] for row in [probe.answers] if "prediction" in row]
    assert all(set(each) >= {"yes", "no"} for each in given)
    absent = sum(value is None for value in next(iter(probe.answers.values())))
    assert (absent > 20) == (missing == "null")


def nearest(given: Any, *, strict: bool) -> Any:
    return given.astype(np.float64)


def shifted(one: Any, center: float, scale: float) -> Any:
    return arithmetic.divide(arithmetic.subtract(one, numbers.literal(center)), numbers.literal(scale + 1e-9))


def unfilled(one: Any, other: Any) -> Any:
    return one


def upper(key: Any) -> Any:
    return categories.text(key.upper()) if isinstance(key, str) else categories.literal(key)


def turned(tree: branches.Branches, *rest: Any) -> str:
    return NESTED(replace(tree, missing_left=~tree.missing_left), *rest)


def opposite(scores: list[Any], labels: Any, kind: str, threshold: float | None) -> Any:
    return CHOSEN(scores, labels[::-1], kind, threshold)


NESTED, CHOSEN = conditions.nested, outputs.chosen
WRONG: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("random_forest", trees, "widest", nearest),
    ("xgboost", trees, "widest", nearest),
    ("xgboost", conditions, "nested", turned),
    ("linear", numbers, "moved", shifted),
    ("linear", arithmetic, "filled", unfilled),
    ("linear", categories, "_key", upper),
    ("linear", outputs, "chosen", opposite),
]
"""Translations that are a little wrong."""


@pytest.mark.parametrize(("name", "module", "function", "instead"), WRONG)
def test_what_is_wrong_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, name: str, module: Any, function: str, instead: Callable[..., Any]
) -> None:
    artifact = model(name)
    monkeypatch.setattr(module, function, instead)
    with pytest.raises(Disagrees):
        asked(artifact)


def probe_of(answers_: Mapping[str, list[Any]], allowed: Mapping[str, list[float]], free: Any = ()) -> Probe:
    decisions = [name for name in answers_ if name not in allowed]
    count = len(next(iter(answers_.values())))
    rows = [f"x: {at}" for at in range(count)]
    return Probe("", "id", rows, dict(answers_), decisions, dict(allowed), list(free))


def test_an_error_shows_the_worst_row() -> None:
    given = probe_of({"prediction": ["a", "b", "a"], "score": [1.0, 2.0, 3.0]}, {"score": [0.1, 0.1, 0.1]})
    with pytest.raises(Disagrees) as caught:
        verification.check({"prediction": ["a", "a", None], "score": [1.05, 2.5, 3.0]}, given)
    error = caught.value
    assert error.message == "the SQL statement does not agree with the model"
    assert error.detail == '"prediction" is "a" instead of "b" for x: 1; 2 of 3 probe rows differ.'
    assert error.sqlstate == "0A000"
    assert error.hint.startswith("Use pgml.predict for this model")


@pytest.mark.parametrize(
    ("found", "fails"),
    [
        ([1.0, None], False),
        ([1.0 + 9e-13, None], False),
        ([1.0 + 3e-12, None], True),
        ([float("nan"), None], True),
        ([float("inf"), None], True),
        ([None, None], True),
        ([1.0, 0.0], True),
    ],
)
def test_numbers_may_differ_by_what_is_allowed_and_null_by_nothing(found: list[Any], fails: bool) -> None:
    given = probe_of({"score": [1.0, None]}, {"score": [1e-12, 1e-12]})
    assert bool(verification.differences({"score": found}, given)) is fails


def test_a_row_that_leaves_the_doubles_in_the_model_is_free() -> None:
    given = probe_of({"score": [1.0, float("inf")]}, {"score": [1e-12, 1e-12]}, free=[1])
    assert verification.differences({"score": [1.0, 1e305]}, given) == []


def test_a_row_that_leaves_them_is_free_too_where_a_missing_value_was_filled() -> None:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 100)).tolist()
    rows = builders.numbers(x=x, z=[None, *z[1:]])
    hyperparams = {"n_components": 2}
    recipe = Recipe(0.25, 0, ("x", "z"))
    spec = FitSpec("clustering", [], ["x", "z"], "gaussian_mixture", hyperparams, 0, recipe, 256 << 20, 1)
    artifact = unpack(training.fit(spec, rows)[1])
    probe = answers.of_rows(artifact, builders.numbers(x=[-1e300, 0.0], z=[None, None]), "all")
    assert probe.free == [0]
    assert probe.answers["prediction"][1] is not None


def test_other_columns_or_rows_are_no_answer() -> None:
    given = probe_of({"score": [1.0]}, {"score": [1.0]})
    for found, detail in (({}, 'no column "score"'), ({"score": [1.0, 2.0]}, "2 rows for 1")):
        with pytest.raises(Disagrees) as caught:
            verification.check(found, given)
        assert detail in caught.value.detail


def test_a_long_row_is_cut() -> None:
    given = replace(probe_of({"prediction": ["a"]}, {}), rows=["x" * 10_000])
    with pytest.raises(Disagrees) as caught:
        verification.check({"prediction": ["b" * 10_000]}, given)
    assert len(caught.value.detail) < 3 * verification.LONGEST


def test_float32_is_allowed_more_and_the_more_the_more_trees() -> None:
    assert answers.relative(model("linear")) == verification.DOUBLE
    assert answers.relative(model("xgboost")) == verification.SINGLE
    assert answers.relative(model("random_forest", "regression")) == verification.SINGLE


@cache
def tried() -> Dataset:
    return probes.rows(model("xgboost"))


def test_probe_rows_are_the_same_each_time() -> None:
    again = probes.rows(model("xgboost"))
    np.testing.assert_array_equal(tried().numbers, again.numbers)
    np.testing.assert_array_equal(tried().codes, again.codes)


def test_probe_rows_hold_what_their_columns_can() -> None:
    found = {name: tried().values(name)[:, 0] for name in TYPES if name != "color"}
    known = {name: values[~np.isnan(values)] for name, values in found.items()}
    for name in ("count", "tiny", "huge"):
        assert (known[name] == np.rint(known[name])).all()
    assert set(known["paid"]) == {0.0, 1.0}
    assert (known["day"] % 86_400 == 0).all()
    assert known["clock"].min() >= 0
    assert known["clock"].max() < 86_400
    for name in ("single", "pair"):
        assert (known[name].astype(np.float32) == known[name]).all()
    assert {-32_768.0, 32_767.0} <= set(known["tiny"])
    assert {-(2.0**31), 2.0**31 - 1} <= set(known["count"])
    assert {1e300, -1e300, 1e-300} <= set(known["ratio"])


def test_probe_rows_hold_null_alone_and_together() -> None:
    absent = np.array([tried().missing(name) for name in TYPES])
    assert absent.all(axis=0).any()
    alone = absent & (absent.sum(axis=0) == 1)
    assert alone.any(axis=1).all()


def test_probe_rows_hold_categories_that_are_known_and_others() -> None:
    codes, texts = tried().coded("color")
    used = {texts[code] for code in codes if code != MISSING}
    assert {"red", "green", "Blue", "it's", "", "never seen", "RED", "bLUE"} <= used


def test_some_probe_rows_are_alike() -> None:
    both = np.hstack([np.nan_to_num(tried().numbers, nan=-1.5), tried().codes])
    assert len(np.unique(both, axis=0)) < len(both)


def test_a_wide_model_has_fewer_probe_rows() -> None:
    random = np.random.default_rng(0)
    wide = {f"x{at}": ("double precision", random.normal(size=60).tolist()) for at in range(1500)}
    rows = builders.dataset(wide | {"y": ("double precision", random.normal(size=60).tolist())})
    recipe = Recipe(0.25, 0, tuple(wide))
    spec = FitSpec("regression", ["y"], list(wide), "ridge", {}, 0, recipe, 256 << 20, 1)
    found = probes.rows(unpack(training.fit(spec, rows)[1]))
    assert probes.LEAST <= len(found) < 80
    assert all(found.missing(name).any() for name in wide)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("center", "scale"), [(0.0, 1.0), (1.7e9, 1.0), (0.3, 7.7), (-5e-7, 1e-12)])
def test_on_both_sides_of_a_threshold_are_neighbours(center: float, scale: float, dtype: str) -> None:
    given = np.random.default_rng(1).normal(size=50).astype(np.float32).astype(np.float64)
    form = {
        "kind": "number",
        "column": {"name": "x", "type": "double precision"},
        "missing": "pass",
        "nulls": False,
        "fill": [0.0],
        "center": [center],
        "scale": [scale],
    }
    encoder = Encoder.from_json({"dtype": dtype, "encodings": [form]})
    found = thresholds.around(encoder, [given])[0, 0]
    encoded = encoder.encode(builders.numbers(x=found))[:, 0]
    for each in given:
        last = np.flatnonzero(encoded <= each).max()
        assert encoded[last + 1] > each
        assert found[last + 1] == np.nextafter(found[last], np.inf)
        first = np.flatnonzero(encoded < each).max()
        assert encoded[first + 1] >= each
        assert found[first + 1] == np.nextafter(found[first], np.inf)


def test_duckdb_answers_as_the_model() -> None:
    artifact = model("linear")
    rows = probes.rows(artifact)
    probe = answers.of_rows(artifact, rows, "all")
    compiled = compiler.compiled(artifact, "all")
    found = relations.run_duckdb(
        compiler.to_select(compiled, "duckdb", relations.RELATION, [probe.key]), rows
    )
    assert found is not None
    verification.check(found, probe)


def test_the_column_of_numbers_has_a_name_of_its_own() -> None:
    rows = builders.numbers(PGML_row=[1.0], pgml_row_=[2.0])
    assert relations.key_of(rows) == "pgml_row__"
