"""How far a model's own numbers move when its weights do: the backward error that its statement may have.

Where large terms cancel, or a last step magnifies what the steps before it round, neither the model nor
its statement has the digits that sums of ordinary terms keep.  A sum of n terms that is computed is the exact
sum of terms each of which is off by n roundings at most (Higham, Accuracy and Stability of Numerical
Algorithms, section 4.2).  So a statement may differ from its model by as much as the model from itself with
each weight off by that.

Weights are the numbers that enter arithmetic: of products, sums, convolutions, layers and tables of points or
values, and those of leaves.  Thresholds, bounds, exponents, integers and operands of comparisons are none:
a decision is not rounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from pgml.artifact.format import Artifact, pack
from pgml.inference import Predictor
from pgml.preprocessing import Matrix

Floats = npt.NDArray[np.float64]
ROUNDING: Mapping[int, float] = {TensorProto.FLOAT: 2.0**-24, TensorProto.DOUBLE: 2.0**-53}
"""Of one operation, relative to its result."""
LEAST = 32
"""Roundings that every weight may be off by: of the steps around its sum, such as an exponential."""
BLOCK = 256
"""Terms at most that products of float32 add up at a time; they are the model's alone, as SQL has doubles."""
RUNS = 4
"""Of each kind: with a sign for each tensor, as rounding is that all terms share, and for each number."""
BENT = 0.25
"""A change follows the weights if half of theirs makes half of it, but for this part.  A jump, where
neighbours change their places or a threshold is passed, is as large with half of theirs, or not there."""
FARTHEST = 1e-4
"""Of the outputs' scale: no more counts, as by so much the stored form of any model may differ from the
estimator that was fitted."""
RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
ELEMENTWISE = frozenset(
    {"Add", "BatchNormalization", "Div", "LayerNormalization", "Mean", "Mul", "PRelu", "Sub", "Sum"}
)


def spread(artifact: Artifact, matrix: Matrix, outputs: Floats) -> Floats:
    """Return by how much each output moves at most, shape (rows, width); 0 where it jumps.

    Parameters
    ----------
    artifact : Artifact
    matrix : ndarray of shape (rows, features)
        Encoded rows.
    outputs : ndarray of shape (rows, width)
        The model's for these.
    """
    found = np.zeros_like(outputs)
    for run in range(2 * RUNS):
        whole, half = (
            _moved(artifact, share, np.random.default_rng(run), matrix, outputs, shared=run < RUNS)
            for share in (1.0, 0.5)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            smooth = np.abs(whole - 2 * half) <= BENT * np.abs(whole)
        found = np.where(smooth, np.maximum(found, np.abs(whole)), found)
    return found


def _moved(
    artifact: Artifact,
    share: float,
    random: np.random.Generator,
    matrix: Matrix,
    outputs: Floats,
    *,
    shared: bool,
) -> Floats:
    """Return what outputs change by where each weight is a share of its roundings larger or smaller."""
    model = ModelProto.FromString(artifact.graph)
    for tensor, terms in _weights(model):
        values = numpy_helper.to_array(tensor)
        signs = random.choice([-1.0, 1.0], size=() if shared else values.shape)
        off = share * max(LEAST, terms) * ROUNDING[tensor.data_type]
        with np.errstate(invalid="ignore", over="ignore"):
            changed = (values * (1 + off * signs)).astype(values.dtype)
        tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    other = replace(artifact, graph=bytes(model.SerializeToString()), golden={})
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(Predictor(pack(other)).run(matrix).reshape(outputs.shape) - outputs)


def _weights(model: ModelProto) -> Iterator[tuple[TensorProto, int]]:
    """Give the tensors that are weights wherever they are used, with the terms of the sums they are in."""
    tensors = {each.name: each for each in model.graph.initializer if each.data_type in ROUNDING}
    uses: dict[str, list[int]] = {}
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            if name in tensors:
                uses.setdefault(name, []).append(_terms(node, at, tensors[name].dims))
    for name, terms in uses.items():
        if all(terms):
            is_single = tensors[name].data_type == TensorProto.FLOAT
            yield tensors[name], min(max(terms), BLOCK) if is_single else max(terms)
    for node in model.graph.node:
        held = {each.name: each for each in node.attribute}
        if "leaf_weights" in held:
            yield held["leaf_weights"].t, len(held["tree_roots"].ints)


def _terms(node: NodeProto, at: int, shape: Sequence[int]) -> int:
    """Return how many terms the sums have that an input is in; 0: it is no weight."""
    if node.op_type == "MatMul":
        return shape[-1] if at == 0 or len(shape) < 2 else shape[-2]
    if node.op_type == "Conv":
        return prod(shape[1:])
    if node.op_type in RECURRENT:
        return shape[-1]
    return int(node.op_type in ELEMENTWISE or (node.op_type == "Gather" and at == 0))
