"""What is known of a graph beforehand, written into it."""

from onnx import ModelProto, NodeProto, numpy_helper

from pgml.exchange.onnx.sizes import Sizes


def reshaped(model: ModelProto, found: Sizes) -> None:
    """Write shapes that are known down, so that nothing computes them when the model runs."""
    for node in model.graph.node:
        if node.op_type != "Reshape" or node.input[1] not in found.known:
            continue
        one, other = found.known[node.input[1]]
        if (moving := one != other).sum() == 1:
            shape = one.copy()
            shape[moving] = -1
            name = f"{node.output[0]}/shape"
            model.graph.initializer.append(numpy_helper.from_array(shape, name))
            node.input[1] = name


def folded(model: ModelProto, found: Sizes) -> None:
    """Make small results that are the same for all rows initializers."""
    kept, constants = [], []
    outputs = {each.name for each in model.graph.output}
    for node in model.graph.node:
        names = [name for name in node.output if name]
        if outputs.isdisjoint(names) and all(_is_constant(name, found) for name in names):
            constants += [numpy_helper.from_array(found.known[name][0], name) for name in names]
        else:
            kept.append(NodeProto.FromString(node.SerializeToString()))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(constants)


def _is_constant(name: str, found: Sizes) -> bool:
    return name in found.known and found.known[name][0] is found.known[name][1]
