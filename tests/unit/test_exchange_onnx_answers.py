"""Which output of an ONNX file is the answer, and what it means."""

import json
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from pgml.errors import PgmlError
from pgml.exchange import assembly
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from tests.unit.onnx_files import FLOAT, INT64, model, node, value, weights
from tests.unit.onnx_served import close, original, packed, predicted

X = value("x", FLOAT, "rows", 4)
MATRIX = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)


def ended(end: str, width: int, **attributes: Any) -> ModelProto:
    """Return a model with an operator at its end."""
    nodes = [node("MatMul", ["x", "w"], ["z"]), node(end, ["z"], ["y"], **attributes)]
    return model(nodes, [X], [value("y", FLOAT, "rows", width)], w=weights(4, width))


def labelled(table: Any = None, end: str = "Softmax", most: str = "ArgMax", **kwargs: Any) -> ModelProto:
    """Return a model with a label and numbers for three classes."""
    nodes = [
        node("MatMul", ["x", "w"], ["z"]),
        node(end, ["z"], ["p"]),
        node(most, ["p"], ["place" if table is not None else "label"], axis=1, keepdims=0),
    ]
    held = {"w": weights(4, 3)}
    if table is not None:
        nodes.append(node("Gather", ["table", "place"], ["label"]))
        held["table"] = np.array(table)
    outputs = [value("label", INT64, "rows"), value("p", FLOAT, "rows", 3)]
    return model(nodes, [X], outputs, **kwargs, **held)


def found(made: ModelProto, **wanted: Any) -> Foreign:
    return read(made.SerializeToString(), Wanted(**wanted))


def test_a_softmax_tells_classes_by_their_numbers() -> None:
    foreign = found(ended("Softmax", 3, axis=-1))
    assert (foreign.task, foreign.output) == ("classification", "probabilities")
    assert (list(foreign.labels), foreign.label_kind) == ([0.0, 1.0, 2.0], "number")


def test_a_sigmoid_of_one_number_tells_two_classes() -> None:
    made = ended("Sigmoid", 1)
    foreign = found(made, labels=["no", "yes"])
    assert (foreign.output, list(foreign.labels), foreign.label_kind) == (
        "probabilities",
        ["no", "yes"],
        "text",
    )
    second = original(made.SerializeToString(), {"x": MATRIX})
    assert close(predicted(packed(foreign), MATRIX), np.hstack([1 - second, second]))


def test_a_sigmoid_of_several_numbers_gives_numbers() -> None:
    foreign = found(ended("Sigmoid", 3))
    assert (foreign.task, foreign.output, list(foreign.labels)) == ("regression", "value", [])


def test_logarithms_of_probabilities_become_probabilities() -> None:
    made = ended("LogSoftmax", 3)
    foreign = found(made)
    assert foreign.output == "probabilities"
    logarithms = original(made.SerializeToString(), {"x": MATRIX})
    assert close(predicted(packed(foreign), MATRIX), np.exp(logarithms))


def test_a_task_that_is_given_counts() -> None:
    assert found(ended("Softmax", 3), task="regression").output == "value"
    foreign = found(ended("Identity", 3), task="classification")
    assert (foreign.task, foreign.output, len(foreign.labels)) == ("classification", "scores", 3)


def test_labels_make_classes_of_numbers() -> None:
    foreign = found(ended("Tanh", 3), labels=["a", "b", "c"])
    assert (foreign.task, foreign.output, list(foreign.labels)) == (
        "classification",
        "scores",
        ["a", "b", "c"],
    )


def test_several_numbers_are_several_targets() -> None:
    foreign = found(ended("Tanh", 3))
    assert assembly.target_names(foreign, None) == ["target_1", "target_2", "target_3"]
    assert assembly.target_names(foreign, ["a", "b", "c"]) == ["a", "b", "c"]


def test_a_label_beside_the_probabilities_is_looked_up() -> None:
    foreign = found(labelled([10, 20, 40]))
    assert (foreign.output, list(foreign.labels)) == ("probabilities", [10.0, 20.0, 40.0])


def test_a_label_without_a_table_is_a_place() -> None:
    foreign = found(labelled())
    assert (foreign.output, list(foreign.labels)) == ("probabilities", [0.0, 1.0, 2.0])


def test_numbers_that_are_no_probabilities_are_scores() -> None:
    assert found(labelled([1, 2, 3], end="Tanh")).output == "scores"


def test_the_least_of_distances_is_a_cluster() -> None:
    foreign = found(labelled(end="Abs", most="ArgMin"))
    assert (foreign.task, foreign.output, list(foreign.labels)) == (
        "clustering",
        "distances",
        [0.0, 1.0, 2.0],
    )


def test_a_label_alone_gives_the_numbers_it_is_chosen_by() -> None:
    made = labelled([10, 20, 40], end="Tanh")
    del made.graph.output[1]
    foreign = found(made)
    assert (foreign.task, foreign.output, list(foreign.labels)) == (
        "classification",
        "scores",
        [10.0, 20.0, 40.0],
    )


def test_labels_that_are_not_of_the_largest_number_are_refused() -> None:
    made = labelled([10, 20, 40])
    made.graph.node[2].input[0] = "other"
    made.graph.node.insert(2, node("Sin", ["z"], ["other"]))
    with pytest.raises(PgmlError, match="label of the model is not always"):
        found(made)


def test_two_scores_that_are_the_wrong_way_round_are_turned() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["s"]),
        node("Neg", ["s"], ["n"]),
        node("Concat", ["n", "s"], ["right"], axis=1),
        node("ArgMax", ["right"], ["place"], axis=1, keepdims=0),
        node("Gather", ["table", "place"], ["label"]),
        node("Concat", ["s", "n"], ["wrong"], axis=1),
    ]
    outputs = [value("label", INT64, "rows"), value("wrong", FLOAT, "rows", 2)]
    made = model(nodes, [X], outputs, w=weights(4, 1), table=np.array([5, 7]))
    numbers = predicted(packed(found(made)), MATRIX)
    labels = original(made.SerializeToString(), {"x": MATRIX}, "label")[:, 0]
    assert (np.array([5, 7])[numbers.argmax(axis=1)] == labels).all()


def test_whole_numbers_are_values() -> None:
    nodes = [node("MatMul", ["x", "w"], ["z"]), node("Cast", ["z"], ["y"], to=INT64)]
    foreign = found(model(nodes, [X], [value("y", INT64, "rows", 1)], w=weights(4, 1)))
    assert (foreign.task, foreign.output) == ("regression", "value")


OUTPUTS = [value("p", FLOAT, "rows", 3), value("z", FLOAT, "rows", 3)]


def two_outputs() -> ModelProto:
    made = labelled([1, 2, 3])
    del made.graph.output[:]
    made.graph.output.extend(OUTPUTS)
    return made


REFUSED: dict[str, tuple[ModelProto, dict[str, Any], str, str]] = {
    "two outputs of numbers": (two_outputs(), {}, "0A000", "has 2 outputs, of which it does not say"),
    "too few labels": (ended("Softmax", 3), {"labels": ["a", "b"]}, "22023", "there are 2 labels"),
    "labels of one number": (ended("Identity", 1), {"labels": ["a", "b"]}, "22023", "gives one number"),
    "classes of one number": (ended("Identity", 1), {"task": "classification"}, "22023", "gives one number"),
    "one label": (ended("Softmax", 3), {"labels": ["a"]}, "22023", "labels needs two or more"),
    "an unknown task": (ended("Softmax", 3), {"task": "magic"}, "22023", 'task "magic" cannot be imported'),
    "a row of very many numbers": (ended("Tanh", 20_000), {}, "54000", "has 20000 numbers a row"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_fits_no_answer_is_refused(case: str) -> None:
    made, wanted, sqlstate, words = REFUSED[case]
    with pytest.raises(PgmlError) as caught:
        found(made, **wanted)
    assert caught.value.sqlstate == sqlstate
    assert words in caught.value.message
    assert caught.value.hint.endswith(".")


def own(**changed: str) -> ModelProto:
    """Return a file as pgml writes them."""
    facts = {
        "pgml.task": "classification",
        "pgml.output": "scores",
        "pgml.labels": json.dumps([5, 6, 7]),
        "pgml.targets": json.dumps(["kind"]),
        "pgml.outputs": json.dumps([{"name": "label", "is": "label"}, {"name": "p", "is": "scores"}]),
    }
    return labelled([5, 6, 7], end="Tanh", metadata=facts | changed)


def test_a_file_of_our_own_says_what_it_is() -> None:
    foreign = found(own())
    assert (foreign.task, foreign.output) == ("classification", "scores")
    assert (list(foreign.labels), foreign.label_kind) == ([5.0, 6.0, 7.0], "number")
    assert list(foreign.targets) == ["kind"]
    assert assembly.target_names(foreign, None) == ["kind"]


@pytest.mark.parametrize(
    "changed",
    [
        {"pgml.task": "magic"},
        {"pgml.output": "magic"},
        {"pgml.labels": "["},
        {"pgml.labels": "[[" * 5000},
        {"pgml.labels": '["a", "a"]'},
        {"pgml.targets": "[1]"},
        {"pgml.outputs": '[{"name": "elsewhere", "is": "scores"}]'},
        {"pgml.outputs": "7"},
    ],
)
def test_what_a_file_says_that_cannot_be_is_not_heard(changed: dict[str, str]) -> None:
    foreign = found(own(**changed))
    assert (foreign.output, list(foreign.labels)) == ("scores", [5.0, 6.0, 7.0])


def test_labels_that_the_graph_does_not_give_are_refused() -> None:
    with pytest.raises(PgmlError, match="label of the model is not always"):
        found(own(**{"pgml.labels": '["a", "b", "c"]'}))


def test_labels_of_a_file_that_are_not_as_many_as_its_numbers_are_refused() -> None:
    with pytest.raises(PgmlError, match="there are 2 labels"):
        found(own(**{"pgml.labels": '["a", "b"]'}))


def test_what_wrote_a_file_is_kept() -> None:
    made = ended("Tanh", 1)
    made.producer_name, made.producer_version = "tool", "1.2"
    assert found(made).versions == {"tool": "1.2"}


def test_tensors_may_have_any_names() -> None:
    nodes = [
        node("MatMul", ["answer", "features/0"], ["value"]),
        node("Tanh", ["value"], ["probabilities"]),
        node("Identity", ["probabilities"], ["own/value"]),
    ]
    ends = [value("answer", FLOAT, "rows", 4)], [value("own/value", FLOAT, "rows", 2)]
    made = model(nodes, *ends, **{"features/0": weights(4, 2)})
    foreign = found(made)
    assert [each.name for each in foreign.columns] == ["answer"]
    assert close(predicted(packed(foreign), MATRIX), original(made.SerializeToString(), {"answer": MATRIX}))


def test_an_output_may_be_an_input() -> None:
    made = model([], [value("x", TensorProto.DOUBLE, "rows", 2)], [value("x", TensorProto.DOUBLE, "rows", 2)])
    assert close(predicted(packed(found(made)), MATRIX[:, :2]), MATRIX[:, :2].astype(np.float64))


def test_more_dimensions_than_rows_and_numbers_are_flattened() -> None:
    made = ended("Tanh", 4)
    made.graph.node.append(node("Reshape", ["y", "s"], ["pairs"]))
    made.graph.initializer.append(helper.make_tensor("s", INT64, [3], [-1, 2, 2]))
    made.graph.output[0].CopyFrom(value("pairs", FLOAT, "rows", 2, 2))
    assert predicted(packed(found(made)), MATRIX).shape == (6, 4)
