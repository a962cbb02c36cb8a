"""Which of a graph's outputs is the answer, and what it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto

from pgml.errors import InvalidValue, NotBuilt, name_list
from pgml.exchange.foreign import Label
from pgml.exchange.naming import Wanted, labels_of
from pgml.exchange.onnx import tensors
from pgml.exchange.onnx.metadata import Said
from pgml.exchange.onnx.words import short
from pgml.spec import Output
from pgml.target import LabelKind

_FLOATS = frozenset({TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.FLOAT16})
_PASSING = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""What leaves numbers as they are."""


@dataclass(frozen=True)
class Answer:
    """What a graph answers.

    Attributes
    ----------
    tensor : str
    task : str
    output : str or None
        What the numbers are; None: probabilities if each row's sum is 1, else scores.
    ending : str
        The operator that makes them.
    labels : sequence or None
        None: not said.
    label_kind : str
    targets : sequence of str
    label : str or None
        The output that says which class it is.
    own : sequence or None
        The labels that the file says, whatever is wanted.
    threshold : float or None
        Of two classes, see `pgml.decision.codes_of`.
    """

    tensor: str
    task: str
    output: Output | None
    ending: str
    labels: Sequence[Label] | None = None
    label_kind: LabelKind = "number"
    targets: Sequence[str] = ()
    label: str | None = None
    own: Sequence[Label] | None = None
    threshold: float | None = None


def answer_of(
    model: ModelProto, classes: Mapping[str, Sequence[Any]], said: Said | None, wanted: Wanted
) -> Answer:
    """Return what a graph of numbers answers.

    Parameters
    ----------
    model : ModelProto
    classes : mapping of str to sequence
        Of outputs that are about classes the labels.
    said : Said or None
    wanted : Wanted

    Raises
    ------
    NotBuilt
        There are more outputs than can be told apart, or only a label.
    InvalidValue
        The labels given are none.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    if said is not None and wanted.task in (None, said.task):
        found = Answer(said.tensor, said.task, said.output, "", None, "number", said.targets)
        if said.labels:
            found = replace(found, labels=said.labels, label_kind=said.label_kind, threshold=said.threshold)
    else:
        found = _told(model, classes, makers, wanted)
    others = [each.name for each in model.graph.output if each.name != found.tensor]
    if len(others) == 1:
        found = replace(found, label=others[0], own=found.labels)
    if wanted.task not in (None, found.task):
        raise InvalidValue(
            f'task "{wanted.task}" is not that of the file, which tells classes apart',
            hint="Leave task out, or export its numbers alone.",
        )
    if wanted.labels is None:
        return found
    labels, kind = labels_of(wanted.labels)
    output = None if found.output == "value" else found.output
    task = "classification" if found.task == "regression" else found.task
    return replace(found, task=task, output=output, labels=labels, label_kind=kind)


def _told(
    model: ModelProto, classes: Mapping[str, Sequence[Any]], makers: Mapping[str, NodeProto], wanted: Wanted
) -> Answer:
    """Return the answer of a graph that says nothing of itself."""
    outputs = model.graph.output
    floats = [each.name for each in outputs if each.type.tensor_type.elem_type in _FLOATS]
    others = [each.name for each in outputs if each.name not in floats]
    if len(floats) > 1 or len(others) > 1:
        raise _too_many([each.name for each in outputs])
    if others and not floats:
        return _of_label(model, others[0], classes, makers, wanted)
    tensor = floats[0]
    ending = _ending(tensor, makers)
    labels = classes.get(tensor) or (classes.get(others[0]) if others else None)
    if labels:
        return _classes(tensor, ending, labels)
    if others:
        label = _ending(others[0], makers)
        if label == "ArgMin":
            return Answer(tensor, "clustering", "distances", ending)
        if label != "ArgMax" and wanted.labels is None:
            raise _too_many([each.name for each in outputs])
        return _classes(tensor, ending, _looked_up(model, others[0], makers))
    if wanted.task == "classification" or (
        wanted.task is None and ending in ("Softmax", "Sigmoid", "LogSoftmax")
    ):
        # What a sigmoid makes are classes only if there are two, which the width says.
        output: Output | None = "value" if ending == "Sigmoid" and wanted.task is None else None
        return Answer(tensor, "classification", output, ending)
    return Answer(tensor, "regression", "value", ending)


def _classes(tensor: str, ending: str, labels: Sequence[Any] | None) -> Answer:
    found = Answer(tensor, "classification", None, ending)
    if labels is None:
        return found
    known, kind = labels_of([each if isinstance(each, str) else float(each) for each in labels])
    return replace(found, labels=known, label_kind=kind)


def _of_label(
    model: ModelProto,
    name: str,
    classes: Mapping[str, Sequence[Any]],
    makers: Mapping[str, NodeProto],
    wanted: Wanted,
) -> Answer:
    """Return the answer of a graph whose only output is no float: what a label is the largest of, or it."""
    maker = _maker(name, makers)
    if maker is not None and maker.op_type == "ArgMax":
        scores = maker.input[0]
        labels = classes.get(name) or _looked_up(model, name, makers)
        return _classes(scores, _ending(scores, makers), labels)
    if name in classes or wanted.labels is not None or wanted.task == "classification":
        raise NotBuilt(
            f'the model gives labels alone, as "{short(name)}"',
            hint="Export it with the probabilities of its classes, or their scores.",
        )
    return Answer(name, "regression", "value", "")


def _maker(name: str, makers: Mapping[str, NodeProto]) -> NodeProto | None:
    """Return what makes a tensor's numbers; a table in which they are looked up is passed."""
    node = makers.get(name)
    while node is not None and (node.op_type in _PASSING or node.op_type == "Gather"):
        node = makers.get(node.input[1 if node.op_type == "Gather" else 0])
    return node


def _ending(name: str, makers: Mapping[str, NodeProto]) -> str:
    node = _maker(name, makers)
    return "" if node is None else node.op_type


def _looked_up(model: ModelProto, name: str, makers: Mapping[str, NodeProto]) -> list[float] | None:
    """Return the table in which a label is looked up, if there is one."""
    held = {each.name: each for each in model.graph.initializer}
    node = makers.get(name)
    while node is not None and node.op_type in _PASSING:
        node = makers.get(node.input[0])
    if node is None or node.op_type != "Gather" or node.input[0] not in held:
        return None
    return [float(each) for each in tensors.values(held[node.input[0]]).ravel()]


def _too_many(names: Sequence[str]) -> NotBuilt:
    return NotBuilt(
        f"the model has {len(names)} outputs, of which it does not say which is the answer",
        detail=f"They are {name_list((short(name) for name in names), 20)}.",
        hint="Export it with one output, or with a label and the probabilities of its classes.",
    )
