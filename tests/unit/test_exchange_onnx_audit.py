"""What an ONNX file may not hold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from pgml.errors import PgmlError
from pgml.exchange.onnx.audit import audited
from tests.unit.onnx_files import FLOAT, INT64, linear, model, node, value

X, Y = value("x", FLOAT, "rows", 4), value("y", FLOAT, "rows", 4)


def changed(change: Callable[[ModelProto], Any]) -> ModelProto:
    made = linear()
    change(made)
    return made


def outside(made: ModelProto) -> None:
    tensor = made.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def inner(kind: str) -> ModelProto:
    body = helper.make_graph([node("Relu", ["x"], ["z"])], "body", [], [value("z", FLOAT, "rows", 4)])
    branches = {"then_branch": body, "else_branch": body}
    return model([node(kind, ["c"], ["y"], **branches)], [X], [Y], c=np.bool_(1))


def outside_attribute() -> ModelProto:
    held = TensorProto(name="held", data_type=FLOAT, data_location=TensorProto.EXTERNAL)
    return model([node("Constant", [], ["c"], value=held), node("Add", ["x", "c"], ["y"])], [X], [Y])


def laughing() -> ModelProto:
    made = model([node("f29", ["x"], ["y"], domain="own")], [X], [Y], {"": 21, "own": 1})
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    for at in range(30):
        kind, domain = (f"f{at - 1}", "own") if at else ("Relu", "")
        nodes = [node(kind, ["a"], ["b"], domain=domain), node(kind, ["b"], ["c"], domain=domain)]
        made.functions.append(helper.make_function("own", f"f{at}", ["a"], ["c"], nodes, imports))
    return made


def sized(name: str, dims: list[int]) -> ModelProto:
    return changed(
        lambda made: (
            made.graph.initializer[0].ClearField("dims") or made.graph.initializer[0].dims.extend(dims)
        )
    )


REFUSED: dict[str, tuple[ModelProto, str, str]] = {
    "a tensor in another file": (changed(outside), "0A000", "in another file"),
    "an attribute in another file": (outside_attribute(), "0A000", "in another file"),
    "a foreign domain": (
        model(
            [node("FusedMatMul", ["x"], ["y"], domain="com.microsoft")],
            [X],
            [Y],
            {"": 21, "com.microsoft": 1},
        ),
        "0A000",
        '"com.microsoft"',
    ),
    "a branch": (inner("If"), "0A000", "operator If runs a graph of its own"),
    "a graph in an unknown operator": (inner("Perhaps"), "0A000", "runs a graph of its own"),
    "random numbers": (
        model([node("RandomNormalLike", ["x"], ["y"])], [X], [Y]),
        "0A000",
        "operator RandomNormalLike draws random numbers",
    ),
    "sizes of values": (
        model([node("NonZero", ["x"], ["y"])], [X], [value("y", INT64, 2, None)]),
        "0A000",
        "operator NonZero gives as many numbers",
    ),
    "a sparse tensor": (
        changed(lambda made: made.graph.sparse_initializer.add()),
        "0A000",
        "sparse",
    ),
    "a training": (changed(lambda made: made.training_info.add()), "0A000", "training"),
    "too few values": (sized("w", [4, 2]), "22P02", 'tensor "w" should hold 8 value(s) and holds 4'),
    "dimensions below 0": (sized("w", [-4, -1]), "22P02", "impossible dimensions"),
    "huge dimensions": (sized("w", [2**62, 2**62]), "22P02", "should hold"),
    "a circle": (
        model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], [X], [value("a", FLOAT, None)]),
        "22023",
        "of itself",
    ),
    "a name for nothing": (
        model([node("Add", ["x", "ghost"], ["y"])], [X], [Y]),
        "22023",
        'takes "ghost", which nothing in the model makes',
    ),
    "an output of nothing": (model([node("Relu", ["x"], ["z"])], [X], [Y]), "22023", 'output "y"'),
    "two of one name": (
        model([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])], [X], [Y]),
        "22023",
        'two tensors of the model have the name "y"',
    ),
    "an unknown operator": (model([node("Magic", ["x"], ["y"])], [X], [Y]), "22023", "no operator Magic"),
    "an unknown attribute": (
        model([node("Relu", ["x"], ["y"], spell=1)], [X], [Y]),
        "22023",
        "operator Relu is not as it should be",
    ),
    "an operand that is left out": (
        model([node("MatMul", ["x", ""], ["y"])], [X], [Y]),
        "22023",
        "operator MatMul lacks an operand",
    ),
    "a future version": (model([node("Relu", ["x"], ["y"])], [X], [Y], {"": 900}), "0A000", "version 900"),
    "no version": (
        model([node("Relu", ["x"], ["y"])], [X], [Y], {"ai.onnx.ml": 3}),
        "22023",
        "which version",
    ),
    "weights that are no numbers": (
        model([node("MatMul", ["x", "w"], ["y"])], [X], [Y], w=np.full((4, 4), np.nan, dtype=np.float32)),
        "22023",
        'the weights "w" hold NaN or infinity',
    ),
    "a zero in a name": (
        model([node("Relu", ["x"], ["a\0b"]), node("Abs", ["a\0b"], ["y"])], [X], [Y]),
        "22023",
        "holds a zero",
    ),
    "a long name": (
        model([node("Relu", ["x" * 300], ["y"])], [value("x" * 300, FLOAT, None, 4)], [Y]),
        "54000",
        "too long for a feature",
    ),
    "many operators": (
        changed(
            lambda made: made.graph.node.extend([node("Relu", ["x"], [f"r{at}"]) for at in range(20_001)])
        ),
        "54000",
        "20002 operators",
    ),
    "functions of functions": (laughing(), "54000", "1073741824 operators"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_is_refused_that_holds(case: str) -> None:
    made, sqlstate, words = REFUSED[case]
    with pytest.raises(PgmlError) as caught:
        audited(made.SerializeToString())
    assert caught.value.sqlstate == sqlstate
    assert words in caught.value.message
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize("data", [b"", b"no model", b"PK\x03\x04" * 50, linear().SerializeToString()[:-40]])
def test_what_is_no_onnx_file_is_malformed(data: bytes) -> None:
    with pytest.raises(PgmlError) as caught:
        audited(data)
    assert caught.value.sqlstate == "22P02"


def test_a_message_nested_a_thousand_deep_is_malformed() -> None:
    def nested(field: int, inside: bytes) -> bytes:
        size, head = len(inside), b""
        while size > 127:
            head, size = head + bytes([size & 127 | 128]), size >> 7
        return bytes([field << 3 | 2]) + head + bytes([size]) + inside

    graph = b""
    for _ in range(1000):
        graph = nested(1, nested(5, nested(6, graph)))
    with pytest.raises(PgmlError) as caught:
        audited(nested(7, graph))
    assert caught.value.sqlstate == "22P02"


def test_missing_values_are_told_by_constants_that_are_no_numbers() -> None:
    made = model(
        [node("IsNaN", ["x"], ["m"]), node("Where", ["m", "f", "x"], ["y"])],
        [X],
        [Y],
        f=np.full(4, -np.inf, dtype=np.float32),
    )
    assert len(audited(made.SerializeToString()).graph.node) == 2


def test_operators_come_in_any_order() -> None:
    made = model([node("Relu", ["a"], ["y"]), node("Abs", ["x"], ["a"])], [X], [Y])
    assert [each.op_type for each in audited(made.SerializeToString()).graph.node] == ["Abs", "Relu"]


def test_functions_of_the_file_are_put_in_their_places() -> None:
    made = model([node("twice", ["x"], ["y"], domain="own")], [X], [Y], {"": 21, "own": 1})
    body = [node("Add", ["a", "a"], ["b"])]
    made.functions.append(
        helper.make_function("own", "twice", ["a"], ["b"], body, [helper.make_opsetid("", 21)])
    )
    found = audited(made.SerializeToString())
    assert [each.op_type for each in found.graph.node] == ["Add"]
    assert not found.functions


def test_a_function_that_calls_itself_is_refused() -> None:
    made = model([node("f", ["x"], ["y"], domain="own")], [X], [Y], {"": 21, "own": 1})
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    body = [node("f", ["a"], ["b"], domain="own")]
    made.functions.append(helper.make_function("own", "f", ["a"], ["b"], body, imports))
    with pytest.raises(PgmlError, match="calls itself"):
        audited(made.SerializeToString())


def test_values_of_typed_fields_are_counted() -> None:
    made = linear()
    tensor = made.graph.initializer[0]
    array = numpy_helper.to_array(tensor)
    tensor.CopyFrom(helper.make_tensor("w", FLOAT, array.shape, array.ravel().tolist()))
    audited(made.SerializeToString())
    tensor.float_data.append(1.0)
    with pytest.raises(PgmlError, match="should hold 4 value"):
        audited(made.SerializeToString())
