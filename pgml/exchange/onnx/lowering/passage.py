"""Going through a graph operator by operator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, defs, helper

from pgml.artifact.graph import OPSETS
from pgml.errors import MalformedText
from pgml.exchange.onnx.lowering import ensembles, linear, maps, strings, svm, tree_ensemble, vectors
from pgml.exchange.onnx.lowering.attributes import Attributes, malformed, unsupported, values_of
from pgml.exchange.onnx.lowering.scans import unrolled
from pgml.exchange.onnx.lowering.shapes import ML, UNKNOWN, inferred, kind_of
from pgml.exchange.onnx.lowering.steps import Labels, Refused, Step, Value, Work
from pgml.exchange.onnx.lowering.texts import Given, Listed, Strings
from pgml.exchange.onnx.lowering.writing import Writing

_STANDARD = ("", "ai.onnx")
OPERATORS: Mapping[str, Any] = {
    **ensembles.OPERATORS,
    **linear.OPERATORS,
    **maps.OPERATORS,
    **svm.OPERATORS,
    **tree_ensemble.OPERATORS,
    **vectors.OPERATORS,
}
"""What writes each operator of ``ai.onnx.ml`` in other terms."""


@dataclass(frozen=True)
class Lowered:
    """A graph of numbers alone.

    Attributes
    ----------
    model : ModelProto
        Of standard operators and TreeEnsemble.  An input of texts is float64 of shape (rows, 1); one of
        several columns of texts is several inputs, numbered from 1 by an ending of their names.  Outputs
        that are texts are codes, int64; those that cannot be had are left out.
    texts : mapping of str to sequence of str
        Of each input of texts those that the graph knows.  Its code is the place of the text, of any other
        the next place, of a missing one the place after that.
    labels : sequence or None
        The classes, where the graph says them.
    classes : mapping of str to sequence
        Of each output that is about classes their labels: it has a column for each, or is one of them; as a
        code, where they are texts, or behind them for a text that is none of them.
    """

    model: ModelProto
    texts: Mapping[str, Sequence[str]]
    labels: Labels | None = None
    classes: Mapping[str, Labels] = field(default_factory=dict)


def lowered(model: ModelProto) -> Lowered:
    """Return a model's graph in standard operators and TreeEnsemble.

    Parameters
    ----------
    model : ModelProto
        Of opset 21 in the main domain, and any in ``ai.onnx.ml``.

    Raises
    ------
    MalformedText
        The graph contradicts itself.
    NotBuilt
        An operator has no such form.
    """
    model = _without_loops(model)
    _check(model)
    writing = Writing(model)
    versions = {each.domain: each.version for each in model.opset_import}
    work = Work(writing, inferred(model), versions)
    values: dict[str, Value] = {}
    for tensor in model.graph.initializer:
        values[tensor.name] = _held(work, tensor.name, tensor)
    texts = _inputs(model, work, values)
    for node in model.graph.node:
        inputs = [values[name] if name else None for name in node.input]
        found = _result(Step(node, Attributes(node), inputs, work))
        if len(found) < len(node.output):
            raise malformed(node.op_type, "writes more values than it has")
        values.update(zip(node.output, found, strict=False))
    classes = _outputs(model, work, values)
    for each in work.waiting:
        each()
    _finish(work)
    labels = next((work.labels[each.name] for each in model.graph.output if each.name in classes), None)
    graph = writing.model.graph
    _prune(graph, [each.name for each in graph.output])
    return Lowered(writing.model, {name: given.known for name, given in texts.items()}, labels, classes)


def _without_loops(model: ModelProto) -> ModelProto:
    if not any(node.op_type == "Scan" for node in model.graph.node):
        return model
    found = ModelProto()
    found.CopyFrom(model)
    unrolled(found.graph)
    return found


def needed(model: ModelProto, outputs: Sequence[str]) -> ModelProto:
    """Return a model with these outputs alone, and nothing that does not lead to them."""
    found = ModelProto()
    found.CopyFrom(model)
    _prune(found.graph, outputs)
    return found


def _prune(graph: GraphProto, outputs: Sequence[str]) -> None:
    """Delete what does not lead to outputs."""
    wanted = set(outputs)
    for at in range(len(graph.node) - 1, -1, -1):
        node = graph.node[at]
        if wanted.intersection(node.output):
            wanted.update(name for name in node.input if name)
        else:
            del graph.node[at]
    for held, kept in ((graph.initializer, wanted), (graph.value_info, wanted), (graph.output, set(outputs))):
        for at in range(len(held) - 1, -1, -1):
            if held[at].name not in kept:
                del held[at]


def _check(model: ModelProto) -> None:
    """Check a graph before it is looked at by what may crash on it.

    Raises
    ------
    NotBuilt
        An operator cannot be lowered.
    MalformedText
        An operator takes what nothing before it writes.
    """
    for tensor in model.graph.initializer:
        values_of(tensor, "Constant")
    known = {"", *(each.name for each in (*model.graph.input, *model.graph.initializer))}
    for node in model.graph.node:
        if (missing := next((name for name in node.input if name not in known), None)) is not None:
            raise malformed(node.op_type, f"takes a value that nothing writes: {missing!r:.60}")
        for name in node.output:
            if name and name in known:
                raise malformed(node.op_type, "writes a value that is there already")
            known.add(name)
        nested = any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute)
        if nested or (node.domain == ML and node.op_type not in OPERATORS):
            raise unsupported(node.op_type)
        if node.domain not in (*_STANDARD, ML):
            raise unsupported(f"{node.domain}.{node.op_type}")
        if node.domain != ML:
            _check_counts(node)


def _check_counts(node: NodeProto) -> None:
    """Raise MalformedText for a standard operator of too few or too many inputs or outputs."""
    try:
        schema = defs.get_schema(node.op_type, OPSETS[""], "")
    except defs.SchemaError:
        raise unsupported(node.op_type) from None
    taken = schema.min_input <= len(node.input) <= schema.max_input
    if not (taken and schema.min_output <= len(node.output) <= schema.max_output):
        raise malformed(node.op_type, "has no such number of inputs or outputs")


def _held(work: Work, name: str, tensor: TensorProto) -> Value:
    """Return a constant of the graph."""
    if tensor.data_type == TensorProto.STRING:
        return strings.constant(work, values_of(tensor, "Constant"))
    work.writing.types[name] = tensor.data_type
    kind = work.kinds.get(name, UNKNOWN)
    if kind.shape is not None and len(kind.shape) < 2:
        work.constants[name] = values_of(tensor, "Constant")
    work.writing.take(tensor)
    return name


def _inputs(model: ModelProto, work: Work, values: dict[str, Value]) -> dict[str, Given]:
    texts: dict[str, Given] = {}
    for each in model.graph.input:
        if each.name in values:
            continue
        if kind_of(each).type == TensorProto.STRING:
            values[each.name] = strings.entry(work, each, texts)
        else:
            work.writing.types[each.name] = kind_of(each).type
            work.writing.model.graph.input.append(each)
            values[each.name] = each.name
    return texts


def _result(step: Step) -> Sequence[Value]:
    refused = next((each for each in step.inputs if isinstance(each, Refused)), None)
    if refused is not None:
        return [refused for _ in step.node.output]
    kind = step.node.op_type
    if kind in maps.OPERATORS:
        found: Sequence[Value] = maps.OPERATORS[kind](step)
        return found
    if any(isinstance(each, Strings) for each in step.inputs):
        return strings.result(step)
    if (texts := strings.held(step)) is not None:
        return [strings.constant(step.work, texts)]
    if step.node.domain == ML:
        lower: Callable[[Step], Sequence[Value]] = OPERATORS[kind]
        return lower(step)
    return _copied(step)


def _copied(step: Step) -> Sequence[Value]:
    """Return the outputs of a standard operator, which stay what they are."""
    node, writing = step.node, step.writing
    if node.op_type == "Cast" and step.given.integer("to", 0) == TensorProto.STRING:
        return [step.refused("makes texts of numbers")]
    if (same := _reshaped(step)) is not None:
        return [same]
    writing.copied(node, [step.number(at) if name else "" for at, name in enumerate(node.input)])
    if node.op_type == "Constant" and (held := step.given.tensor("value")) is not None and held.ndim < 2:
        step.work.constants[node.output[0]] = held
    for name in node.output:
        writing.types[name] = step.work.kinds.get(name, UNKNOWN).type
    if node.op_type in ("Identity", "Cast", "Reshape", "Squeeze", "Flatten") and (
        labels := step.work.labels.get(node.input[0])
    ):
        step.work.labels[node.output[0]] = labels
    return list(node.output)


def _reshaped(step: Step) -> str | None:
    """Return what an operator would only put into the shape that it, or what it was made of, has."""
    if step.node.op_type == "Flatten":
        plain = step.kind().rank == 2 and step.given.integer("axis", 1) == 1
        return step.number() if plain else None
    if step.node.op_type != "Reshape" or (shape := step.constant(1)) is None:
        return None
    name, count = step.work.flattened.get(step.number(), ("", 0))
    return name if name and shape.tolist() == [-1, count] else None


def _outputs(model: ModelProto, work: Work, values: Mapping[str, Value]) -> dict[str, Labels]:
    """Name the outputs as they were; return the labels of those that are about classes."""
    classes: dict[str, Labels] = {}
    kept: list[ValueInfoProto] = []
    refused: Refused | None = None
    for each in model.graph.output:
        found = values.get(each.name)
        if found is None:
            raise MalformedText(
                f"ONNX file has an output that nothing writes: {each.name!r:.60}",
                hint="Write the file again with the tool that made it.",
            )
        if isinstance(found, Strings):
            listed = [domain for domain in found.domains if isinstance(domain, Listed)]
            if len(listed) != 1 or len(found.domains) > 1:
                refused = Refused("Identity", "gives texts that are no classes")
                continue
            work.labels.setdefault(each.name, listed[0].held)
            found = found.codes
        if isinstance(found, Refused):
            refused = found
            continue
        kept.append(_described(work, each, found))
        if each.name in work.labels:
            classes[each.name] = work.labels[each.name]
    if not kept and refused is not None:
        raise unsupported(refused.kind, refused.why)
    work.writing.model.graph.output.extend(kept)
    return classes


def _finish(work: Work) -> None:
    """Say the outputs' shapes, and check that matrices have as many columns as trees look at.

    Raises
    ------
    MalformedText
        One has fewer.
    NotBuilt
        That is not known.
    """
    graph = work.writing.model.graph
    kinds = inferred(work.writing.model)
    for name, columns, kind in work.needs:
        width = kinds.get(name, UNKNOWN).width
        if width is None:
            raise unsupported(kind, "takes a matrix of unknown width")
        if width < columns:
            raise malformed(kind, f"compares column {columns - 1} of {width}, counted from 0")
    described = [
        helper.make_tensor_value_info(each.name, found.type, found.shape or [None])
        if (found := kinds.get(each.name, UNKNOWN)).type and found.shape != ()
        else each
        for each in graph.output
    ]
    del graph.output[:]
    graph.output.extend(described)


def _described(work: Work, output: ValueInfoProto, found: str) -> ValueInfoProto:
    """Write an output under its name; return its description."""
    writing = work.writing
    if found != output.name:
        writing.copied(helper.make_node("Identity", [found], [output.name]), [found])
    kind = work.kinds.get(output.name, UNKNOWN)
    elem = writing.types.get(found, 0) or kind.type
    return helper.make_tensor_value_info(output.name, elem, kind.shape)
