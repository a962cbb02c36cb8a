"""Which layer is applied to what: a chain, or calls that name the calls before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.keras import document
from pgml.exchange.keras.document import HINT, Described
from pgml.exchange.keras.layers import LAYERS
from pgml.exchange.keras.layers.calls import Call
from pgml.exchange.keras.net import MOST_NUMBERS, Net, Tensor
from pgml.exchange.keras.options import is_size, items
from pgml.exchange.keras.weights import Weights

Key = tuple[str, int]
"""A layer's name and which call of it."""


@dataclass(frozen=True)
class Input:
    """What a model is given: a name, and a shape without the rows."""

    name: str
    shape: tuple[int, ...]


@dataclass
class Graph:
    """Calls of layers: each with those whose results it takes, and which of them are the model's ends."""

    calls: dict[Key, list[Key]] = field(default_factory=dict)
    inputs: list[Key] = field(default_factory=list)
    outputs: list[Key] = field(default_factory=list)


def inputs(model: Described) -> list[Input]:
    """Return what a model is given.

    Raises
    ------
    MalformedText
    NotBuilt
        A size is not fixed.
    """
    layers = document.layers(model)
    if model.kind != "Sequential":
        named = {each.name: each for each in layers}
        return [_input(named[name], name) for name, _ in _graph(model, layers).inputs]
    first = layers[0]
    if first.is_model:
        return inputs(first)
    if first.kind == "InputLayer":
        return [_input(first, first.name)]
    if not {"batch_input_shape", "batch_shape"} & first.options.given.keys():
        shape = model.options.given.get("build_input_shape")
        return [Input(f"{first.name}_input", _shape(model, shape))]
    return [_input(first, f"{first.name}_input")]


def _input(layer: Described, name: str) -> Input:
    given = layer.options.given
    shape = given.get("batch_shape", given.get("batch_input_shape"))
    if layer.kind == "InputLayer" and (given.get("sparse") or given.get("ragged")):
        raise layer.options.refused("sparse or ragged inputs")
    return Input(name, _shape(layer, shape))


def _shape(layer: Described, given: Any) -> tuple[int, ...]:
    shape = items(given)
    if not isinstance(shape, list) or not 2 <= len(shape) <= 6:
        raise layer.options.broken("batch_shape")
    if any(each is None for each in shape[1:]):
        raise layer.options.refused("an input whose size is not fixed")
    if not all(is_size(each, 1) for each in shape[1:]) or prod(shape[1:]) > MOST_NUMBERS:
        raise layer.options.broken("batch_shape")
    return tuple(shape[1:])


def applied(model: Described, weights: Weights, given: Sequence[Tensor], net: Net) -> list[Tensor]:
    """Return the results of a model.

    Raises
    ------
    MalformedText, InvalidValue, TooLarge, NotBuilt
    """
    layers = document.layers(model)
    held = weights.layers(layers)
    if model.kind == "Sequential":
        return _chained(model, layers, held, given, net)
    graph = _graph(model, layers)
    if len(graph.inputs) != len(given):
        raise model.options.broken("input_layers")
    found: dict[Key, Tensor] = dict(zip(graph.inputs, given, strict=True))
    places = {each.name: at for at, each in enumerate(layers)}
    for key in _ordered(model, graph):
        if key not in found:
            at = places[key[0]]
            found[key] = _called(layers[at], held[at], [found[each] for each in graph.calls[key]], net)
    return [found[key] for key in graph.outputs]


def _chained(
    model: Described, layers: list[Described], held: list[Weights], given: Sequence[Tensor], net: Net
) -> list[Tensor]:
    if len(given) != 1:
        raise model.options.broken("layers")
    tensor = given[0]
    for layer, weights in zip(layers, held, strict=True):
        if layer.kind != "InputLayer":
            tensor = _called(layer, weights, [tensor], net)
    return [tensor]


def _called(layer: Described, weights: Weights, given: list[Tensor], net: Net) -> Tensor:
    net.call()
    if layer.is_model:
        found = applied(layer, weights, given, net)
        if len(found) != 1:
            raise layer.options.refused("several results, as a layer")
        return found[0]
    if layer.kind == "InputLayer":
        raise layer.options.broken("inbound_nodes")
    return LAYERS[layer.kind](Call(layer, weights, given, net))


def _graph(model: Described, layers: Sequence[Described]) -> Graph:
    """Return the calls of a functional model."""
    given = model.options.given
    kinds = {each.name: each for each in layers}
    graph = Graph(
        inputs=_ends(model, given.get("input_layers"), "input_layers"),
        outputs=_ends(model, given.get("output_layers"), "output_layers"),
    )
    for layer in layers:
        for at, node in enumerate(layer.inbound):
            graph.calls[(layer.name, at)] = _sources(layer, node)
        if layer.kind == "InputLayer":
            graph.calls[(layer.name, 0)] = []
    _renumber(graph, kinds)
    every = [*graph.inputs, *graph.outputs, *(key for keys in graph.calls.values() for key in keys)]
    unknown = [key for key in every if key not in graph.calls]
    if unknown or any(kinds[name].kind != "InputLayer" for name, _ in graph.inputs):
        raise model.options.broken("input_layers" if not unknown else "layers")
    return graph


def _renumber(graph: Graph, kinds: Mapping[str, Described]) -> None:
    """Count calls of models from 0: Keras counts that which built the model, if it was one of its own."""
    used = [*graph.outputs, *(key for keys in graph.calls.values() for key in keys)]
    least: dict[str, int] = {}
    for name, at in used:
        if name in kinds and kinds[name].is_model:
            least[name] = min(at, least.get(name, at))

    def counted(keys: list[Key]) -> list[Key]:
        return [(name, at - least.get(name, 0)) for name, at in keys]

    graph.outputs = counted(graph.outputs)
    graph.calls = {key: counted(keys) for key, keys in graph.calls.items()}


def _ends(model: Described, given: Any, name: str) -> list[Key]:
    """Return the calls that a model begins or ends with: one ``[name, call, result]``, or several."""
    if isinstance(given, dict):
        raise model.options.refused(f"{name} by name")
    found = given if isinstance(given, list) else []
    if len(found) == 3 and isinstance(found[0], str):
        found = [found]
    keys = [_key(each) for each in found]
    if not keys or None in keys or len(set(keys)) < len(keys):
        raise model.options.broken(name)
    return [key for key in keys if key is not None]


def _key(given: Any) -> Key | None:
    """Return a call as ``[name, call, result, …]`` names it, None where it names none, or a second result."""
    if not isinstance(given, list) or len(given) < 3 or not isinstance(given[0], str):
        return None
    whole = all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in given[1:3])
    return (given[0], given[1]) if whole and given[2] == 0 else None


def _sources(layer: Described, node: Any) -> list[Key]:
    """Return the calls whose results one call of a layer takes."""
    if isinstance(node, dict):
        return _sources_3(layer, node)
    given = [node] if isinstance(node, list) and node and isinstance(node[0], str) else node
    if not isinstance(given, list) or not given:
        raise layer.options.broken("inbound_nodes")
    keys = [_key(each) for each in given]
    if None in keys:
        raise layer.options.broken("inbound_nodes")
    for each in given:
        if len(each) > 3 and isinstance(each[3], dict):
            _check_arguments(layer, each[3])
    return [key for key in keys if key is not None]


def _sources_3(layer: Described, node: Mapping[str, Any]) -> list[Key]:
    """Return the same of Keras 3, which has the arguments of the call as they were given."""
    arguments, more = node.get("args"), node.get("kwargs", {})
    if not isinstance(arguments, list) or not isinstance(more, dict):
        raise layer.options.broken("inbound_nodes")
    _check_arguments(layer, more)
    found: list[Key] = []
    for argument in arguments[:1]:
        every = items(argument)
        for each in every if isinstance(every, list) else [every]:
            config = each.get("config") if isinstance(each, dict) else None
            key = _key(config.get("keras_history")) if isinstance(config, dict) else None
            if key is None:
                raise layer.options.broken("inbound_nodes")
            found.append(key)
    if not found or any(each is not None for each in arguments[1:]):
        raise layer.options.refused("further arguments of its call")
    return found


def _check_arguments(layer: Described, given: Mapping[str, Any]) -> None:
    """Raise NotBuilt for arguments of a call that change what it computes."""
    for name, value in given.items():
        if value is not None and not (name == "training" and value is False):
            raise NotBuilt(
                f'layer {layer.options.layer} cannot be imported with "{name:.60}" in its call',
                hint="Build the model without it, or export it to ONNX and use pgml.import_onnx.",
            )


def _ordered(model: Described, graph: Graph) -> list[Key]:
    """Return the calls that the results need, each after those it needs (MalformedText for a circle)."""
    order: list[Key] = []
    state: dict[Key, bool] = {}
    waiting = [(key, False) for key in reversed(graph.outputs)]
    while waiting:
        key, done = waiting.pop()
        if done:
            state[key] = True
            order.append(key)
        elif key in state:
            if not state[key]:
                raise MalformedText(
                    f"layer {model.options.layer} has layers that need their own results", hint=HINT
                )
        else:
            state[key] = False
            waiting.append((key, True))
            waiting += [(each, False) for each in reversed(graph.calls[key])]
    return order
