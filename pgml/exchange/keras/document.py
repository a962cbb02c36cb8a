"""The description of a model: JSON, and what of it says which layers there are."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pgml.errors import MalformedText, NotBuilt, TooLarge
from pgml.exchange.keras.archive import MOST_TEXT, shown
from pgml.exchange.keras.options import Options

DEEPEST = 10
"""Models within models."""
MOST_LAYERS = 10_000
MODELS = frozenset({"Sequential", "Functional", "Model"})
OWN = frozenset({"keras", "tf_keras", "tensorflow"})
"""Packages whose classes are Keras' own."""
HINT = "Save the model again with model.save(), and load the file's bytes as they are."


@dataclass(frozen=True)
class Described:
    """A layer, or a model, as the file has it.

    Attributes
    ----------
    kind : str
        Its class.
    name : str
    options : Options
    inbound : list
        Where its inputs come from, one element a call; as the file has it.
    version : int
        Of Keras, 2 or 3: some layers mean other things by the same words.
    """

    kind: str
    name: str
    options: Options
    inbound: list[Any]
    version: int

    @property
    def is_model(self) -> bool:
        return self.kind in MODELS


def parsed(text: bytes | str, what: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    MalformedText, TooLarge
    """
    if len(text) > MOST_TEXT:
        raise TooLarge(f"{what} is longer than {MOST_TEXT >> 20} MB", hint="Save a smaller model.")
    with bounded(what):
        try:
            found = json.loads(text)
            # Names become columns, and parts of errors.
            if "\\u0000" in json.dumps(found, ensure_ascii=False).encode().decode():
                raise ValueError("a text holds a zero byte")
        except ValueError as error:
            raise MalformedText(f"{what} is no JSON", detail=shown(error), hint=HINT) from None
    return found


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Raise MalformedText of what is nested too deeply."""
    try:
        yield
    except RecursionError:
        raise MalformedText(f"{what} is nested too deeply", hint=HINT) from None


def described(given: Any, version: int) -> Described:
    """Return what a file says of one layer or model.

    Raises
    ------
    MalformedText
    NotBuilt
        Its class is no class of Keras.
    """
    if not isinstance(given, dict) or not isinstance(given.get("class_name"), str):
        raise MalformedText("the model's description has a layer without a class", hint=HINT)
    kind: str = given["class_name"]
    config = given.get("config")
    # Before Keras 2.2 a Sequential was no more than its layers.
    config = {"layers": config} if isinstance(config, list) and kind == "Sequential" else config
    if not isinstance(config, dict):
        raise MalformedText(f'the model\'s description has a layer "{kind:.60}" without a config', hint=HINT)
    name = config.get("name", given.get("name", kind.lower()))
    inbound = given.get("inbound_nodes") or []
    if not isinstance(name, str) or not name or "\0" in name or not isinstance(inbound, list):
        raise MalformedText(f'the model\'s description has a layer "{kind:.60}" without a name', hint=HINT)
    _check_origin(kind, name, given)
    return Described(kind, name, Options(f'"{name:.60}" ({kind:.60})', config), inbound, version)


def _check_origin(kind: str, name: str, given: Mapping[str, Any]) -> None:
    module, registered = given.get("module"), given.get("registered_name")
    package = str(module).partition(".")[0] if module is not None else "keras"
    foreign = package not in OWN or ">" in kind
    foreign |= registered is not None and ">" in str(registered) and not str(registered).startswith("keras>")
    if foreign:
        own = registered if isinstance(registered, str) else f"{module}.{kind}"
        raise NotBuilt(
            f'layer "{name:.60}" is of a class of your own, {own:.100}, which cannot be imported',
            hint="Build the model with layers of Keras alone, or export it to ONNX and use pgml.import_onnx.",
        )
    if kind == "Lambda" or kind.startswith(("TFOp", "SlicingOp")) or ".ops" in str(module):
        raise NotBuilt(
            f'layer "{name:.60}" ({kind:.60}) runs code of its own, which cannot be imported',
            hint="Build the model with layers of Keras alone, or export it to ONNX and use pgml.import_onnx.",
        )


def layers(model: Described) -> list[Described]:
    """Return the layers of a model.

    Raises
    ------
    MalformedText
        Two have one name, or there are none.
    NotBuilt
    """
    given = model.options.given.get("layers")
    if not isinstance(given, list) or not given:
        raise model.options.broken("layers")
    if len(given) > MOST_LAYERS:
        raise TooLarge(f"the model has {len(given)} layers", hint="Import a model with fewer layers.")
    found = [described(each, model.version) for each in given]
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise MalformedText("the model's description has two layers of one name", hint=HINT)
    return found


def inner(layer: Described, name: str) -> Described:
    """Return the layer that a layer wraps."""
    given = layer.options.given.get(name)
    if not isinstance(given, dict):
        raise layer.options.broken(name)
    return described(given, layer.version)


WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "Bidirectional": ("layer", "backward_layer"),
    "TimeDistributed": ("layer",),
}
"""Layers around others, by the names of what they hold."""


def every(model: Described, depth: int = 0) -> Iterator[Described]:
    """Give all layers of a model, those of models in it and of wrappers too.

    Raises
    ------
    MalformedText, TooLarge, NotBuilt
    """
    if depth > DEEPEST:
        raise TooLarge(
            f"the model has models in models more than {DEEPEST} deep", hint="Build it with fewer."
        )
    for each in layers(model) if model.is_model else [model]:
        if each.is_model:
            yield from every(each, depth + 1)
            continue
        yield each
        for name in WRAPPERS.get(each.kind, ()):
            if isinstance(each.options.given.get(name), dict):
                yield from every(inner(each, name), depth + 1)


def dtype_of(model: Described) -> str:
    """Return the type in which a model computes: ``float32`` or ``float64``.

    Raises
    ------
    NotBuilt
        It is another one, or there are several.
    """
    found: dict[str, str] = {}
    for each in every(model):
        given = each.options.given.get("dtype")
        while isinstance(given, dict):
            config = given.get("config")
            given = config.get("name") if isinstance(config, dict) else ""
        # The type of an input, or of an embedding in old files, is what it is given in.
        taken = each.kind == "InputLayer" or (each.kind == "Embedding" and str(given).startswith("int"))
        if given is not None and not taken:
            found.setdefault(str(given), each.options.layer)
    if len(found) > 1 or set(found) - {"float32", "float64"}:
        kind = next((each for each in found if each not in ("float32", "float64")), list(found)[-1])
        raise NotBuilt(
            f"layer {found[kind]} computes in {kind:.60}, which cannot be imported",
            detail="All layers compute in float32, or all in float64." if len(found) > 1 else "",
            hint="Build the model with the policy float32 or float64.",
        )
    return next(iter(found), "float32")
