"""Several named inputs become one matrix of features."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from pgml.artifact.graph import INPUT
from pgml.columns import Column
from pgml.errors import InvalidValue, NotBuilt, TooLarge, name_list
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx import tensors
from pgml.exchange.onnx.words import short

MOST_FEATURES = 1_000_000
Way = Literal["rows", "one"]
_EXACT_IN_FLOAT32 = frozenset(
    {
        TensorProto.BOOL,
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.INT8,
        TensorProto.INT16,
        TensorProto.UINT8,
        TensorProto.UINT16,
    }
)
_WHOLE = frozenset(tensors.NUMBERS - {TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.FLOAT16})


@dataclass(frozen=True)
class Input:
    """An input of a file.

    Attributes
    ----------
    name : str
    dtype : int
        Of ONNX.
    dims : tuple of int or None
        None: whatever comes.
    """

    name: str
    dtype: int
    dims: tuple[int | None, ...]

    def shape(self, way: Way) -> tuple[int, ...]:
        """Return the dimensions that one row fills: all of them, or those after the rows."""
        found = self.dims if way == "one" else self.dims[1:]
        return tuple(size or 1 for size in found)


def inputs_of(model: ModelProto, wanted: Wanted) -> list[Input]:
    """Return the inputs of a file that are no constants.

    Raises
    ------
    NotBuilt
        One is no tensor of numbers or texts, or has dimensions beside the rows that are not said.
    InvalidValue
        There are none.
    """
    held = {each.name for each in model.graph.initializer}
    given = [each for each in model.graph.input if each.name not in held]
    if not given:
        raise InvalidValue("the model takes no input", hint="Export it with the features as its input.")
    return [_described(each, wanted, alone=len(given) == 1) for each in given]


def ways(inputs: Sequence[Input]) -> list[Way]:
    """Return how rows can be given, the best first: any number at a time, or one at a time.

    Raises
    ------
    NotBuilt
        There is none.
    """
    counts = {each.dims[0] if each.dims else 1 for each in inputs}
    found: list[Way] = []
    if all(each.dims for each in inputs) and len(counts - {None}) <= 1:
        found.append("rows")
    if None not in counts and (counts == {1} or all(len(each.dims) < 2 for each in inputs)):
        found.append("one")
    if not found:
        raise NotBuilt(
            "the inputs of the model take different numbers of rows",
            detail=f"They are {name_list(short(each.name) for each in inputs)}.",
            hint="Export the model with a first dimension that counts rows, the same for all inputs.",
        )
    return found


def _described(given: ValueInfoProto, wanted: Wanted, alone: bool) -> Input:
    name = short(given.name)
    stated = given.type.tensor_type
    if not given.type.HasField("tensor_type") or (
        stated.elem_type not in tensors.NUMBERS and stated.elem_type != TensorProto.STRING
    ):
        raise NotBuilt(
            f'input "{name}" takes no tensor of numbers or texts',
            hint="Export the model with inputs of float, double, float16, whole numbers, bool or string.",
        )
    if not stated.HasField("shape") or len(stated.shape.dim) > tensors.MOST_DIMENSIONS:
        raise NotBuilt(
            f'the model does not say which shape input "{name}" has',
            hint="Export the model with the shape of its inputs, such as [None, 10].",
        )
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in stated.shape.dim]
    if any(size is not None and size < 0 for size in dims) or 0 in dims[1:]:
        raise InvalidValue(f'input "{name}" has impossible dimensions', hint="Export the model again.")
    if dims[:1] == [0]:
        dims[0] = None
    if alone and len(dims) == 2 and dims[1] is None and wanted.features is not None:
        dims[1] = len(wanted.features)
    if None in dims[1:]:
        raise NotBuilt(
            f'input "{name}" may have any size in dimension {dims.index(None, 1) + 1}',
            hint="Export the model with all dimensions fixed but the first, which counts rows.",
        )
    return Input(given.name, stated.elem_type, tuple(dims))


@dataclass(frozen=True)
class Joined:
    """The features that several inputs became.

    Attributes
    ----------
    columns : sequence of Column
    dtype : str
        ``float32`` or ``float64``.
    whole : sequence of int
        The columns that the graph takes as whole numbers.
    """

    columns: Sequence[Column]
    dtype: str
    whole: Sequence[int]


def joined(
    model: ModelProto, inputs: Sequence[Input], texts: Mapping[str, Sequence[str]], way: Way
) -> Joined:
    """Give a graph one input in the place of several, and return its features.

    Raises
    ------
    TooLarge, NotBuilt
    """
    widths = [math.prod(each.shape(way)) for each in inputs]
    _check_widths(inputs, widths, texts)
    exact = all(each.dtype in _EXACT_IN_FLOAT32 and each.name not in texts for each in inputs)
    element = TensorProto.FLOAT if exact else TensorProto.DOUBLE
    _cleared(model, {each.name for each in inputs})
    names = [INPUT] if len(inputs) == 1 else [f"{INPUT}/{at}" for at in range(len(inputs))]
    nodes, held, final = [], [], {}
    if len(inputs) > 1:
        held.append(numpy_helper.from_array(np.array(widths, dtype=np.int64), f"{INPUT}/widths"))
        nodes.append(helper.make_node("Split", [INPUT, f"{INPUT}/widths"], names, axis=1))
    for part, each in zip(names, inputs, strict=True):
        last = part
        wanted = TensorProto.DOUBLE if each.name in texts else each.dtype
        shape = list(each.dims) if way == "one" else [-1, *each.dims[1:]]
        if wanted != element:
            last = f"{part}/cast"
            nodes.append(helper.make_node("Cast", [part], [last], to=wanted))
        if len(shape) != 2:
            held.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), f"{part}/shape"))
            nodes.append(helper.make_node("Reshape", [last, f"{part}/shape"], [f"{part}/reshaped"]))
            last = f"{part}/reshaped"
        final[each.name] = last
    renamed(model, final)
    _put_first(model, nodes)
    model.graph.initializer.extend(held)
    del model.graph.input[:]
    rows = 1 if way == "one" else "rows"
    model.graph.input.append(helper.make_tensor_value_info(INPUT, element, [rows, sum(widths)]))
    whole = [at for at, each in enumerate(inputs) if each.dtype in _WHOLE and each.name not in texts]
    columns = [_column(each, width, texts) for each, width in zip(inputs, widths, strict=True)]
    return Joined(columns, "float32" if exact else "float64", whole)


def renamed(model: ModelProto, names: Mapping[str, str]) -> None:
    """Give tensors other names."""
    graph = model.graph
    for node in graph.node:
        for ends in (node.input, node.output):
            for at, name in enumerate(ends):
                if name in names:
                    ends[at] = names[name]
    for each in (*graph.initializer, *graph.input, *graph.output):
        each.name = names.get(each.name, each.name)


def _cleared(model: ModelProto, inputs: set[str]) -> None:
    """Take names away from tensors that those of the features could be taken for."""
    graph = model.graph
    names = {name for node in graph.node for name in node.output} | {each.name for each in graph.initializer}
    renamed(model, {name: f"own/{name}" for name in names - inputs if name.startswith((INPUT, "own/"))})


def _check_widths(inputs: Sequence[Input], widths: Sequence[int], texts: Mapping[str, Sequence[str]]) -> None:
    if sum(widths) > MOST_FEATURES:
        raise TooLarge(
            f"the model takes {sum(widths)} numbers, more than {MOST_FEATURES}",
            hint="Export a model for smaller inputs.",
        )
    for each, width in zip(inputs, widths, strict=True):
        if each.name in texts and width > 1:
            raise NotBuilt(
                f'input "{short(each.name)}" takes {width} texts',
                hint="Export the model with an input of its own for each text.",
            )


def _column(each: Input, width: int, texts: Mapping[str, Sequence[str]]) -> Column:
    if each.name in texts:
        return Column(each.name, "text")
    return Column(each.name, "double precision[]" if width > 1 else "double precision", width)


def _put_first(model: ModelProto, nodes: Sequence[NodeProto]) -> None:
    """Put operators before all others."""
    later = [NodeProto.FromString(node.SerializeToString()) for node in model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *later])
