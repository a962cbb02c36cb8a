"""Attributes of an operator, as what they must be."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

from pgml.errors import MalformedText, NotBuilt

Array = npt.NDArray[Any]
_KINDS = AttributeProto.AttributeType


def malformed(kind: str, what: str) -> MalformedText:
    """Return the error of an operator that contradicts itself."""
    return MalformedText(
        f"operator {kind} of the ONNX file {what}",
        hint="Write the file again with the tool that made it.",
    )


def unsupported(kind: str, what: str = "") -> NotBuilt:
    """Return the error of an operator that ONNX has and pgml does not."""
    return NotBuilt(
        f"operator {kind} of the ONNX file {what or 'is not supported'}",
        hint="Export the model without it, as numbers in and numbers out where the tool can.",
    )


class Attributes:
    """What an operator is given beside its inputs; MalformedText where one is of another type."""

    def __init__(self, node: NodeProto) -> None:
        self.kind: str = node.op_type
        self._all = {each.name: each for each in node.attribute}
        if len(self._all) < len(node.attribute):
            raise self.broken("has an attribute twice")

    def broken(self, what: str) -> MalformedText:
        """Return the error of this operator."""
        return malformed(self.kind, what)

    def require(self, holds: bool, what: str) -> None:
        """Raise MalformedText unless it holds."""
        if not holds:
            raise self.broken(what)

    def has(self, name: str) -> bool:
        """Return whether an attribute is given."""
        return name in self._all

    def ints(self, name: str) -> npt.NDArray[np.int64]:
        """Return whole numbers; none where they are not given."""
        found = self._of(name, AttributeProto.INTS)
        return np.array([] if found is None else found.ints, dtype=np.int64)

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """Return float32 numbers; none where they are not given."""
        found = self._of(name, AttributeProto.FLOATS)
        return np.array([] if found is None else found.floats, dtype=np.float32)

    def texts(self, name: str) -> list[str]:
        """Return texts; none where they are not given."""
        found = self._of(name, AttributeProto.STRINGS)
        return [] if found is None else [self._text(each) for each in found.strings]

    def integer(self, name: str, default: int) -> int:
        """Return a whole number."""
        found = self._of(name, AttributeProto.INT)
        return default if found is None else int(found.i)

    def real(self, name: str, default: float) -> float:
        """Return a number."""
        found = self._of(name, AttributeProto.FLOAT)
        return default if found is None else float(found.f)

    def text(self, name: str, default: str) -> str:
        """Return a text."""
        found = self._of(name, AttributeProto.STRING)
        return default if found is None else self._text(found.s)

    def tensor(self, name: str) -> Array | None:
        """Return a tensor's values, texts as objects; None where it is not given."""
        found = self._of(name, AttributeProto.TENSOR)
        return None if found is None else values_of(found.t, self.kind)

    def numbers(self, name: str) -> npt.NDArray[np.floating[Any]]:
        """Return floats, or doubles from the attribute of the same name that ends in ``_as_tensor``."""
        held = self.tensor(f"{name}_as_tensor")
        if held is None or not held.size:
            return self.floats(name)
        self.require(not self.floats(name).size, f"has {name} twice")
        self.require(held.dtype in (np.float32, np.float64) and held.ndim == 1, f"has no numbers in {name}")
        return held

    def places(self, name: str, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the place of each of many texts among words; -1 for one that is none of them."""
        found = self._of(name, AttributeProto.STRINGS)
        place = {word.encode(): at for at, word in enumerate(words)}
        return np.array(
            [] if found is None else [place.get(each, -1) for each in found.strings], dtype=np.int64
        )

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """Return a word of a few."""
        given = self.text(name, default)
        self.require(given in choices, f"has a {name} that does not exist")
        return given

    def _of(self, name: str, kind: _KINDS) -> AttributeProto | None:
        found = self._all.get(name)
        if found is not None and (found.type != kind or found.ref_attr_name):
            raise self.broken(f"has an attribute {name!r:.40} of another type")
        return found

    def _text(self, given: bytes) -> str:
        return decoded(given, self.kind)


def decoded(given: bytes, kind: str) -> str:
    """Return a text of the file (MalformedText if it is none)."""
    try:
        return given.decode()
    except UnicodeDecodeError:
        raise malformed(kind, "holds a text that is not UTF-8") from None


def values_of(tensor: TensorProto, kind: str) -> Array:
    """Return the values of a tensor that the file holds, texts as objects.

    Raises
    ------
    MalformedText
        They are not as many as it says, or elsewhere.
    """
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise malformed(kind, "keeps values in another file")
    if any(size < 0 for size in tensor.dims):
        raise malformed(kind, "holds a tensor of a negative size")
    try:
        if tensor.data_type == TensorProto.STRING:
            found = np.array([decoded(each, kind) for each in tensor.string_data], dtype=object)
            return found.reshape(tuple(tensor.dims))
        helper.tensor_dtype_to_np_dtype(tensor.data_type)
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, MemoryError) as error:
        raise malformed(kind, f"holds a tensor that is damaged: {error!s:.100}") from None
