"""How large every tensor of a graph is, for any number of rows, without running it.

Each operator is looked at with two numbers of rows.  A size must be the same for both, or a multiple of
the rows.  That two points tell a line is no guess: shapes that operators compute are followed only
through those that make lines of lines (`lines`), and ONNX's own rules make the sizes of results of them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, TypeProto, defs, helper, numpy_helper, shape_inference

from pgml.artifact.graph import OPSETS
from pgml.errors import InvalidValue, NotBuilt
from pgml.exchange.onnx import lines, tensors
from pgml.exchange.onnx.lines import ROWS, Line
from pgml.exchange.onnx.operators import ALLOWED, MACHINE_LEARNING, TREES
from pgml.exchange.onnx.words import FAILURES, sentence, short

Dims = tuple[int, ...]
_LIKE_THE_FIRST = frozenset({"GroupNormalization", "MeanVarianceNormalization"})
"""Those for which ONNX has no rule."""
_TRAPPING = (TensorProto.INT32, TensorProto.INT64)
"""Whole numbers whose least, divided by -1, makes the processor end the process."""


@dataclass(frozen=True)
class Size:
    """A tensor's type and its dimensions for each number of `ROWS`."""

    dtype: int
    dims: tuple[Dims, Dims]

    @property
    def axis(self) -> int | None:
        """The dimension that grows with the rows."""
        return next(
            (at for at, sizes in enumerate(zip(*self.dims, strict=True)) if sizes[0] != sizes[1]), None
        )

    @property
    def fixed(self) -> Dims:
        """The dimensions, those that grow for one row."""
        return tuple(one if one == other else one // ROWS[0] for one, other in zip(*self.dims, strict=True))

    @property
    def count(self) -> int:
        """Numbers in it, for one row."""
        return math.prod(self.fixed)

    @property
    def bytes(self) -> int:
        return self.count * tensors.dtype(self.dtype).itemsize


@dataclass
class Sizes:
    """What is known of a graph's tensors: their sizes, and values where they are few and no data."""

    sizes: dict[str, Size] = field(default_factory=dict)
    known: dict[str, Line] = field(default_factory=dict)

    def operands(self, node: NodeProto) -> list[Size]:
        """Return the sizes of what an operator takes; those that were left out are left out."""
        return [self.sizes[name] for name in node.input if name]

    def results(self, node: NodeProto) -> list[Size]:
        return [self.sizes[name] for name in node.output if name]


Before = Callable[[NodeProto, Sizes], None]


def sizes_of(model: ModelProto, before: Before | None = None) -> Sizes:
    """Return the sizes of a graph of the contract's input.

    Parameters
    ----------
    model : ModelProto
    before : callable, optional
        What is done to each operator before, with the sizes of its operands.

    Raises
    ------
    NotBuilt
        An operator is none of those that can be imported, or a size depends on values, or not on the rows
        as a multiple.
    InvalidValue
        Operators do not fit together.
    """
    found = Sizes()
    for each in model.graph.input:
        stated = each.type.tensor_type
        one, other = (tuple(int(dim.dim_value or rows) for dim in stated.shape.dim) for rows in ROWS)
        found.sizes[each.name] = Size(stated.elem_type, (one, other))
    for tensor in model.graph.initializer:
        dims = tuple(tensor.dims)
        found.sizes[tensor.name] = Size(tensor.data_type, (dims, dims))
        if math.prod(dims) <= lines.MOST:
            values = tensors.values(tensor)
            found.known[tensor.name] = (values, values)
    for node in model.graph.node:
        _check_kind(node)
        if before is not None:
            before(node, found)
        _check_divisor(node, found)
        results = _results(node, found)
        found.sizes.update(results)
        if all(size.count <= lines.MOST for size in results.values()):
            found.known.update(lines.followed(node, found.known, _shapes(node, found)))
    return found


def _check_kind(node: NodeProto) -> None:
    allowed = node.op_type == TREES if node.domain == MACHINE_LEARNING else node.op_type in ALLOWED
    if not allowed:
        raise NotBuilt(
            f"operator {short(node.op_type)} cannot be imported",
            hint="Export the model up to that operator, or without it.",
        )


def _check_divisor(node: NodeProto, found: Sizes) -> None:
    """Refuse divisions of whole numbers that could end the process that runs them."""
    if node.op_type not in ("Div", "Mod") or found.sizes[node.input[1]].dtype not in _TRAPPING:
        return
    one, other = found.known.get(node.input[1], (np.array(-1), None))
    if one is not other or np.isin(one, (0, -1)).any():
        raise NotBuilt(
            f"operator {short(node.op_type)} divides whole numbers by what may be 0 or -1",
            hint="Export the model with a constant divisor, or divide floating-point numbers.",
        )


def _shapes(node: NodeProto, found: Sizes) -> tuple[Dims, Dims]:
    """Return the dimensions of the first operand."""
    return found.sizes[node.input[0]].dims if node.input and node.input[0] else ((), ())


def _results(node: NodeProto, found: Sizes) -> dict[str, Size]:
    one, other = (_at(node, found, place) for place in range(2))
    sizes = {}
    for name in filter(None, node.output):
        dims = tuple(_dims(name, each.get(name)) for each in (one, other))
        size = Size(one[name].tensor_type.elem_type, (dims[0], dims[1]))
        _check(name, size)
        sizes[name] = size
    return sizes


def _at(node: NodeProto, found: Sizes, place: int) -> Mapping[str, TypeProto]:
    """Return the types of an operator's results for one number of rows."""
    types, data = {}, {}
    for name in filter(None, node.input):
        size = found.sizes[name]
        types[name] = helper.make_tensor_type_proto(size.dtype, size.dims[place])
        if name in found.known:
            data[name] = numpy_helper.from_array(found.known[name][place], name)
    if node.op_type == TREES:
        targets = next(each.i for each in node.attribute if each.name == "n_targets")
        size = found.sizes[node.input[0]]
        dims = [size.dims[place][0], targets]
        return {node.output[0]: helper.make_tensor_type_proto(size.dtype, dims)}
    if node.op_type in _LIKE_THE_FIRST:
        return {node.output[0]: types[node.input[0]]}
    schema = defs.get_schema(node.op_type, OPSETS[""], "")
    imports = [helper.make_opsetid(*each) for each in OPSETS.items()]
    try:
        return shape_inference.infer_node_outputs(
            schema, node, types, data, opset_imports=imports, ir_version=10
        )
    except FAILURES as error:
        raise InvalidValue(
            f"operator {short(node.op_type)} does not fit its operands",
            detail=f'It makes "{short(next(filter(None, node.output)))}": {sentence(error)}',
            hint="Check the model with onnx.checker.check_model(model, full_check=True).",
        ) from None


def _dims(name: str, found: TypeProto | None) -> Dims:
    if found is not None and found.HasField("tensor_type") and found.tensor_type.HasField("shape"):
        dims = found.tensor_type.shape.dim
        if all(dim.HasField("dim_value") and dim.dim_value >= 0 for dim in dims):
            return tuple(dim.dim_value for dim in dims)
    raise NotBuilt(
        f'the size of "{short(name)}" is only known when it runs',
        hint="Export the model with fixed sizes for all but the first dimension, which counts rows.",
    )


def _check(name: str, size: Size) -> None:
    one, other = size.dims
    moving = [at for at in range(min(len(one), len(other))) if one[at] != other[at]]
    line = len(one) == len(other) and all(one[at] * ROWS[1] == other[at] * ROWS[0] for at in moving)
    if len(moving) > 1 or not line:
        raise NotBuilt(
            f'the size of "{short(name)}" does not grow as the rows do',
            hint="Export a model that takes rows in its first dimension and answers each by itself.",
        )
    if size.dtype not in tensors.NUMBERS:
        raise NotBuilt(
            f'"{short(name)}" is of type {tensors.type_name(size.dtype)}, which cannot be served',
            hint="Export the model with numbers of float, double, float16 or whole numbers.",
        )
