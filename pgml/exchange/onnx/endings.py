"""The end of a graph: one output of float64, as wide as what it means needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from pgml.errors import InvalidValue, NotBuilt, TooLarge
from pgml.exchange.foreign import Label
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.answers import Answer
from pgml.exchange.onnx.inputs import Way, renamed
from pgml.exchange.onnx.sizes import Size
from pgml.exchange.onnx.words import short
from pgml.spec import Output

MOST_OUTPUTS = 10_000
RAW = "answer"
_SINGLE_LABEL_HINT = "Export the model with a sigmoid at its end, or with a number for each class."


@dataclass(frozen=True)
class Ending:
    """What the numbers at the end of a graph are.

    Attributes
    ----------
    task : str
    output : str or None
        None: probabilities if each row's sum is 1, else scores.
    labels : sequence
    width : int
    """

    task: str
    output: Output | None
    labels: Sequence[Label]
    width: int


def ended(model: ModelProto, answer: Answer, size: Size, way: Way, wanted: Wanted) -> Ending:
    """Give a graph its output, which is called `RAW`, and return what it is.

    Raises
    ------
    NotBuilt
        The answer is not one for each row.
    InvalidValue
        The labels are not as many as the numbers.
    TooLarge
    """
    name = short(answer.tensor)
    if size.axis != (None if way == "one" else 0):
        raise NotBuilt(
            f'output "{name}" has not a row for each row given',
            hint="Export a model that takes rows in its first dimension and answers each by itself.",
        )
    width = math.prod(size.fixed)
    if not 1 <= width <= MOST_OUTPUTS:
        raise TooLarge(
            f'output "{name}" has {width} numbers a row; from 1 to {MOST_OUTPUTS} can be served',
            hint="Export the model with what matters of them.",
        )
    found = _meant(answer, width, wanted)
    _append(model, answer, size, found)
    return found


def _meant(answer: Answer, width: int, wanted: Wanted) -> Ending:
    labels, output = answer.labels, answer.output
    if answer.ending == "Sigmoid" and output in ("value", None) and answer.task == "classification":
        if width == 1 and (labels is None or len(labels) == 2):
            return Ending("classification", "probabilities", labels or [0.0, 1.0], 2)
        if labels is None and wanted.task is None:
            return Ending("regression", "value", [], width)
        output = None
    if answer.task == "regression" or output in ("value", "components"):
        return Ending(answer.task, output, [], width)
    if width == 1 and output is None and answer.label is not None and len(answer.own or ()) == 2:
        # Below 0 one, above 0 the other: whether that is so the labels of the rows tried will tell.
        return Ending(answer.task, "scores", labels or [], 2)
    if width == 1 and output != "anomaly":
        raise InvalidValue(
            "the model gives one number, which does not tell classes apart", hint=_SINGLE_LABEL_HINT
        )
    wants = 2 if output == "anomaly" else width
    if labels is not None and len(labels) != wants:
        raise InvalidValue(
            f"there are {len(labels)} labels, and the model gives {width} number(s)",
            hint=f"Give {wants} labels, in the order of the outputs.",
        )
    return Ending(answer.task, output, labels or [float(at) for at in range(width)], width)


def _append(model: ModelProto, answer: Answer, size: Size, found: Ending) -> None:
    """Append what makes the answer float64 of shape (rows, width)."""
    graph = model.graph
    names = {name for node in graph.node for name in node.output} | {each.name for each in graph.initializer}
    taken = {name: f"own/{name}" for name in names if name.startswith(RAW)}
    renamed(model, taken)
    last = taken.get(answer.tensor, answer.tensor)
    if len(size.dims[0]) != 2:
        shape = np.array([-1, math.prod(size.fixed)], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(shape, f"{RAW}/shape"))
        last = _added(model, "Reshape", [last, f"{RAW}/shape"])
    if size.dtype != TensorProto.DOUBLE:
        last = _added(model, "Cast", [last], to=TensorProto.DOUBLE)
    if found.output != "value" and answer.ending == "LogSoftmax":
        last = _added(model, "Exp", [last])
    if found.width == 2 and math.prod(size.fixed) == 1:
        whole = 1.0 if found.output == "probabilities" else 0.0
        graph.initializer.append(numpy_helper.from_array(np.array(whole), f"{RAW}/whole"))
        first = _added(model, "Sub", [f"{RAW}/whole", last])
        last = _added(model, "Concat", [first, last], axis=1)
    if not graph.node or last not in graph.node[-1].output or len(graph.node[-1].output) > 1:
        last = _added(model, "Identity", [last])
    graph.node[-1].output[0] = RAW
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(RAW, TensorProto.DOUBLE, ["rows", found.width]))


def turn(model: ModelProto) -> None:
    """Make the least number of a graph's output the largest."""
    graph = model.graph
    graph.node[-1].output[0] = f"{RAW}/turned"
    graph.node.append(helper.make_node("Neg", [f"{RAW}/turned"], [RAW]))


def _added(model: ModelProto, kind: str, operands: Sequence[str], **attributes: Any) -> str:
    name = f"{RAW}/{len(model.graph.node)}"
    model.graph.node.append(helper.make_node(kind, operands, [name], **attributes))
    return name
