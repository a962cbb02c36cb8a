"""Numbers of leaves that older versions of ONNX Runtime read rightly."""

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, numpy_helper

Integers = npt.NDArray[np.int64]


def renumber(graph: GraphProto) -> None:
    """Give the leaves of trees other numbers where a root has a leaf and a branch of one number below it.

    ONNX Runtime before 1.24 compares the two numbers alone, and takes such a tree for a lone leaf.
    """
    for node in graph.node:
        if node.op_type == "TreeEnsemble":
            _renumber(node)


def _renumber(node: NodeProto) -> None:
    given = {each.name: each for each in node.attribute}
    true, false = (_integers(given[f"nodes_{side}nodeids"]) for side in ("true", "false"))
    true_leaf, false_leaf = (_integers(given[f"nodes_{side}leafs"]) > 0 for side in ("true", "false"))
    roots = _integers(given["tree_roots"])
    mixed = roots[true_leaf[roots] != false_leaf[roots]]
    leaf = np.where(true_leaf, true, false)[mixed]
    branch = np.where(true_leaf, false, true)[mixed]
    count = len(given["leaf_targetids"].ints)
    wrong = set(((branch - leaf) % count).tolist())
    shift = next((at for at in range(count) if at not in wrong), 0)
    if shift == 0:
        return
    for name, numbers, is_leaf in (("true", true, true_leaf), ("false", false, false_leaf)):
        moved = np.where(is_leaf, (numbers + shift) % count, numbers)
        given[f"nodes_{name}nodeids"].ints[:] = moved.tolist()
    given["leaf_targetids"].ints[:] = np.roll(_integers(given["leaf_targetids"]), shift).tolist()
    weights: TensorProto = given["leaf_weights"].t
    weights.CopyFrom(numpy_helper.from_array(np.roll(numpy_helper.to_array(weights), shift), weights.name))


def _integers(attribute: AttributeProto) -> Integers:
    return np.array(attribute.ints, dtype=np.int64)
