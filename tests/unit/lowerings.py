"""Graphs of operators of ``ai.onnx.ml``, and running them beside what `lowered` makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from pgml.artifact.format import pack
from pgml.artifact.graph import IR_VERSION, OPSETS
from pgml.columns import Column
from pgml.exchange import assembly
from pgml.exchange.foreign import NULL_TEXT, Foreign
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.lowering import Lowered, lowered, needed
from pgml.spec import Output
from tests.unit.graphs import MEGABYTE, session

ML = "ai.onnx.ml"
Array = npt.NDArray[Any]
Feed = Mapping[str, Array]
_TYPES = {
    "f4": TensorProto.FLOAT,
    "f8": TensorProto.DOUBLE,
    "i8": TensorProto.INT64,
    "i4": TensorProto.INT32,
    "b1": TensorProto.BOOL,
}


def type_of(array: Array) -> int:
    """Return what ONNX calls an array's type, objects being texts."""
    return TensorProto.STRING if array.dtype == object else _TYPES[array.dtype.str[1:]]


def operator(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> NodeProto:
    """Return an operator of ``ai.onnx.ml``."""
    return helper.make_node(kind, list(inputs), list(outputs), domain=ML, **attributes)


def model(
    nodes: Sequence[NodeProto],
    feed: Feed,
    outputs: Mapping[str, int],
    constants: Mapping[str, Array] | None = None,
    version: int = 3,
) -> ModelProto:
    """Return a model that takes such inputs; outputs by name with their types."""
    taken = [
        helper.make_tensor_value_info(name, type_of(array), [None, *array.shape[1:]])
        for name, array in feed.items()
    ]
    given = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
    held = [
        helper.make_tensor(name, type_of(array), array.shape, array.ravel().tolist())
        for name, array in (constants or {}).items()
    ]
    graph = helper.make_graph(list(nodes), "graph", taken, given, held)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(ML, version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def original(given: ModelProto, feed: Feed) -> dict[str, Array]:
    """Return the outputs of a model, as ONNX Runtime computes it; maps as a column for each key."""
    running = session(given.SerializeToString())
    found = running.run(None, dict(feed))
    names = [each.name for each in given.graph.output]
    return {
        name: np.array([list(row.values()) for row in each], dtype=np.float32)
        if isinstance(each, list)
        else np.asarray(each)
        for name, each in zip(names, found, strict=True)
    }


def coded(found: Lowered, feed: Feed) -> dict[str, Array]:
    """Return inputs in which texts are codes."""
    given: dict[str, Array] = {}
    for each in found.model.graph.input:
        name = each.name
        if name not in found.texts:
            given[name] = feed[name]
            continue
        whole, _, column = name.rpartition("_")
        texts = feed[name].ravel() if name in feed else feed[whole][:, int(column) - 1]
        known = list(found.texts[name])
        codes = [known.index(text) if text in known else len(known) + (text == NULL_TEXT) for text in texts]
        given[name] = np.array(codes, dtype=np.float64)[:, np.newaxis]
    return given


def answers(found: Lowered, feed: Feed) -> dict[str, Array]:
    """Return the outputs of what has been lowered."""
    onnx.checker.check_model(found.model)
    assert {node.domain for node in found.model.graph.node} <= {"", ML}
    assert {node.op_type for node in found.model.graph.node if node.domain == ML} <= {"TreeEnsemble"}
    outputs = session(found.model.SerializeToString()).run(None, coded(found, feed))
    return dict(zip([each.name for each in found.model.graph.output], outputs, strict=True))


def assert_alike(given: ModelProto, feed: Feed, tolerance: float = 0.0) -> Lowered:
    """Assert that what `lowered` makes answers as ONNX Runtime answers; return it.

    Parameters
    ----------
    tolerance : float
        Of numbers, relative to the largest; 0: they are the same.
    """
    found = lowered(given)
    expected, actual = original(given, feed), answers(found, feed)
    assert set(actual) == set(expected)
    for name, one in expected.items():
        other = actual[name]
        if one.dtype == object:
            other = np.array([*found.classes[name], "_Unused"], dtype=object)[other]
            assert (one == other).all()
            continue
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        assert (np.isnan(one) == np.isnan(other)).all()
        known = np.nan_to_num(np.abs(one.astype(np.float64)), posinf=0)
        with np.errstate(invalid="ignore"):
            apart = np.nan_to_num(np.abs(one.astype(np.float64) - other), nan=0.0)
        assert apart.max(initial=0) <= tolerance * known.max(initial=0)
    return found


def stored(given: ModelProto, output: str, kind: Output, labels: Sequence[str | float] = ()) -> bytes:
    """Return a model of pgml made of an output of float32, with a column for each input."""
    found = lowered(needed(given, [output]))
    graph = ModelProto(ir_version=IR_VERSION, producer_name="tests")
    for domain, version in OPSETS.items():
        graph.opset_import.add(domain=domain, version=version)
    body, inner = graph.graph, found.model.graph
    body.name = "model"
    columns = []
    body.input.append(
        helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", len(inner.input)])
    )
    for at, each in enumerate(inner.input):
        body.initializer.append(helper.make_tensor(f"place {at}", TensorProto.INT64, [1], [at]))
        body.node.append(helper.make_node("Gather", ["features", f"place {at}"], [f"column {at}"], axis=1))
        to = each.type.tensor_type.elem_type
        body.node.append(helper.make_node("Cast", [f"column {at}"], [each.name], to=to))
        columns.append(Column(each.name, "text" if each.name in found.texts else "double precision"))
    body.initializer.extend(inner.initializer)
    body.node.extend(inner.node)
    # The output may be called what the graph's must be.
    for node in body.node:
        for names in (node.input, node.output):
            names[:] = ["own output" if name == output else name for name in names]
    body.node.append(helper.make_node("Cast", ["own output"], ["double"], to=TensorProto.DOUBLE))
    width = inner.output[0].type.tensor_type.shape.dim[1].dim_value
    body.node.append(helper.make_node("Identity", ["double"], [kind]))
    body.output.append(helper.make_tensor_value_info(kind, TensorProto.DOUBLE, ["rows", width]))
    task = "regression" if kind == "value" else "classification"
    label_kind: Any = "text" if labels and isinstance(labels[0], str) else "number"
    foreign = Foreign(columns, found.texts, graph, "float64", task, kind, labels, label_kind, "onnx")
    artifact = assembly.artifact(foreign, Wanted(), ["target"], 256 * MEGABYTE)
    return pack(artifact)
