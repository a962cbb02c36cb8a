"""A node of a graph, as translations see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnx import NodeProto, helper


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
    """

    kind: str
    name: str
    attributes: Mapping[str, Any]
    outputs: int

    @classmethod
    def of(cls, proto: NodeProto) -> "Node":
        """Return a node of a graph."""
        attributes = {each.name: helper.get_attribute_value(each) for each in proto.attribute}
        return cls(proto.op_type, proto.output[0], attributes, len(proto.output))

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return an attribute, texts as str."""
        found = self.attributes.get(name, otherwise)
        return found.decode() if isinstance(found, bytes) else found
