"""A loop over stored points is unrolled where it is a distance, and left alone where it is something else."""

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from pgml.errors import NotBuilt
from pgml.exchange.onnx.lowering import lowered
from tests.unit.lowerings import Array, assert_alike, model

POINTS = np.random.default_rng(5).normal(size=(7, 3)).astype(np.float32)
SUB = helper.make_node("Sub", ["row", "point"], ["apart"])
SIZE = helper.make_node("Abs", ["apart"], ["size"])
CUBE = helper.make_node("Pow", ["size", "three"], ["raised"])
KEPT = helper.make_node("Identity", ["row"], ["row_out"])


def total(kind: str, source: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, [source, "axis"], ["far"], **{"keepdims": 0, **attributes})


def rows() -> Array:
    found = np.random.default_rng(6).normal(size=(40, 3)).astype(np.float32)
    found[:7] = POINTS
    found[9, 1] = np.nan
    return found


def scanned(body: list[NodeProto], *, turned: bool = True, **attributes: Any) -> Any:
    """Return a model that compares rows with all points, one after another."""
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("three", TensorProto.FLOAT, [1], [3.0]),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
        for names in (("row", "point"), ("row_out", "far"))
    ]
    graph = helper.make_graph(body, "body", *ends, constants)
    nodes = [
        helper.make_node(
            "Scan", ["X", "points"], ["same", "found"], body=graph, num_scan_inputs=1, **attributes
        ),
        helper.make_node("Transpose", ["found"], ["Y"], perm=[1, 0])
        if turned
        else helper.make_node("Sqrt", ["found"], ["Y"]),
    ]
    return model(nodes, {"X": rows()}, {"Y": TensorProto.FLOAT}, {"points": POINTS})


@pytest.mark.parametrize(
    "body",
    [
        [KEPT, SUB, total("ReduceSumSquare", "apart")],
        [KEPT, SUB, SIZE, total("ReduceSum", "size")],
        [KEPT, SUB, SIZE, CUBE, total("ReduceSum", "raised")],
        [KEPT, helper.make_node("Sub", ["point", "row"], ["apart"]), total("ReduceSumSquare", "apart")],
    ],
)
@pytest.mark.parametrize("turned", [True, False])
def test_a_distance_needs_no_loop(body: list[NodeProto], turned: bool) -> None:
    assert_alike(scanned(body, turned=turned), {"X": rows()}, 3e-7)


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ([KEPT, SUB, total("ReduceSum", "apart")], {}),
        ([KEPT, SUB, total("ReduceSumSquare", "apart", keepdims=1)], {}),
        ([KEPT, SUB, total("ReduceMax", "apart")], {}),
        ([KEPT, helper.make_node("Sub", ["row", "row"], ["apart"]), total("ReduceSumSquare", "apart")], {}),
        ([helper.make_node("Neg", ["row"], ["row_out"]), SUB, total("ReduceSumSquare", "apart")], {}),
        (
            [helper.make_node("Identity", ["row_out"], ["row_out"]), SUB, total("ReduceSumSquare", "apart")],
            {},
        ),
        ([KEPT, SUB, total("ReduceSumSquare", "apart")], {"scan_input_directions": [1]}),
        ([KEPT, SUB, total("ReduceSumSquare", "apart")], {"scan_output_axes": [1]}),
    ],
)
def test_another_loop_is_refused(body: list[NodeProto], attributes: Any) -> None:
    with pytest.raises(NotBuilt, match="operator Scan of the ONNX file is not supported"):
        lowered(scanned(body, **attributes))
