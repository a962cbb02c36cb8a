"""A table as people have them: every classifier trains on it as it is, and is stored as it was fitted."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, target, training
from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.inference import GOLDEN_TOLERANCE, Predictor
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

ROWS = 260
RARE = 2
"""Rows of the rarest class."""
REFUSING = ("quadratic_discriminant_analysis",)
"""They need two rows of each class, and say so."""
TYPES = {
    "color": "text",
    "city": "character varying",
    "day": "date",
    "seen": "timestamp with time zone",
    "amount": "numeric",
    "epoch": "bigint",
    "paid": "boolean",
    "ratio": "double precision",
    "always": "integer",
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def data(rare: int = RARE) -> Dataset:
    """Texts of few and of many values, times, large numbers, a constant, and NULL in every column."""
    random = np.random.default_rng(11)
    color = random.choice(["red", "green", "blue"], size=ROWS)
    seconds = 1.7e9 + random.integers(0, 10**7, ROWS)
    paid = (random.random(ROWS) < 0.4).astype(float)
    ratio = random.normal(size=ROWS)
    values = {
        "color": [str(each) for each in color],
        "city": [f"city {each}" for each in random.integers(0, 150, ROWS)],
        "day": (np.floor(seconds / 86_400) * 86_400).tolist(),
        "seen": (seconds + random.random(ROWS).round(6)).tolist(),
        "amount": (random.lognormal(29, 1, ROWS)).round(6).tolist(),
        "epoch": seconds.tolist(),
        "paid": paid.tolist(),
        "ratio": ratio.tolist(),
        "always": [7.0] * ROWS,
    }
    holes = random.random((ROWS, len(values))) < 0.06
    given = {
        name: (TYPES[name], [None if hole else value for value, hole in zip(each, holes[:, at], strict=True)])
        for at, (name, each) in enumerate(values.items())
    }
    label = np.where(ratio + paid + (color == "red") > 1, "yes", "no").astype("<U8")
    label[:rare] = "perhaps"
    unknown = random.random(ROWS) < 0.03
    unknown[:rare] = False
    texts = [None if null else str(each) for each, null in zip(label, unknown, strict=True)]
    return builders.dataset(given | {"label": ("text", texts)})


def spec(name: str) -> FitSpec:
    features = list(TYPES) if name != "isotonic" else ["ratio"]
    recipe = Recipe(0.25, 0, tuple(features))
    return FitSpec("classification", ["label"], features, name, {}, 0, recipe, 256 << 20, 1)


CASES = [(name, rare) for name in algorithms.names("classification") for rare in (1, RARE)]


@pytest.mark.parametrize(("name", "rare"), CASES)
def test_every_classifier_takes_a_table_as_it_is(name: str, rare: int) -> None:
    rows = data(rare)
    wanted = spec(name)
    known = target.known(rows, wanted.targets)
    if rare == 1 and name in REFUSING:
        with pytest.raises(InvalidValue, match="a class has one training row"):
            training.fit(wanted, known)
        return
    report, model = training.fit(wanted, known)
    predictor = Predictor(model)
    outputs = predictor.outputs(rows)
    assert outputs.shape == (ROWS, 3)
    assert np.isfinite(outputs).all()
    assert predictor.labels == ["no", "perhaps", "yes"]
    assert 0 <= report["metrics"]["accuracy"] <= 1
    if predictor.output == "probabilities":
        assert np.allclose(outputs.sum(axis=1), 1)
        assert outputs.min() >= 0


@pytest.mark.parametrize("name", ["bagging", "random_forest", "xgboost", "mlp"])
def test_a_target_that_is_moved_may_lose_its_last_digit(name: str) -> None:
    rows = data()
    random = np.random.default_rng(3)
    noise = 1e12 + rows.values("epoch")[:, 0] / 1.7e9 + random.random(ROWS)
    known = {"y": ("numeric", np.nan_to_num(noise, nan=1e12).tolist())}
    given = {each: (TYPES[each], rows.values(each)[:, 0].tolist()) for each in ("ratio", "amount", "epoch")}
    recipe = Recipe(0.25, 0, tuple(given))
    wanted = FitSpec("regression", ["y"], list(given), name, {}, 0, recipe, 256 << 20, 1)
    model = training.fit(wanted, builders.dataset(given | known))[1]
    golden = unpack(model).golden
    # Another runtime may round these sums the other way.
    assert np.min(golden["scale"]) * GOLDEN_TOLERANCE >= np.spacing(1e12)
