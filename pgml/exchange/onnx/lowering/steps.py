"""What the lowering of one operator is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto

from pgml.exchange.onnx.lowering.attributes import Attributes, unsupported
from pgml.exchange.onnx.lowering.shapes import UNKNOWN, Kind
from pgml.exchange.onnx.lowering.texts import Strings
from pgml.exchange.onnx.lowering.writing import Writing

Array = npt.NDArray[Any]
Labels = Sequence[str | int]


@dataclass(frozen=True)
class Refused:
    """A result that cannot be had, which matters only to who uses it."""

    kind: str
    why: str


Value = str | Strings | Refused
"""A result: the name of numbers, texts, or none."""


@dataclass
class Work:
    """What is known while a graph is gone through.

    Attributes
    ----------
    writing : Writing
    kinds : mapping of str to Kind
        Of each value of the given graph, by its name there.
    versions : mapping of str to int
        Of each domain's operators.
    constants : dict of str to ndarray
        Values that the given graph holds, by their names there.
    labels : dict of str to sequence
        The classes that a value says one of, or has a column for each of, by its name in the given graph.
    flattened : dict of str to (str, int)
        Of results that are all in one row the same with a row for each row, and how many numbers that has.
    waiting : list of callables
        What adds constants that depend on the texts which the whole graph asks for.
    needs : list of (str, int, str)
        Names of matrices, how many columns they must have, and for which operator.
    """

    writing: Writing
    kinds: Mapping[str, Kind]
    versions: Mapping[str, int]
    constants: dict[str, Array] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    flattened: dict[str, tuple[str, int]] = field(default_factory=dict)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    needs: list[tuple[str, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One operator.

    Attributes
    ----------
    node : NodeProto
    given : Attributes
        Its attributes.
    inputs : sequence
        Its inputs; None for one that is left out.
    work : Work
    """

    node: NodeProto
    given: Attributes
    inputs: Sequence[Value | None]
    work: Work

    @property
    def writing(self) -> Writing:
        return self.work.writing

    @property
    def version(self) -> int:
        """The version of the operator's domain."""
        return self.work.versions.get(self.node.domain, 1)

    def value(self, at: int = 0) -> str | Strings:
        """Return an input (MalformedText if it is not there, NotBuilt if it cannot be had)."""
        found = self.inputs[at] if at < len(self.inputs) else None
        if isinstance(found, Refused):
            raise unsupported(found.kind, found.why)
        if found is None:
            raise self.given.broken("lacks an input")
        return found

    def number(self, at: int = 0) -> str:
        """Return the name of an input of numbers (MalformedText if it is texts)."""
        found = self.value(at)
        if isinstance(found, Strings):
            raise self.given.broken("takes numbers and is given texts")
        return found

    def kind(self, at: int = 0) -> Kind:
        """Return the type and shape of an input."""
        return self.work.kinds.get(self.node.input[at], UNKNOWN)

    def constant(self, at: int) -> Array | None:
        """Return the values of an input, if the graph holds them."""
        return self.work.constants.get(self.node.input[at]) if at < len(self.node.input) else None

    def refused(self, why: str) -> Refused:
        """Return a result that this operator cannot have, and why."""
        return Refused(self.node.op_type, why)

    def type(self, at: int = 0) -> int:
        """Return the type of an input of numbers; 0 if it is not known."""
        return self.writing.types.get(self.number(at), 0)

    def of_length(self, values: Array, what: str, at: int = 0) -> Array:
        """Return values that are one for each column of an input, or one for all (MalformedText if not)."""
        width = self.kind(at).width
        fits = values.size == 1 or (values.size > 0 and width in (None, values.size))
        self.given.require(fits, f"has {values.size} {what} for {width} columns")
        return values


def finite(step: Step, values: Array, what: str) -> Array:
    """Return values (MalformedText if one is infinite or no number)."""
    step.given.require(bool(np.isfinite(values).all()), f"has {what} that are no numbers")
    return values
