"""A node of a graph, as translations see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, helper

from pgml.errors import NotBuilt


@dataclass(frozen=True)
class Node:
    """An operator with its attributes.

    Attributes
    ----------
    kind : str
        Its type, such as ``MatMul``.
    name : str
        Of its first output.
    attributes : mapping
    outputs : int
        How many it has.
    version : int
        Of the operators of its domain.
    """

    kind: str
    name: str
    attributes: Mapping[str, Any]
    outputs: int
    version: int = 21

    @classmethod
    def of(cls, proto: NodeProto, version: int = 21) -> "Node":
        """Return a node of a graph."""
        attributes = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
        return cls(proto.op_type, proto.output[0], attributes, len(proto.output), version)

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return an attribute, texts as str."""
        found = self.attributes.get(name, otherwise)
        return found.decode() if isinstance(found, bytes) else found

    def refused(self, name: str) -> NotBuilt:
        """Return the error that an attribute or an input, as it is here, has no translation."""
        return NotBuilt(
            f'operator {self.kind} with this "{name}" cannot be written as SQL',
            hint="Use pgml.predict for this model.",
        )
