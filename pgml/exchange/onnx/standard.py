"""Operators in the versions of the contract, and without what only a training needs."""

from typing import cast

from onnx import ModelProto, NodeProto, TensorProto, defs, helper, version_converter

from pgml.artifact.graph import IR_VERSION, OPSETS
from pgml.errors import NotBuilt
from pgml.exchange.onnx import order, tensors
from pgml.exchange.onnx.words import FAILURES, sentence, short

FIRST_ALIKE = 18
"""From this version on operators of equal attributes and operands mean the same, but for `_CHANGED`."""
_CHANGED = frozenset({"GroupNormalization"})
_SINGLES = {"value_float": TensorProto.FLOAT, "value_int": TensorProto.INT64}
_LISTS = {"value_floats": TensorProto.FLOAT, "value_ints": TensorProto.INT64}
_TEXTS = ("value_string", "value_strings")


def standardised(model: ModelProto) -> ModelProto:
    """Return an audited model with the main domain's operators of the contract's version.

    Constants are initializers then, Dropout is gone, and so is what no output needs.

    Raises
    ------
    NotBuilt
        An operator has no such version, or works as in training.
    """
    version = next((each.version for each in model.opset_import if not each.domain), OPSETS[""])
    if version != OPSETS[""]:
        model = _of_version(model, version)
    model.ir_version = IR_VERSION
    _hold_constants(model)
    _drop_dropout(model)
    order.prune(model.graph)
    for node in model.graph.node:
        if node.op_type == "BatchNormalization" and _attribute(node, "training_mode"):
            raise _trains(node)
    return model


def _of_version(model: ModelProto, version: int) -> ModelProto:
    wanted = OPSETS[""]
    if version >= FIRST_ALIKE and all(_is_alike(node, version, wanted) for node in model.graph.node):
        for each in model.opset_import:
            if not each.domain:
                each.version = wanted
        return model
    _check_kinds(model, version, wanted)
    try:
        return version_converter.convert_version(model, wanted)
    except FAILURES as error:
        raise NotBuilt(
            f"the model is of opset {version} and cannot be turned into opset {wanted}",
            detail=sentence(error),
            hint=f"Export it for opset {wanted}.",
        ) from None


def _is_alike(node: NodeProto, one: int, other: int) -> bool:
    """Return whether an operator means the same in two versions."""
    if node.domain:
        return True
    if not defs.has(node.op_type, other, ""):
        return False
    before, after = (defs.get_schema(node.op_type, version, "") for version in (one, other))
    if before.since_version == after.since_version:
        return True
    named = {each.name for each in node.attribute}
    return (
        node.op_type not in _CHANGED
        and named <= set(after.attributes)
        and len(node.input) <= after.max_input
        and len(node.output) <= after.max_output
        and not after.deprecated
    )


def _check_kinds(model: ModelProto, version: int, wanted: int) -> None:
    for node in model.graph.node:
        if version > wanted and not node.domain and not _is_alike(node, version, wanted):
            raise NotBuilt(
                f"operator {short(node.op_type)} of opset {version} is not in opset {wanted}",
                hint=f"Export the model for opset {wanted}.",
            )


def _hold_constants(model: ModelProto) -> None:
    """Make each Constant an initializer."""
    graph = model.graph
    kept = []
    for node in graph.node:
        if node.op_type != "Constant" or node.domain:
            kept.append(NodeProto.FromString(node.SerializeToString()))
            continue
        tensor = graph.initializer.add()
        tensor.CopyFrom(_held(node))
        tensor.name = node.output[0]
    if len(kept) < len(graph.node):
        del graph.node[:]
        graph.node.extend(kept)


def _held(node: NodeProto) -> TensorProto:
    """Return what a Constant is."""
    for attribute in node.attribute:
        found = helper.get_attribute_value(attribute)
        if attribute.name == "value":
            return cast(TensorProto, attribute.t)
        if attribute.name in _SINGLES:
            return helper.make_tensor("", _SINGLES[attribute.name], [], [found])
        if attribute.name in _LISTS:
            return helper.make_tensor("", _LISTS[attribute.name], [len(found)], list(found))
        if attribute.name in _TEXTS:
            texts = [found] if attribute.name == "value_string" else list(found)
            shape = [] if attribute.name == "value_string" else [len(texts)]
            return helper.make_tensor("", TensorProto.STRING, shape, texts)
    raise NotBuilt("a Constant of the model holds nothing that can be read", hint="Export the model again.")


def _drop_dropout(model: ModelProto) -> None:
    held = {each.name: each for each in model.graph.initializer}
    outputs = {each.name for each in model.graph.output}
    used = {name for node in model.graph.node for name in node.input} | outputs
    for node in model.graph.node:
        if node.op_type != "Dropout" or node.domain:
            continue
        mode = node.input[2] if len(node.input) > 2 else ""
        if mode and (mode not in held or tensors.values(held[mode]).any()):
            raise _trains(node)
        if len(node.output) > 1 and node.output[1] in used:
            raise _trains(node)
        node.op_type = "Identity"
        del node.input[1:], node.output[1:], node.attribute[:]


def _attribute(node: NodeProto, name: str) -> int:
    return next((int(each.i) for each in node.attribute if each.name == name), 0)


def _trains(node: NodeProto) -> NotBuilt:
    return NotBuilt(
        f"operator {short(node.op_type)} works as it does in training",
        hint="Export the model for inference: in PyTorch call model.eval() before.",
    )
