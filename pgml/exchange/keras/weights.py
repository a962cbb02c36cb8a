"""The arrays of layers, in the two ways in which Keras has kept them.

Keras 3, and Keras 2 in a .keras file, number the arrays of a layer and find it by its class and its place
among those of its class.  Keras 2 in HDF5 alone, and Keras 3 for its sake, names layers and arrays.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pgml.errors import InvalidValue, MalformedText, NotBuilt
from pgml.exchange.keras.archive import Hdf5
from pgml.exchange.keras.document import HINT, Described

Array = npt.NDArray[Any]
Shapes = Mapping[str, tuple[int, ...]]
_ROOTS = ("layers", "_layer_checkpoint_dependencies")
_NUMBERED = re.compile(r"(_\d+)?(:\d+)?$")


class Weights(Protocol):
    """The arrays of a layer or model."""

    def take(self, layer: Described, shapes: Shapes) -> dict[str, Array]:
        """Return the arrays of a layer.

        Parameters
        ----------
        layer : Described
        shapes : mapping of str to tuple
            What they are called and how large each is, in the order in which the layer makes them.

        Raises
        ------
        MalformedText
            They are not there, not as many, or of other shapes.
        InvalidValue
            One holds NaN or an infinity.
        """

    def inner(self, attribute: str, layer: Described | None = None) -> "Weights":
        """Return the arrays of a layer that a layer holds, by the name of the attribute."""

    def layers(self, every: Sequence[Described]) -> "list[Weights]":
        """Return the arrays of each layer of a model."""


class Numbered:
    """Arrays by the place of their layer."""

    def __init__(self, file: Hdf5, place: Sequence[str] = ()) -> None:
        self._file = file
        self._place = tuple(place)

    def take(self, layer: Described, shapes: Shapes) -> dict[str, Array]:
        place = (*self._place, "vars")
        if len(self._file.keys(place)) != len(shapes):
            raise _missing(layer, len(self._file.keys(place)), shapes)
        return {
            name: _checked(layer, name, self._file, (*place, str(at)), shape)
            for at, (name, shape) in enumerate(shapes.items())
        }

    def inner(self, attribute: str, layer: Described | None = None) -> "Weights":
        return Numbered(self._file, (*self._place, attribute))

    def layers(self, every: Sequence[Described]) -> "list[Weights]":
        root = next((each for each in _ROOTS if self._file.has((*self._place, each))), _ROOTS[0])
        found: list[Weights] = []
        counts: dict[str, int] = {}
        for each in every:
            name = _snake(each.kind)
            at = counts[name] = counts.get(name, -1) + 1
            found.append(Numbered(self._file, (*self._place, root, f"{name}_{at}" if at else name)))
        return found


class Named:
    """Arrays by names.

    Parameters
    ----------
    file : Hdf5
    place : sequence of str
        Of the group with the groups of the layers.
    held : sequence of tuple of str
        The arrays, by the names on the way to each.
    """

    def __init__(self, file: Hdf5, place: Sequence[str], held: Sequence[tuple[str, ...]] = ()) -> None:
        self._file = file
        self._place = tuple(place)
        self._held = held

    def take(self, layer: Described, shapes: Shapes) -> dict[str, Array]:
        if len(self._held) != len(shapes):
            raise _missing(layer, len(self._held), shapes)
        names = {_NUMBERED.sub("", place[-1]): place for place in self._held}
        places = names if names.keys() == shapes.keys() else dict(zip(shapes, self._held, strict=True))
        return {
            name: _checked(layer, name, self._file, places[name], shape) for name, shape in shapes.items()
        }

    def inner(self, attribute: str, layer: Described | None = None) -> "Weights":
        if attribute in ("cell", "layer") or layer is None:
            return self
        found: Sequence[tuple[str, ...]] = self._below(layer.name)
        if not found:
            half = len(self._held) // 2
            found = self._held[half:] if attribute.startswith("backward") else self._held[:half]
        return Named(self._file, self._place, found)

    def layers(self, every: Sequence[Described]) -> "list[Weights]":
        return [Named(self._file, self._place, self._of(each)) for each in every]

    def _of(self, layer: Described) -> Sequence[tuple[str, ...]]:
        if self._held:
            return self._below(layer.name)
        place = (*self._place, layer.name)
        names = self._file.texts("weight_names", place) or []
        return [(*place, *name.split("/")) for name in names]

    def _below(self, name: str) -> list[tuple[str, ...]]:
        start = len(self._place) + 1
        return [place for place in self._held if name in place[start:-1]]


def weights_of(file: Hdf5) -> Weights:
    """Return the arrays of a file of weights, however it keeps them.

    Raises
    ------
    MalformedText
        It has none.
    NotBuilt
        Keras computed with a library that turned the kernels of convolutions around.
    """
    backend = file.text("backend") or file.text("backend", ("model_weights",)) or ""
    if backend in ("theano", "cntk"):
        raise NotBuilt(
            f"weights that Keras saved with {backend} cannot be imported",
            hint="Load the model in Keras with another backend and save it again.",
        )
    if file.texts("layer_names") is not None:
        return Named(file, ())
    if file.texts("layer_names", ("model_weights",)) is not None:
        return Named(file, ("model_weights",))
    if any(file.has((root,)) for root in _ROOTS):
        return Numbered(file)
    raise MalformedText("the file of weights has no layers", hint=HINT)


def _checked(layer: Described, name: str, file: Hdf5, place: Sequence[str], shape: tuple[int, ...]) -> Array:
    held = file.shape(place)
    if held != shape:
        raise MalformedText(
            f'"{name}" of layer {layer.options.layer} is of another size than the layer',
            detail=f"It is {list(held)!s:.100}, the layer takes {list(shape)!s:.100}.",
            hint=HINT,
        )
    found = file.array(place)
    if not np.isfinite(found).all():
        raise InvalidValue(
            f'"{name}" of layer {layer.options.layer} holds NaN or infinity',
            hint="Train the model again, with a smaller learning rate for example.",
        )
    return found


def _missing(layer: Described, count: int, shapes: Shapes) -> MalformedText:
    return MalformedText(
        f"the file has {count} arrays for layer {layer.options.layer}, it takes {len(shapes)}", hint=HINT
    )


def _snake(kind: str) -> str:
    """Return the name of a class in small letters, as Keras writes it."""
    apart = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub("([a-z])([A-Z])", r"\1_\2", apart).lower()
