"""Each algorithm for each of its tasks as an ONNX file, run by ONNX Runtime alone on raw rows.

On the rows and models of `test_every_algorithm_as_sql`: texts, times, NULL in every feature, categories never
seen, thresholds and their neighbours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_limits

from pgml import target, training
from pgml.artifact.format import Artifact, pack, unpack
from pgml.dataset import Dataset
from pgml.decision import codes_of
from pgml.errors import NotBuilt
from pgml.exchange import assembly
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.exchange.onnx.writing import onnx_of
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen.proof import probes
from tests.integration.test_every_algorithm_as_sql import (
    CASES,
    ROWS,
    SMALL,
    TARGETS,
    Case,
    data,
    joined,
)
from tests.unit import exported
from tests.unit.exported import Answers

SUMMED = 1e-6
"""Several threads add up a forest's float32 votes in another order, of which some cancel out."""
FEWEST = 80
Found = tuple[Artifact, Predictor, Dataset, Answers, Answers]


def fitted(case: Case) -> tuple[Artifact, Dataset]:
    # Processes hold each row against all pairs of those they have.
    rows = data().take(np.arange(FEWEST if case.name == "gaussian_process" else ROWS))
    targets = case.targets or TARGETS.get(case.task, [])
    hyperparams = {**SMALL.get(case.name, {}), **case.hyperparams}
    recipe = Recipe(0.25, 0, tuple(case.features))
    spec = FitSpec(case.task, targets, case.features, case.name, hyperparams, 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        artifact = unpack(training.fit(spec, target.known(rows, targets) if targets else rows)[1])
    return artifact, joined(rows, probes.rows(artifact))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Found]:
    """Each model with its rows, and what its file answers by one thread and by as many as there are."""
    models = [fitted(case) for case in CASES]
    directory = tmp_path_factory.mktemp("exported")
    single, several = (exported.run(models, directory, threads) for threads in (1, 0))
    artifacts, rows = zip(*models, strict=True)
    predictors = [Predictor(pack(artifact)) for artifact in artifacts]
    return list(zip(artifacts, predictors, rows, single, several, strict=True))


def numbers(answers: Answers) -> npt.NDArray[np.float64]:
    found = [values for name, values in answers.outputs.items() if not name.startswith("label")]
    return np.hstack(found)


def labels(predictor: Predictor, outputs: npt.NDArray[Any]) -> Mapping[str, list[Any]]:
    """Return the label of each row by the name of its output."""
    if predictor.labels:
        # A file has a label for every row; `predict` has none where numbers so large make NaN.
        codes = codes_of(predictor.output, outputs, predictor.threshold)
        return {"label": [_typed(predictor.labels[code], predictor.label_kind) for code in codes]}
    ends = np.cumsum([len(known) for known, _ in predictor.parts])
    sides = np.split(outputs, ends[:-1], axis=1) if predictor.parts else []
    return {
        f"label_{name}": [_typed(known[code], kind) for code in side.argmax(axis=1)]
        for name, (known, kind), side in zip(predictor.targets, predictor.parts, sides, strict=False)
    }


def _typed(label: Any, kind: str) -> Any:
    return bool(label) if kind == "boolean" else int(label) if kind == "number" else label


@pytest.mark.parametrize("at", [pytest.param(at, id=str(case)) for at, case in enumerate(CASES)])
def test_the_file_answers_as_the_model(everything: Sequence[Found], at: int) -> None:
    _, predictor, rows, single, several = everything[at]
    expected = predictor.outputs(rows)
    expected = expected[:, np.newaxis] if expected.ndim == 1 else expected
    np.testing.assert_array_equal(numbers(single), expected)
    known = labels(predictor, expected)
    assert {name for name in single.outputs if name.startswith("label")} == set(known)
    for name, label in known.items():
        assert single.outputs[name].tolist() == label
        assert single.outputs[name].shape == (len(rows),)
    # Of the rows made up some have numbers beyond all others.
    real = expected[:FEWEST]
    most = SUMMED * np.abs(real).max(axis=0, initial=1)
    assert (np.abs(numbers(several)[:FEWEST] - real) <= most).all()


@pytest.mark.parametrize("at", [pytest.param(at, id=str(case)) for at, case in enumerate(CASES)])
def test_imported_again_it_answers_the_same(everything: Sequence[Found], at: int) -> None:
    artifact, predictor, rows, _, _ = everything[at]
    if predictor.parts or predictor.output == "reconstruction":
        with pytest.raises(NotBuilt, match=f"has {4 if predictor.parts else 3} outputs"):
            read(onnx_of(artifact), Wanted())
        return
    foreign = read(onnx_of(artifact), Wanted())
    again = Predictor(
        pack(assembly.artifact(foreign, Wanted(), assembly.target_names(foreign, None), 256 << 20))
    )
    assert [column.name for column in again.columns] == [column.name for column in predictor.columns]
    assert (again.task, again.output, again.targets) == (predictor.task, predictor.output, predictor.targets)
    assert (again.labels, again.label_kind) == (predictor.labels, predictor.label_kind)
    np.testing.assert_array_equal(again.outputs(rows), predictor.outputs(rows))


def test_inputs_are_the_columns_as_a_caller_has_them(everything: Sequence[Found]) -> None:
    for _, predictor, _, answers, _ in everything:
        assert answers.inputs == [
            (column.name, "tensor(string)" if column.is_category else "tensor(double)", ["rows", 1])
            for column in predictor.columns
        ]


def test_outputs_are_named_by_what_they_are(everything: Sequence[Found]) -> None:
    named = {
        (predictor.output, predictor.task): set(answers.outputs)
        for _, predictor, _, answers, _ in everything
        if not predictor.parts
    }
    assert named == {
        ("value", "regression"): {"prediction"},
        ("probabilities", "classification"): {"label", "probabilities"},
        ("scores", "classification"): {"label", "scores"},
        ("distances", "clustering"): {"label", "distances"},
        ("probabilities", "clustering"): {"label", "probabilities"},
        ("components", "decomposition"): {"components"},
        ("anomaly", "anomaly"): {"label", "score"},
        ("reconstruction", "autoencoder"): {"label", "components", "score"},
    }
    joint = [set(answers.outputs) for _, predictor, _, answers, _ in everything if predictor.parts]
    assert joint[0] == {"label_kind", "label_large", "probabilities_kind", "probabilities_large"}
