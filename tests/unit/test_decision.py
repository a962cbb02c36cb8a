"""A threshold is obeyed wherever probabilities become a label, also by a row that lies on it exactly."""

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

from pgml import comparison, importance, metrics, target, training
from pgml.artifact.format import Artifact, pack, unpack
from pgml.dataset import Dataset
from pgml.decision import codes_of, threshold_of
from pgml.errors import Corrupted, MalformedText, NotBuilt
from pgml.exchange import assembly
from pgml.exchange.audit import model as audit
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.exchange.onnx.writing import onnx_of
from pgml.exchange.pmml.document import Header, pmml_of
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.single import single_row
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers as proof
from pgml.sqlgen.proof import verification
from pgml.target import label_text
from pgml.usecases import answers
from tests.sql_databases import TABLE, DuckDatabase
from tests.unit import builders, exported, statements

SHARES = (0.0, 0.25, 0.5, 1.0)
"""Of the second class where ``a`` is 0, 1, 2, 3: what the leaves of a tree hold, exactly."""
ABOVE_QUARTER = math.nextafter(0.25, 1.0)
THRESHOLDS: dict[float | None, tuple[int, ...]] = {
    None: (0, 0, 0, 1),
    0.25: (0, 1, 1, 1),
    ABOVE_QUARTER: (0, 0, 1, 1),
    0.5: (0, 0, 1, 1),
    math.nextafter(0.5, 1.0): (0, 0, 0, 1),
    math.nextafter(1.0, 0.0): (0, 0, 0, 1),
}
"""For each threshold the code that each leaf stands for."""
LABELS: dict[str, tuple[Any, Any]] = {
    "text": ("no", "yes"),
    "boolean": (False, True),
    "number": (2, 7),
}
TYPES = {"text": "text", "boolean": "boolean", "number": "integer"}
ROWS = builders.numbers(a=[0, 1, 2, 3])


def leaves(kind: str) -> Dataset:
    """Rows of which the last 32 test, and the others make a tree of four leaves."""
    a = np.repeat(np.arange(4), 8).tolist() * 4
    second = [place % 8 < 8 * SHARES[place // 8 % 4] for place in range(len(a))]
    first, other = LABELS[kind]
    return builders.dataset(
        {
            "a": ("double precision", a),
            "y": (TYPES[kind], [other if each else first for each in second]),
        }
    )


def spec(algorithm: str, threshold: float | str | None, **others: Any) -> FitSpec:
    recipe = Recipe(32, 0, ("a",), "last")
    given: dict[str, Any] = {"metric": "accuracy", "threshold": threshold} | others
    return FitSpec("classification", ["y"], ["a"], algorithm, {}, 0, recipe, 1 << 28, 1, **given)


@cache
def tree(kind: str, threshold: float | None) -> tuple[dict[str, Any], bytes]:
    return training.fit(spec("decision_tree", threshold), leaves(kind))


def labels(kind: str, threshold: float | None) -> list[Any]:
    return [LABELS[kind][code] for code in THRESHOLDS[threshold]]


def test_of_equal_probabilities_the_first_class_is_taken_unless_a_threshold_says_otherwise() -> None:
    outputs = np.array([[0.5, 0.5], [0.4, 0.6], [0.75, 0.25]])
    assert codes_of("probabilities", outputs).tolist() == [0, 1, 0]
    assert codes_of("probabilities", outputs, 0.5).tolist() == [1, 1, 0]
    assert codes_of("probabilities", outputs, 0.25).tolist() == [1, 1, 1]
    assert codes_of("probabilities", outputs, ABOVE_QUARTER).tolist() == [1, 1, 0]
    assert codes_of("scores", outputs, 0.25).tolist() == [0, 1, 0]


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("kind", LABELS)
def test_one_row_and_many_get_the_label_of_the_threshold(kind: str, threshold: float | None) -> None:
    predictor = Predictor(tree(kind, threshold)[1])
    outputs = predictor.outputs(ROWS)
    assert outputs[:, 1].tolist() == list(SHARES)
    assert predictor.codes(outputs).tolist() == list(THRESHOLDS[threshold])
    texts = [label_text(each, kind) for each in labels(kind, threshold)]
    assert [answers.label(predictor, each) for each in outputs] == texts
    single = single_row(predictor)
    assert single is not None
    assert [single.label(single.numbers([a])) for a in range(4)] == texts
    assert [single.label(single.by_name({"a": a})) for a in range(4)] == texts
    assert [single.probabilities(single.numbers([a]))[1] for a in range(4)] == list(SHARES)
    if kind != "text":
        numbers = [float(each) for each in labels(kind, threshold)]
        assert [answers.value(predictor, each) for each in outputs] == numbers
        assert [single.answer([a]) for a in range(4)] == numbers
        assert [single.value(single.by_name({"a": a})) for a in range(4)] == numbers


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("kind", LABELS)
def test_sql_gives_the_label_of_the_threshold(kind: str, threshold: float | None) -> None:
    data = tree(kind, threshold)[1]
    expected = [each if kind == "text" else float(each) for each in labels(kind, threshold)]
    assert statements.answers(data, ROWS, "prediction")["prediction"] == expected
    found = statements.answers(data, ROWS, "all")
    assert found["prediction"] == expected
    assert found[f"probability_{label_text(LABELS[kind][1], kind)}"] == list(SHARES)


@pytest.mark.parametrize("threshold", [0.25, ABOVE_QUARTER])
def test_duckdb_gives_the_label_of_the_threshold(threshold: float) -> None:
    artifact = unpack(tree("text", threshold)[1])
    database = DuckDatabase()
    database.load(ROWS)
    sql = compiler.to_select(compiler.compiled(artifact), "duckdb", TABLE, ["row_id"])
    assert database.answers(sql)["prediction"] == labels("text", threshold)


def test_a_statement_that_obeys_another_threshold_is_found_out() -> None:
    artifact, other = (unpack(tree("text", each)[1]) for each in (0.25, 0.5))
    probe = proof.of_rows(artifact, ROWS)
    right, wrong = (
        {"prediction": statements.answers(pack(each), ROWS, "prediction")["prediction"]}
        for each in (artifact, other)
    )
    verification.check(right, probe)
    near = replace(probe, near=[])
    with pytest.raises(verification.Disagrees):
        verification.check(wrong, near)
    # The row on the threshold itself may be rounded to either side; one beside it may not.
    assert probe.near == [1]
    verification.check(wrong, probe)
    with pytest.raises(verification.Disagrees):
        verification.check({"prediction": ["yes", *right["prediction"][1:]]}, probe)


@pytest.mark.parametrize("kind", LABELS)
def test_a_file_of_onnx_gives_the_label_of_the_threshold_and_is_read_back_with_it(
    kind: str, tmp_path: Path
) -> None:
    thresholds = list(THRESHOLDS)
    artifacts = [unpack(tree(kind, each)[1]) for each in thresholds]
    found = exported.run([(each, ROWS) for each in artifacts], tmp_path)
    for threshold, artifact, answer in zip(thresholds, artifacts, found, strict=True):
        assert answer.outputs["label"].tolist() == labels(kind, threshold)
        assert answer.outputs["probabilities"][:, 1].tolist() == list(SHARES)
        foreign = read(onnx_of(artifact), Wanted(None, None, None))
        made = assembly.artifact(foreign, Wanted(None, None, None), ["y"], 1 << 28)
        assert threshold_of(made.decoder) == threshold
        predictor = Predictor(pack(made))
        assert predictor.codes(predictor.outputs(ROWS)).tolist() == list(THRESHOLDS[threshold])


def test_pmml_knows_no_threshold() -> None:
    header = Header("m", "decision_tree", "2026-01-01T00:00:00", "0")
    assert "<PMML" in pmml_of(unpack(tree("text", None)[1]), header)
    with pytest.raises(NotBuilt, match="cannot be written as PMML") as caught:
        pmml_of(unpack(tree("text", 0.25)[1]), header)
    assert "threshold" in caught.value.detail
    assert "export_onnx" in caught.value.hint


@pytest.mark.parametrize("threshold", [None, 0.25, ABOVE_QUARTER])
def test_metrics_and_tables_are_those_of_the_labels(threshold: float | None) -> None:
    report, data = tree("number", threshold)
    codes = THRESHOLDS[threshold]
    right = sum(8 * (share if code else 1 - share) for share, code in zip(SHARES, codes, strict=True))
    assert report["metrics"]["accuracy"] == right / 32
    assert report["metrics"]["roc_auc"] == tree("number", None)[0]["metrics"]["roc_auc"]
    matrix = np.array(report["evaluation"]["confusion_matrix"])
    assert matrix.sum(axis=0).tolist() == [8 * codes.count(0), 8 * codes.count(1)]
    low, high = report["metrics"]["accuracy_interval"]
    assert low < right / 32 < high
    rows = leaves("number").take(np.arange(96, 128))
    truth = target.read(rows, ["y"], "classification")
    predictor = Predictor(data)
    found = comparison.outcome(predictor, rows, truth)
    assert found.scores()["f1_macro"] == pytest.approx(report["metrics"]["f1_macro"], abs=1e-15)
    assert found.tables()[0]["confusion_matrix"] == matrix.tolist()
    every = np.ones(32, dtype=bool)
    assert comparison.score(predictor, metrics.METRICS["accuracy"], rows, truth, every) == right / 32
    drop = importance.by_permutation(predictor, metrics.METRICS["accuracy"], rows, truth)["a"]
    assert drop is not None
    assert 0 < drop[0] <= right / 32


def test_a_margin_is_decided_by_the_probability_that_its_row_is_given() -> None:
    data = training.fit(spec("linear", 0.25), leaves("text"))[1]
    single = single_row(Predictor(data))
    assert single is not None
    rows = np.linspace(-2, 4, 25).tolist()
    exact = [single.probabilities(single.numbers([a]))[1] for a in rows]
    for threshold in exact:
        made = unpack(data)
        own = single_row(Predictor(pack(replace(made, decoder={**made.decoder, "threshold": threshold}))))
        assert own is not None
        found = [own.label(own.numbers([a])) for a in rows]
        assert found == [("no", "yes")[probability >= threshold] for probability in exact]


def test_models_without_a_threshold_are_the_bytes_they_were() -> None:
    _, data = tree("text", None)
    assert data[4:8] == (1).to_bytes(4, "little")
    assert "threshold" not in unpack(data).decoder
    assert "threshold" not in tree("text", None)[0]["metrics"]


@pytest.mark.parametrize("wrong", [math.nan, 2.0, 0.0, 1.0, -0.1, "0.3", None, True, [0.3], 1])
def test_a_threshold_that_is_none_is_damage(wrong: Any) -> None:
    made = unpack(tree("text", 0.25)[1])
    check_refused(replace(made, decoder={**made.decoder, "threshold": wrong}))


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["a", "b", "c"]},
        {"output": "scores"},
        {"task": "clustering"},
        {"parts": [{"labels": ["no", "yes"], "label_kind": "text"}] * 2, "targets": ["y", "z"]},
    ],
)
def test_a_threshold_of_what_has_not_the_probabilities_of_two_classes_is_damage(
    changes: dict[str, Any],
) -> None:
    made = unpack(tree("text", 0.25)[1])
    check_refused(replace(made, decoder={**made.decoder, **changes}))


def check_refused(artifact: Artifact) -> None:
    data = pack(artifact)
    with pytest.raises(Corrupted):
        Predictor(data)
    with pytest.raises(MalformedText):
        audit.checked(data)


def test_a_sound_threshold_passes_the_audit() -> None:
    data = tree("text", 0.25)[1]
    assert threshold_of(audit.checked(data).decoder) == 0.25


@pytest.mark.parametrize("wrong", ["2", "NaN", '"0.3"', "null", "[", "0", "true"])
def test_a_file_of_onnx_that_says_a_threshold_that_is_none_has_none(wrong: str) -> None:
    file = ModelProto.FromString(onnx_of(unpack(tree("text", None)[1])))
    file.metadata_props.add(key="pgml.threshold", value=wrong)
    foreign = read(file.SerializeToString(), Wanted(None, None, None))
    assert foreign.threshold is None


def test_a_file_of_onnx_whose_labels_are_not_those_of_its_threshold_is_refused() -> None:
    file = ModelProto.FromString(onnx_of(unpack(tree("text", None)[1])))
    file.metadata_props.add(key="pgml.threshold", value=json.dumps(0.1))
    with pytest.raises(NotBuilt, match="label of the model"):
        read(file.SerializeToString(), Wanted(None, None, None))
