from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from pgml import comparison, metrics, splitting, target
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.spec import Recipe
from tests.unit import builders

Floats = npt.NDArray[np.float64]
COUNT = 1000
DATA = builders.dataset(
    {
        "a": ("integer", range(COUNT)),
        "v": ("real[]", [[i % 7, i % 3] for i in range(COUNT)]),
        "label": ("text", [("a", "b", "c")[i % 3] for i in range(COUNT)]),
        "y": ("numeric", np.random.default_rng(0).normal(size=COUNT).tolist()),
    }
)
RECIPE = Recipe(0.25, 0, ("a", "v"))
ALL = np.ones(COUNT, dtype=bool)
LABELS = target.read(DATA, ["label"], "classification")
NUMBERS = target.read(DATA, ["y"], "regression")


def scored(predictor: Predictor, data: Dataset, truth: target.Target, rows: npt.NDArray[np.bool_]) -> float:
    """Return the key metric, NaN where there is none."""
    metric = metrics.default(predictor.task)
    assert metric is not None
    found = comparison.score(predictor, metric, data, truth, rows)
    return float("nan") if found is None else found


@dataclass
class Constant:
    """A predictor whose outputs are known beforehand, found again by the value of ``a``."""

    task: str
    labels: Sequence[Any]
    answers: Floats
    parts: Sequence[Any] = ()
    encoder: Any = None
    threshold: float | None = None
    standard: Any = None

    @property
    def output(self) -> str:
        return "value" if self.task == "regression" else "probabilities"

    def outputs(self, dataset: Dataset) -> Floats:
        return np.asarray(self.answers[dataset.values("a")[:, 0].astype(int)])


def predictor(task: str, labels: Sequence[Any], answers: Any) -> Predictor:
    return cast("Predictor", Constant(task, labels, np.asarray(answers, dtype=float)))


def always(labels: Sequence[Any], label: Any) -> Predictor:
    return predictor("classification", labels, np.tile(np.eye(len(labels))[labels.index(label)], (COUNT, 1)))


def test_a_model_can_be_scored_where_its_columns_are() -> None:
    features = [DATA.find("a"), DATA.find("v")]
    assert comparison.has_columns(DATA, features, RECIPE)
    assert comparison.has_columns(builders.ordered(DATA, ["y", "v", "a"]), features[::-1], RECIPE)
    assert not comparison.has_columns(builders.without(DATA, "v"), features, RECIPE)


@pytest.mark.parametrize(
    "column",
    [Column("a", "bigint"), Column("A", "integer"), Column("v", "real[]", 3), Column("label", "enum")],
)
def test_a_column_of_another_type_or_width_is_another_column(column: Column) -> None:
    assert not comparison.has_columns(DATA, [column], RECIPE)


def test_the_columns_of_the_split_are_needed_too() -> None:
    split = Recipe(0.25, 0, ("customer",))
    assert not comparison.has_columns(DATA, [DATA.find("a")], split)
    assert comparison.has_columns(DATA, [DATA.find("a")], replace(split, columns=("label",)))


def test_common_rows_are_test_rows_by_every_recipe() -> None:
    recipes = [RECIPE, Recipe(0.5, 1, ("a",)), Recipe(0.4, 0, ("v", "label"), one_by_one=True)]
    masks = [splitting.test_rows(DATA, recipe, NUMBERS.values) for recipe in recipes]
    common = comparison.common_rows(DATA, NUMBERS, recipes)
    np.testing.assert_array_equal(common, masks[0] & masks[1] & masks[2])
    assert 0 < common.sum() < masks[0].sum()
    np.testing.assert_array_equal(comparison.common_rows(DATA, NUMBERS, recipes[:1]), masks[0])
    assert comparison.common_rows(DATA, NUMBERS, []).all()


def test_rows_that_were_moved_to_training_are_no_common_rows() -> None:
    mask = comparison.common_rows(DATA, NUMBERS, [RECIPE])
    first = np.flatnonzero(mask)[0]
    key = f"{int(splitting.row_hashes(DATA, RECIPE.columns)[first]):016x}"
    moved = comparison.common_rows(DATA, NUMBERS, [RECIPE, replace(RECIPE, moved={key: "train"})])
    assert np.flatnonzero(mask & ~moved).tolist() == [first]


def test_a_regression_is_scored_by_r2_on_the_rows_asked_for() -> None:
    rows = np.arange(COUNT) % 2 == 0
    wrong_elsewhere = np.where(rows, NUMBERS.values, 1e6)
    assert scored(predictor("regression", [], wrong_elsewhere), DATA, NUMBERS, rows) == 1
    mean = np.full(COUNT, NUMBERS.values[rows].mean())
    assert scored(predictor("regression", [], mean), DATA, NUMBERS, rows) == pytest.approx(0)


def test_several_targets_are_scored_by_the_mean_of_their_r2() -> None:
    truth = target.read(DATA, ["y", "a"], "regression")
    half = np.column_stack([truth.values[:, 0], np.full(COUNT, np.arange(COUNT).mean())])
    assert scored(predictor("regression", [], half), DATA, truth, ALL) == pytest.approx(0.5)
    recipe = Recipe(0.4, 0, ("label",), one_by_one=True)
    some = comparison.common_rows(DATA, truth, [recipe])
    again, order = builders.shuffled(DATA)
    moved = comparison.common_rows(again, target.read(again, ["y", "a"], "regression"), [recipe])
    np.testing.assert_array_equal(moved, some[order])


def test_nothing_is_better_on_rows_whose_truth_does_not_vary() -> None:
    same = builders.numbers(a=range(50), y=[0.1] * 50)
    truth = target.Target(same.values("y")[:, 0], [], "number")
    rows = np.arange(50) < 42
    good, bad = (predictor("regression", [], np.full(50, value)) for value in (0.1, 5))
    scores = [scored(each, same, truth, rows) for each in (good, bad)]
    assert np.isnan(scores).all()


def test_a_classification_is_scored_by_accuracy_on_the_rows_asked_for() -> None:
    rows = np.arange(COUNT) < 500
    assert scored(always(["a", "b", "c"], "a"), DATA, LABELS, rows) == 167 / 500
    perfect = predictor("classification", ["a", "b", "c"], np.eye(3)[np.arange(COUNT) % 3])
    assert scored(perfect, DATA, LABELS, rows) == 1


def test_labels_are_compared_and_not_their_codes() -> None:
    perfect = np.eye(3)[np.arange(COUNT) % 3]
    assert scored(predictor("classification", ["c", "b", "a"], perfect[:, ::-1]), DATA, LABELS, ALL) == 1
    older = predictor("classification", ["b", "c"], perfect[:, 1:] + [[0.1, 0]])
    assert scored(older, DATA, LABELS, ALL) == pytest.approx(2 / 3, abs=1e-3)


def test_a_label_that_is_gone_counts_as_wrong() -> None:
    assert scored(always(["a", "gone"], "gone"), DATA, LABELS, ALL) == 0


@pytest.mark.parametrize("kind", ["boolean", "integer"])
def test_labels_that_went_through_json_are_the_same_labels(kind: str) -> None:
    data = builders.dataset({"a": ("integer", range(6)), "y": (kind, [0, 1, 0, 1, 1, 1])})
    truth = target.read(data, ["y"], "classification")
    ones = predictor("classification", [0.0, 1.0], np.tile([0.2, 0.8], (6, 1)))
    assert scored(ones, data, truth, np.ones(6, dtype=bool)) == pytest.approx(4 / 6)
    rows = np.array([True, False, True, False, False, False])
    assert scored(ones, data, truth, rows) == 0


def test_thirty_rows_are_the_fewest_that_decide() -> None:
    assert comparison.FEWEST_ROWS == 30
