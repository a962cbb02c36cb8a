"""Categories as means of the target: scikit-learn's, and without any row's own target in its own."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder
from sklearn.tree import DecisionTreeRegressor

from pgml import preprocessing
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.preprocessing import Encoder, Family, TargetEncoding, checked
from tests.unit import builders

Floats = npt.NDArray[Any]
PLAIN = Family(scaled=False, takes_missing=False, dtype="float64")
RNG = np.random.default_rng(0)
ROWS = 3000
TEXTS = np.array([f"c{i:03}" for i in RNG.integers(0, 100, ROWS)], dtype=object)
"""Each of them about thirty times, so none alone."""
VALUES = RNG.normal(1000, 5, ROWS) + np.char.str_len(TEXTS.astype(str)) * (TEXTS > "c050")
SAID = {"a": {"encode": "target"}}


def fitted(
    texts: Any,
    target: Floats,
    classes: int = 0,
    said: Any = SAID,
    family: Family = PLAIN,
    kind: str = "text",
    **options: Any,
) -> tuple[Encoder, Floats, Dataset]:
    data = builders.dataset({"a": (kind, list(texts))})
    plans = checked(said, data.columns, ["y"])
    encoder, matrix = preprocessing.fit(data, data.columns, family, plans, target, classes, **options)
    again = Encoder.from_json(json.loads(json.dumps(encoder.as_json(), allow_nan=False)))
    assert again == encoder
    np.testing.assert_array_equal(again.encode(data), encoder.encode(data))
    assert len(encoder.matrix_columns) == encoder.width == matrix.shape[1]
    return encoder, matrix, data


def means(encoder: Encoder) -> TargetEncoding:
    encoding = encoder.encodings[0]
    assert isinstance(encoding, TargetEncoding)
    return encoding


@pytest.mark.parametrize("classes", [0, 2, 5])
def test_new_rows_get_scikit_learns_smoothed_means(classes: int) -> None:
    target = RNG.integers(0, classes, ROWS).astype(float) if classes else VALUES
    encoder, _, data = fitted(TEXTS, target, classes)
    kind = {0: "continuous", 2: "binary", 5: "multiclass"}[classes]
    expected = TargetEncoder(target_type=kind, smooth="auto").fit(TEXTS[:, None], target)
    np.testing.assert_allclose(encoder.encode(data), expected.transform(TEXTS[:, None]), rtol=1e-12)
    later = encoder.encode(builders.dataset({"a": ("text", ["unseen"])}))
    np.testing.assert_allclose(later, expected.transform([["unseen"]]), rtol=1e-12)
    assert encoder.width == (classes if classes > 2 else 1)


def test_training_rows_get_scikit_learns_means_of_other_folds() -> None:
    folds = list(KFold(5, shuffle=True, random_state=3).split(TEXTS))
    _, matrix, _ = fitted(TEXTS, VALUES, folds=folds)
    expected = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=3))
    np.testing.assert_allclose(matrix, expected.fit_transform(TEXTS[:, None], VALUES), rtol=1e-12)


def test_several_targets_have_a_column_each() -> None:
    target = np.stack([VALUES, -(VALUES**2)], axis=1)
    encoder, matrix, data = fitted(TEXTS, target)
    assert [label for _, label in encoder.matrix_columns] == ["a: mean 1", "a: mean 2"]
    for at in range(2):
        alone, alone_matrix, _ = fitted(TEXTS, target[:, at])
        np.testing.assert_allclose(encoder.encode(data)[:, at], alone.encode(data)[:, 0], rtol=1e-12)
        np.testing.assert_allclose(matrix[:, at], alone_matrix[:, 0], rtol=1e-12)


@pytest.mark.parametrize("model", [Ridge(), DecisionTreeRegressor(min_samples_leaf=200, random_state=0)])
@pytest.mark.parametrize("classes", [0, 2])
def test_categories_of_noise_tell_nothing_about_rows_they_were_learnt_from(model: Any, classes: int) -> None:
    texts = [f"id{i // 4}" for i in range(ROWS)]
    noise = RNG.integers(0, 2, ROWS).astype(float) if classes else RNG.normal(size=ROWS)
    encoder, matrix, data = fitted(texts, noise, classes)
    learnt = model.fit(matrix, noise).predict(matrix)
    assert np.corrcoef(learnt, noise)[0, 1] < 0.15
    leaking = encoder.encode(data)
    learnt = model.fit(leaking, noise).predict(leaking)
    assert np.corrcoef(learnt, noise)[0, 1] > 0.35


@pytest.mark.parametrize("given", [True, False])
def test_no_rows_own_target_goes_into_its_own_mean(given: bool) -> None:
    folds = list(KFold(4, shuffle=True, random_state=1).split(TEXTS)) if given else None
    _, before, _ = fitted(TEXTS, VALUES, folds=folds)
    for row in (0, 17, 2999):
        changed = VALUES.copy()
        changed[row] += 1e6
        _, after, _ = fitted(TEXTS, changed, folds=folds)
        assert after[row, 0] == before[row, 0]
        assert (after != before).any()


def test_means_follow_the_seed_alone() -> None:
    one, two, other = (fitted(TEXTS, VALUES, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_rows_that_no_fold_holds_out_get_the_mean_of_all() -> None:
    folds = [(np.arange(1000), np.arange(1000, ROWS))]
    _, matrix, _ = fitted(TEXTS, VALUES, folds=folds)
    np.testing.assert_allclose(matrix[:1000], VALUES.mean())
    assert np.unique(matrix[1000:]).size > 50


def test_a_category_of_one_row_has_no_mean_of_its_own() -> None:
    encoder, _, data = fitted(["a", "a", "b", "c", "c"], np.array([1.0, 2, 100, 5, 6]))
    assert means(encoder).categories == ("a", "c")
    assert encoder.encode(data)[2, 0] == pytest.approx(114 / 5)
    missing, _, data = fitted(["a", "a", None], np.array([1.0, 2, 30]))
    assert missing.encode(data)[2, 0] == pytest.approx(11)


@pytest.mark.parametrize("constant", ["a first", "c050", "z last"])
def test_a_constant_counts_as_if_it_had_been_there(constant: str) -> None:
    texts = np.where(np.arange(ROWS) % 7 == 0, None, TEXTS)
    said = {"a": {"encode": "target", "impute": {"constant": constant}}}
    encoder, matrix, data = fitted(texts, VALUES, said=said)
    expected, expected_matrix, filled = fitted(np.where(np.equal(texts, None), constant, texts), VALUES)
    np.testing.assert_allclose(matrix, expected_matrix)
    np.testing.assert_allclose(encoder.encode(data), expected.encode(filled))


def test_missing_texts_are_a_category_unless_they_are_filled() -> None:
    texts = [None if i % 3 == 0 else "ab"[i % 2] for i in range(90)]
    target = np.array([10.0 if text is None else i % 2 for i, text in enumerate(texts)])
    for family in (PLAIN, Family(scaled=False, takes_missing=True, dtype="float32")):
        encoder, _, _ = fitted(texts, target, family=family)
        later = builders.dataset({"a": ("text", [None, "never"])})
        assert encoder.encode(later)[:, 0] == pytest.approx([10, target.mean()])
        assert encoder.encodings[0].filled == "a"
    filled, _, _ = fitted(texts, target, said={"a": {"encode": "target", "impute": {"constant": "b"}}})
    table = filled.encode(builders.dataset({"a": ("text", [None, "b"])}))
    assert table[0, 0] == table[1, 0] != encoder.encode(builders.dataset({"a": ("text", ["b"])}))[0, 0]
    without, _, _ = fitted(["a", "a", "b", "b"], np.array([1.0, 2, 3, 4]))
    assert without.encode(later)[:, 0] == pytest.approx([2.5, 2.5])
    with pytest.raises(InvalidValue, match='feature "a" is NULL'):
        fitted(texts, target, said={"a": {"encode": "target", "impute": "error"}})


def test_numbers_and_booleans_have_means_too() -> None:
    numbers = np.repeat([7.0, 3.0, 11.0], 40)
    target = np.repeat([1.0, 2.0, 3.0], 40) + RNG.normal(0, 0.01, 120)
    encoder, _, data = fitted(numbers, target, kind="integer")
    expected = (
        TargetEncoder(target_type="continuous").fit(numbers[:, None], target).transform(numbers[:, None])
    )
    np.testing.assert_allclose(encoder.encode(data), expected, rtol=1e-12)
    assert means(encoder).categories == (3.0, 7.0, 11.0)
    assert encoder.encode(builders.dataset({"a": ("integer", [5])}))[0, 0] == pytest.approx(target.mean())
    flags, _, _ = fitted([True, False] * 30, np.array([1.0, 0] * 30), kind="boolean")
    assert flags.encode(builders.dataset({"a": ("boolean", [False, True])}))[:, 0] == pytest.approx([0, 1])


def test_means_are_scaled_as_training_rows_have_them() -> None:
    scaled = Family(scaled=True, takes_missing=False, dtype="float64")
    encoder, matrix, data = fitted(TEXTS, VALUES, family=scaled)
    assert matrix.mean() == pytest.approx(0, abs=1e-9)
    assert matrix.std() == pytest.approx(1)
    plain = fitted(TEXTS, VALUES)[0].encode(data)
    assert np.corrcoef(plain[:, 0], encoder.encode(data)[:, 0])[0, 1] == pytest.approx(1)
    said = {"a": {"encode": "target", "scale": "min_max"}}
    assert np.ptp(fitted(TEXTS, VALUES, said=said)[1]) == pytest.approx(1)


def test_means_far_from_zero_stay_apart_in_single_precision() -> None:
    single = Family(scaled=False, takes_missing=True, dtype="float32")
    encoder, _, data = fitted(TEXTS, 1.7e9 + VALUES, family=single)
    assert np.unique(encoder.encode(data)).size == np.unique(TEXTS).size


def test_of_more_than_64_texts_the_default_is_the_mean_of_a_target() -> None:
    many, few = [f"c{i % 65}" for i in range(650)], [f"c{i % 64}" for i in range(640)]
    kind = [
        fitted(texts, np.arange(len(texts)) % max(classes, 2) * 1.0, classes, {})[0].encodings[0].kind
        for texts, classes in ((many, 0), (few, 0), (many, 2), (many, 64), (many, 65))
    ]
    assert kind == ["target", "one_hot", "target", "target", "one_hot"]
    asked = fitted(many, np.arange(650.0), said={"a": {"encode": "one_hot"}})[0]
    assert asked.matrix_columns[-1] == ("a", "a: rare")


@pytest.mark.parametrize("texts", [["a"], ["a", "a"], [None, None], ["a", "b", None]])
def test_a_handful_of_rows_is_enough(texts: list[str | None]) -> None:
    encoder, matrix, data = fitted(texts, np.arange(len(texts)) * 1.0)
    assert np.isfinite(matrix).all()
    assert np.isfinite(encoder.encode(data)).all()


def test_a_class_that_a_fold_lacks_is_no_obstacle() -> None:
    target = np.zeros(50)
    target[7] = 1
    target[20:30] = 2
    encoder, matrix, _ = fitted(["a", "b"] * 25, target, 3)
    assert matrix.shape == (50, 3)
    assert np.isfinite(matrix).all()
    assert encoder.width == 3
