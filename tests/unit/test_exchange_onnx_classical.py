"""Classical models of ONNX files, from their texts and numbers to their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper

from pgml.dataset import Dataset
from pgml.errors import PgmlError
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.inference import Predictor
from tests.frameworks import Written
from tests.unit import builders, statements
from tests.unit.onnx_files import FLOAT, model, node, value, weights
from tests.unit.onnx_served import packed

STRING, INT64 = TensorProto.STRING, TensorProto.INT64
OPSETS = {"": 21, "ai.onnx.ml": 3}
CITIES = ["Oslo", "Paris", "Rome"]


def ml(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    return node(kind, inputs, outputs, domain="ai.onnx.ml", **attributes)


def pipeline(zipped: bool, end: str = "SOFTMAX") -> ModelProto:
    """Return a linear classifier of a city and two numbers."""
    nodes = [
        ml("OneHotEncoder", ["city"], ["hot"], cats_strings=CITIES, zeros=1),
        node("Reshape", ["hot", "flat"], ["h"]),
        node("Concat", ["h", "numbers"], ["all"], axis=1),
        ml(
            "LinearClassifier",
            ["all"],
            ["label", "p"],
            coefficients=weights(15).tolist(),
            intercepts=[0.1, 0.2, -0.3],
            classlabels_strings=["low", "mid", "high"],
            post_transform=end,
            multi_class=1,
        ),
    ]
    outputs = [value("label", STRING, "rows"), value("p", FLOAT, "rows", 3)]
    if zipped:
        nodes.append(ml("ZipMap", ["p"], ["z"], classlabels_strings=["low", "mid", "high"]))
        number = helper.make_tensor_type_proto(FLOAT, [])
        kind = helper.make_sequence_type_proto(helper.make_map_type_proto(STRING, number))
        outputs[1] = helper.make_value_info("z", kind)
    inputs = [value("city", STRING, "rows", 1), value("numbers", FLOAT, "rows", 2)]
    return model(nodes, inputs, outputs, OPSETS, flat=np.array([-1, 3]))


def given(count: int = 20) -> dict[str, Any]:
    """Return inputs, a city among them that no model knows."""
    random = np.random.default_rng(1)
    cities = np.array([*CITIES, "Riga"], dtype=object)[np.arange(count) % 4]
    return {
        "city": cities.reshape(-1, 1),
        "numbers": random.normal(size=(count, 2)).astype(np.float32),
    }


def rows_of(foreign: Foreign, inputs: dict[str, Any]) -> Dataset:
    """Return rows as the columns of a model."""
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    for column in foreign.columns:
        part = inputs[column.name]
        if column.is_category:
            columns[column.name] = "text", [str(each) for each in part.ravel()]
        else:
            numbers = part.reshape(len(part), -1).astype(np.float64)
            columns[column.name] = column.type, (numbers if column.width > 1 else numbers[:, 0]).tolist()
    return builders.dataset(columns)


def answered(data: bytes, inputs: dict[str, Any], labels: Sequence[Any]) -> tuple[list[Any], Any]:
    """Return the labels, if there are any, and numbers that ONNX Runtime answers."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    *label, numbers = session.run(None, inputs)
    if isinstance(numbers, list):
        numbers = [[row[each] for each in labels] for row in numbers]
    found = np.asarray(numbers, dtype=np.float64)
    return list(label[0]) if label else [], found.reshape(len(found), -1)


def check(data: bytes, foreign: Foreign, inputs: dict[str, Any], tolerance: float = 1e-6) -> None:
    """Compare what pgml serves with what ONNX Runtime answers."""
    predictor = Predictor(packed(foreign))
    outputs = predictor.outputs(rows_of(foreign, inputs))
    labels, numbers = answered(data, inputs, foreign.labels)
    if labels:
        assert [foreign.labels[code] for code in predictor.codes(outputs)] == labels
    outputs = outputs.reshape(len(outputs), -1)
    if foreign.output == "scores":
        # They may have been turned around, so that the largest is the label's.
        outputs, numbers = np.abs(outputs), np.abs(numbers)
    assert np.abs(outputs - numbers).max() <= tolerance * np.abs(numbers).max()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pipeline_from_texts_to_labels(zipped: bool) -> None:
    data = pipeline(zipped).SerializeToString()
    foreign = read(data, Wanted())
    assert [(each.name, each.type) for each in foreign.columns] == [
        ("city", "text"),
        ("numbers", "double precision[]"),
    ]
    assert sorted(foreign.texts["city"]) == CITIES
    assert (foreign.task, foreign.output, foreign.label_kind) == ("classification", "probabilities", "text")
    assert list(foreign.labels) == ["low", "mid", "high"]
    check(data, foreign, given())


def test_scores_of_a_pipeline_are_scores() -> None:
    data = pipeline(zipped=False, end="NONE").SerializeToString()
    foreign = read(data, Wanted())
    assert foreign.output == "scores"
    check(data, foreign, given())


def test_labels_that_are_given_take_the_place_of_the_file_s() -> None:
    foreign = read(pipeline(zipped=True).SerializeToString(), Wanted(labels=[1, 2, 3]))
    assert (list(foreign.labels), foreign.label_kind) == ([1.0, 2.0, 3.0], "number")


def test_one_score_tells_two_classes_by_its_sign() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["score"]),
        node("Greater", ["score", "zero"], ["above"]),
        node("Cast", ["above"], ["one"], to=INT64),
        node("Squeeze", ["one", "axis"], ["place"]),
        ml("ArrayFeatureExtractor", ["table", "place"], ["picked"]),
        node("Reshape", ["picked", "flat"], ["label"]),
    ]
    made = model(
        nodes,
        [value("x", FLOAT, "rows", 2)],
        [value("label", INT64, "rows"), value("score", FLOAT, "rows", 1)],
        OPSETS,
        w=weights(2, 1),
        zero=np.float32(0),
        axis=np.array([1]),
        table=np.array([[4, 9]]),
        flat=np.array([-1]),
    )
    data = made.SerializeToString()
    foreign = read(data, Wanted(labels=[4, 9]))
    predictor = Predictor(packed(foreign))
    inputs = {"x": given()["numbers"]}
    outputs = predictor.outputs(rows_of(foreign, inputs))
    labels, _ = answered(data, inputs, [])
    assert [foreign.labels[code] for code in predictor.codes(outputs)] == labels


def test_texts_that_are_several_in_one_input_are_several_columns() -> None:
    made = model(
        [
            ml("OneHotEncoder", ["texts"], ["hot"], cats_strings=CITIES, zeros=1),
            node("Reshape", ["hot", "flat"], ["h"]),
            node("MatMul", ["h", "w"], ["y"]),
        ],
        [value("texts", STRING, "rows", 2)],
        [value("y", FLOAT, "rows", 1)],
        OPSETS,
        flat=np.array([-1, 6]),
        w=weights(6, 1),
    )
    foreign = read(made.SerializeToString(), Wanted())
    assert [each.type for each in foreign.columns] == ["text", "text"]


def test_damaged_pipelines_are_read_or_refused() -> None:
    data = pipeline(zipped=True).SerializeToString()
    random = np.random.default_rng(0)
    ends = set()
    for _ in range(150):
        damaged = bytearray(data)
        damaged[random.integers(len(data))] = random.integers(256)
        try:
            read(bytes(damaged), Wanted())
            ends.add("read")
        except PgmlError as error:
            ends.add(error.sqlstate)
    assert ends >= {"read", "22P02"}


NAMES = [
    *(
        f"{name}_{target}"
        for name in (
            "boosting",
            "forest",
            "histogram",
            "logistic_filled",
            "neighbors",
            "stacking",
            "svc",
            "svc_poly",
        )
        for target in ("species", "is_gentoo")
    ),
    *(f"{name}_consumption" for name in ("extra", "network", "neighbors", "ridge_scaled", "svr", "voting")),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_pipeline_of_scikit_learn_answers_as_its_file(written: Written, name: str) -> None:
    directory = written("sklearn_models")
    data = (directory / f"{name}.onnx").read_bytes()
    with np.load(directory / f"{name}.npz") as held:
        inputs = {key.removeprefix("in:"): held[key] for key in held if key.startswith("in:")}
        labels = held["labels"].tolist()
    inputs = {key: each.astype(object) if each.dtype.kind == "U" else each for key, each in inputs.items()}
    foreign = read(data, Wanted())
    assert list(foreign.labels) == labels
    check(data, foreign, inputs, 1e-5)


@pytest.mark.parametrize("name", ["forest_species", "logistic_filled_is_gentoo", "ridge_scaled_consumption"])
def test_a_pipeline_of_scikit_learn_becomes_sql(written: Written, name: str) -> None:
    directory = written("sklearn_models")
    foreign = read((directory / f"{name}.onnx").read_bytes(), Wanted())
    with np.load(directory / f"{name}.npz") as held:
        inputs = {key.removeprefix("in:"): held[key] for key in held if key.startswith("in:")}
    wrong, most = statements.difference(packed(foreign), rows_of(foreign, inputs))
    assert wrong == 0
    assert most < 1e-5
