"""What an ONNX file may not hold, looked for before anything is made of it."""

from collections.abc import Iterator
from itertools import chain

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, checker, defs

from pgml.errors import InvalidValue, MalformedText, NotBuilt, TooLarge
from pgml.exchange.onnx import functions, order, tensors
from pgml.exchange.onnx.operators import CONTROL, MACHINE_LEARNING, RANDOM, SIZES_OF_VALUES, WEIGHTED
from pgml.exchange.onnx.words import sentence, short

MOST_NODES = 20_000
MOST_NAMES = 200
"""Bytes of the longest name."""
NEWEST_IR = 10
DOMAINS = ("", MACHINE_LEARNING)
_HINT_FILE = "Give the bytes of an .onnx file, such as pg_read_binary_file('/path/model.onnx')."


def audited(data: bytes) -> ModelProto:
    """Return an ONNX file's model: its nodes in order, its local functions in their places.

    Raises
    ------
    MalformedText
        It is no ONNX file, or a part of it is not what it should be.
    InvalidValue
        It contradicts itself.
    NotBuilt
        It holds what no graph here may hold.
    TooLarge
    """
    model = _parsed(data)
    _check_texts(model)
    _unify(model)
    _check_counts(model)
    _check_kinds(model)
    _check_domains(model)
    model = functions.inlined(model, MOST_NODES)
    graph = model.graph
    for tensor in _tensors(graph):
        tensors.check(tensor)
    _check_names(model)
    order.sort(graph)
    _unroll(graph)
    for node in graph.node:
        _check_node(node)
    _check_weights(graph)
    _check_schemas(model)
    return model


def _parsed(data: bytes) -> ModelProto:
    try:
        model: ModelProto = ModelProto.FromString(data)
    except (DecodeError, RecursionError):
        raise MalformedText("the bytes are no ONNX file", hint=_HINT_FILE) from None
    if not model.graph.output or not model.opset_import:
        raise MalformedText("the bytes hold no ONNX model", hint=_HINT_FILE)
    return model


def _check_texts(message: Message) -> None:
    """Refuse texts that are none; protobuf hands them over as bytes.  It bounds how deep messages nest."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            if any(
                isinstance(each, bytes) for each in ([value] if isinstance(value, (str, bytes)) else value)
            ):
                raise MalformedText(
                    f'the texts "{field.name}" of the model are not in UTF-8', hint=_HINT_FILE
                )
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for each in [value] if isinstance(value, Message) else value:
                _check_texts(each)


def _unify(model: ModelProto) -> None:
    """Drop sizes that the file states, and write the main domain in one way."""
    del model.graph.value_info[:]
    nodes = chain(model.graph.node, *(each.node for each in model.functions))
    for each in chain(nodes, model.opset_import, *(each.opset_import for each in model.functions)):
        if each.domain == "ai.onnx":
            each.domain = ""
    # What later versions of the file add is among what is refused here.
    model.ir_version = min(max(model.ir_version, 3), NEWEST_IR)


def _check_counts(model: ModelProto) -> None:
    graph = model.graph
    count = max(len(graph.node), len(graph.initializer), len(graph.input), len(graph.output))
    if max(count, len(model.functions)) > MOST_NODES:
        raise TooLarge(
            f"the model has {count} operators or tensors, more than the {MOST_NODES} that can be imported",
            hint="Simplify it before, for example with onnxsim or onnxruntime's optimizer.",
        )


def _check_kinds(model: ModelProto) -> None:
    """Refuse what a file can hold beside a graph of dense tensors."""
    if model.training_info:
        raise NotBuilt(
            "the model holds a training, which cannot be imported",
            hint="Export it for inference, without its training information.",
        )
    if model.graph.sparse_initializer:
        raise NotBuilt(
            "the model holds sparse tensors, which cannot be imported",
            hint="Export its weights as dense tensors.",
        )


def _check_domains(model: ModelProto) -> None:
    own = {each.domain for each in model.functions}
    used = {node.domain for node in chain(model.graph.node, *(each.node for each in model.functions))}
    for domain in sorted(used - own):
        if domain not in DOMAINS:
            kinds = sorted({node.op_type for node in model.graph.node if node.domain == domain})
            raise NotBuilt(
                f'the model has operators of domain "{short(domain)}", which cannot be imported',
                detail=f"They are {', '.join(map(short, kinds[:10]))}." if kinds else "",
                hint='Export it with standard operators alone: those of "ai.onnx" and "ai.onnx.ml".',
            )
    if missing := (used & set(DOMAINS)) - {each.domain for each in model.opset_import}:
        raise InvalidValue(
            f'the model does not say which version of "{min(missing) or "ai.onnx"}" it needs',
            hint="Export it again: its opset_import is not complete.",
        )


def _check_node(node: NodeProto) -> None:
    kind = short(node.op_type)
    if node.op_type in RANDOM:
        raise NotBuilt(
            f"operator {kind} draws random numbers, which no prediction here may",
            hint="Export the model for inference, without what only its training needs.",
        )
    if node.op_type in SIZES_OF_VALUES:
        raise NotBuilt(
            f"operator {kind} gives as many numbers as its values make it, which cannot be served",
            hint="Export the model up to the operator before it, and do the rest in SQL.",
        )
    for attribute in node.attribute:
        _check_attribute(node, attribute)


def _check_attribute(node: NodeProto, attribute: AttributeProto) -> None:
    kind = short(node.op_type)
    graphs = attribute.HasField("g") or len(attribute.graphs)
    if node.op_type in CONTROL or graphs:
        raise NotBuilt(
            f"operator {kind} runs a graph of its own, which cannot be imported",
            hint="Export the model without loops and branches, for example unrolled to a fixed length.",
        )
    if attribute.ref_attr_name:
        raise InvalidValue(
            f'attribute "{short(attribute.name)}" of operator {kind} refers to a function that is not there',
            hint="Export the model again.",
        )
    if attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors):
        raise NotBuilt(
            f"operator {kind} holds a sparse tensor, which cannot be imported",
            hint="Export its weights as dense tensors.",
        )
    if attribute.HasField("tp") or len(attribute.type_protos):
        raise NotBuilt(
            f"operator {kind} works on what is no tensor, which cannot be imported",
            hint="Export the model with tensors alone.",
        )


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Yield every tensor of a graph, those of attributes and of what loops repeat too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)


def _unroll(graph: GraphProto) -> None:
    """Put operators in the place of loops over stored points; all others are refused."""
    if any(node.op_type == "Scan" for node in graph.node):
        # Only files of classical models need this part.
        from pgml.exchange.onnx.lowering import unrolled

        unrolled(graph)


def _check_names(model: ModelProto) -> None:
    graph = model.graph
    ends = (each.name for each in chain(graph.input, graph.output, graph.initializer))
    between = (name for node in graph.node for name in chain(node.input, node.output))
    for name in chain(ends, between):
        if len(name) > MOST_NAMES * 10:
            raise TooLarge(
                f'the name "{short(name)}" is too long', hint="Give the model's tensors short names."
            )
        if "\0" in name:
            raise InvalidValue(
                f'the name "{short(name)}" holds a zero, which no name in PostgreSQL can',
                hint="Give the tensors printable names.",
            )
    for each in graph.input:
        if len(each.name.encode()) > MOST_NAMES:
            raise TooLarge(
                f'the name "{short(each.name)}" is too long for a feature',
                hint="Rename the model's inputs before.",
            )


def _check_weights(graph: GraphProto) -> None:
    used = {name for node in graph.node if node.op_type in WEIGHTED for name in node.input}
    for tensor in graph.initializer:
        if tensor.name in used and not tensors.is_finite(tensor):
            raise InvalidValue(
                f'the weights "{short(tensor.name)}" hold NaN or infinity',
                hint="Train the model again: no answer of this one would be a number.",
            )


def _check_schemas(model: ModelProto) -> None:
    """Refuse operators that are unknown, or whose attributes and operands are not what they should be."""
    versions = {each.domain: each.version for each in model.opset_import if each.domain in DOMAINS}
    for domain, version in versions.items():
        newest = defs.onnx_ml_opset_version() if domain else defs.onnx_opset_version()
        if not 1 <= version <= newest:
            raise NotBuilt(
                f'the model needs version {version} of the operators of "{domain or "ai.onnx"}"',
                hint=f"Export it for a version up to {newest}, best for opset 21.",
            )
    context = checker.C.CheckerContext()
    context.ir_version, context.opset_imports = NEWEST_IR, versions
    for node in model.graph.node:
        try:
            schema = defs.get_schema(node.op_type, versions[node.domain], node.domain)
        except (defs.SchemaError, KeyError):
            raise InvalidValue(
                f'there is no operator {short(node.op_type)} in "{node.domain or "ai.onnx"}"',
                hint="Export the model with standard operators alone.",
            ) from None
        if schema.deprecated:
            continue
        _check_operands(node, schema)
        try:
            checker.check_node(node, context)
        except checker.ValidationError as error:
            raise InvalidValue(
                f"operator {short(node.op_type)} is not as it should be",
                detail=sentence(error),
                hint="Export the model again, and check it with onnx.checker.check_model.",
            ) from None


def _check_operands(node: NodeProto, schema: defs.OpSchema) -> None:
    """Refuse an operator without what it needs: some of ONNX's own rules for sizes do not look."""
    required = [each.option == defs.OpSchema.FormalParameterOption.Single for each in schema.inputs]
    if any(needed and not name for needed, name in zip(required, node.input, strict=False)):
        raise InvalidValue(f"operator {short(node.op_type)} lacks an operand", hint="Export the model again.")
