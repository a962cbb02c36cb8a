import json
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.preprocessing import label_binarize

from pgml import metrics

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def cases(rows: int, classes: int, seed: int, levels: int = 0) -> tuple[Codes, Floats]:
    """Return codes of some of the classes, and probabilities with ties if they come in levels."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(rng.permutation(classes)[: rng.integers(1, classes + 1)], rows)
    weights = rng.random((rows, classes)) + np.eye(classes)[truth] * rng.random()
    if levels:
        weights = np.ceil(weights * levels)
    return truth, weights / weights.sum(axis=1, keepdims=True)


def expected(truth: Codes, probabilities: Floats) -> dict[str, float | None]:
    """Return scikit-learn's metrics."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, float | None] = {
            f"{name}{suffix}": score(truth, predicted, average=average, zero_division=0)
            for name, score in {
                "f1": reference.f1_score,
                "precision": reference.precision_score,
                "recall": reference.recall_score,
            }.items()
            for suffix, average in (("", "weighted"), ("_macro", "macro"), ("_micro", "micro"))
            if (name, suffix) not in {("precision", "_micro"), ("recall", "_micro")}
        }
        kappa = reference.cohen_kappa_score(truth, predicted)
        found |= {
            "accuracy": reference.accuracy_score(truth, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
            "mcc": reference.matthews_corrcoef(truth, predicted),
            "cohen_kappa": kappa if np.isfinite(kappa) else None,
            "log_loss": reference.log_loss(truth, probabilities, labels=range(classes)),
            "brier": reference.brier_score_loss(truth, probabilities, labels=range(classes)),
        }
    ranked = [1] if classes == 2 else range(classes)
    of_both = [code for code in ranked if 0 < (truth == code).sum() < truth.size]
    for name, score in (
        ("roc_auc", reference.roc_auc_score),
        ("average_precision", reference.average_precision_score),
    ):
        each = [score(truth == code, probabilities[:, code]) for code in of_both]
        found[name] = float(np.mean(each)) if each else None
    return found


def numbers(scores: dict[str, float | None]) -> dict[str, float]:
    return {name: score for name, score in scores.items() if score is not None}


@given(st.integers(1, 60), st.integers(2, 7), st.integers(0, 10**6), st.sampled_from([0, 1, 3]))
@settings(max_examples=150, deadline=None)
def test_every_metric_is_that_of_scikit_learn(rows: int, classes: int, seed: int, levels: int) -> None:
    truth, probabilities = cases(rows, classes, seed, levels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.evaluate("classification", truth, probabilities)
    wanted = expected(truth, probabilities)
    assert {name for name in found if found[name] is None} == {
        name for name in wanted if wanted[name] is None
    }
    assert numbers(found) == pytest.approx(numbers(wanted), rel=1e-9, abs=1e-9)
    assert list(found) == list(metrics.of_task("classification"))
    json.dumps(found)


@pytest.mark.parametrize("classes", [2, 5])
def test_of_scores_only_what_ranks_or_names_a_class_is_defined(classes: int) -> None:
    truth, probabilities = cases(80, classes, 1)
    scores = 50 * np.log(probabilities) - 7
    of_scores = metrics.evaluate("classification", truth, scores, "scores")
    of_labels = metrics.evaluate("classification", truth, probabilities.argmax(axis=1), "labels")
    whole = metrics.evaluate("classification", truth, probabilities)
    assert {name for name, score in of_scores.items() if score is None} == {"log_loss", "brier"}
    assert of_scores == pytest.approx(whole | {"log_loss": None, "brier": None})
    none = dict.fromkeys(("log_loss", "brier", "roc_auc", "average_precision"))
    assert of_labels == pytest.approx(whole | none)


@pytest.mark.parametrize("classes", [2, 4])
def test_rows_of_an_unknown_class_are_always_wrong(classes: int) -> None:
    truth, probabilities = np.arange(90) % classes, cases(90, classes, 3)[1]
    truth[:30] = -1
    found = metrics.evaluate("classification", truth, probabilities)
    # The same model with one class more, to which it never gives any probability.
    wider = np.column_stack([probabilities, np.zeros(90)])
    codes = wider.argmax(axis=1)
    true = np.where(truth < 0, classes, truth)
    known = list(range(classes))
    options: dict[str, Any] = {"labels": known, "zero_division": 0}
    assert found["accuracy"] == found["f1_micro"] == reference.accuracy_score(true, codes)
    assert found["mcc"] == pytest.approx(reference.matthews_corrcoef(true, codes))
    assert found["cohen_kappa"] == pytest.approx(reference.cohen_kappa_score(true, codes))
    assert found["log_loss"] == pytest.approx(reference.log_loss(true, wider, labels=range(classes + 1)))
    for name in ("f1", "precision", "recall"):
        score = getattr(reference, f"{name}_score")
        assert found[name] == pytest.approx(score(true, codes, average="weighted", **options))
        assert found[f"{name}_macro"] == pytest.approx(score(true, codes, average="macro", **options))
    halved = 2 if classes == 2 else 1
    brier = reference.brier_score_loss(true, wider, labels=range(classes + 1))
    assert found["brier"] == pytest.approx(brier / halved)
    ranked = [1] if classes == 2 else known
    areas = [reference.roc_auc_score(true == code, wider[:, code]) for code in ranked]
    assert found["roc_auc"] == pytest.approx(np.mean(areas))


def test_where_every_class_is_unknown_nothing_is_right() -> None:
    truth, probabilities = np.full(5, -1), np.full((5, 2), 0.5)
    found = metrics.evaluate("classification", truth, probabilities)
    assert found["accuracy"] == found["f1_micro"] == found["mcc"] == 0
    assert [found[name] for name in ("f1", "precision", "balanced_accuracy", "roc_auc")] == [None] * 4
    assert found["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps))


def test_each_class_has_its_own_numbers_as_in_scikit_learn() -> None:
    truth, probabilities = cases(70, 5, 11)
    codes = probabilities.argmax(axis=1)
    found = metrics.by_class(truth, codes, 6)
    report = reference.precision_recall_fscore_support(truth, codes, labels=range(6), zero_division=0)
    for code, row in enumerate(found):
        assert list(row.values()) == pytest.approx([column[code] for column in report])
    assert list(found[0]) == ["precision", "recall", "f1", "support"]
    unknown = metrics.by_class(np.array([-1, -1, 0]), np.array([0, 0, 0]), 1)
    assert unknown == [{"precision": pytest.approx(1 / 3), "recall": 1.0, "f1": 0.5, "support": 1}]


def test_the_confusion_counts_unknown_classes_in_a_last_row() -> None:
    truth, probabilities = cases(70, 4, 5)
    codes = probabilities.argmax(axis=1)
    found = metrics.confusion(truth, codes, 4)
    assert found[:4].tolist() == reference.confusion_matrix(truth, codes, labels=range(4)).tolist()
    assert found[4].tolist() == [0, 0, 0, 0]
    assert metrics.confusion(np.array([-1, 1, -1]), np.array([0, 1, 1]), 2).tolist() == [
        [0, 0],
        [0, 1],
        [1, 1],
    ]


def test_the_mean_of_one_against_the_rest_is_scikit_learns_where_every_class_is_there() -> None:
    truth, probabilities = np.arange(300) % 3, cases(300, 3, 2, 4)[1]
    found = metrics.evaluate("classification", truth, probabilities)
    assert found["roc_auc"] == pytest.approx(reference.roc_auc_score(truth, probabilities, multi_class="ovr"))
    binary = label_binarize(truth, classes=range(3))
    assert found["average_precision"] == pytest.approx(
        reference.average_precision_score(binary, probabilities, average="macro")
    )


def test_nan_scores_rank_nothing() -> None:
    truth, probabilities = cases(20, 3, 4)
    probabilities[3] = np.nan
    found = metrics.evaluate("classification", truth, probabilities)
    assert [found[name] for name in ("roc_auc", "average_precision", "log_loss", "brier")] == [None] * 4


def test_infinite_scores_rank_as_any_other() -> None:
    truth = np.array([0, 1, 0, 1])
    high = np.array([-np.inf, np.inf, -np.inf, 3.0])
    found = metrics.evaluate("classification", truth, np.column_stack([-high, high]), "scores")
    assert found["roc_auc"] == found["accuracy"] == 1


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "brier", "f1_macro"])
def test_one_score_is_that_of_them_all(name: str) -> None:
    truth, probabilities = np.arange(50) % 3, cases(50, 3, 8)[1]
    one = metrics.score(metrics.METRICS[name], truth, probabilities, "probabilities")
    assert one == metrics.evaluate("classification", truth, probabilities)[name]
