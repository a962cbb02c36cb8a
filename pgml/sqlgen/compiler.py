"""From a model's artifact to SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from onnx import ModelProto

from pgml.artifact.format import Artifact
from pgml.errors import NotBuilt
from pgml.preprocessing import Encoder
from pgml.sqlgen import features, gathering, graphs, layers, outputs, votes
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.features import refusals
from pgml.sqlgen.layers import Plan
from pgml.sqlgen.outputs import Wanted
from pgml.sqlgen.tensors import Reading, Tensor
from pgml.sqlgen.writing import statement

Missing = Literal["model", "null"]


@dataclass(frozen=True)
class Compiled:
    """A model as expressions, before any dialect.

    Attributes
    ----------
    outputs : dict of str to Expr
        The columns of the answer.
    reading : Reading
        Names and tables.
    """

    outputs: dict[str, Expr]
    reading: Reading


def compiled(artifact: Artifact, wanted: Wanted = "prediction", missing: Missing = "model") -> Compiled:
    """Return a model as expressions.

    Parameters
    ----------
    artifact : Artifact
    wanted : str
        See `pgml.sqlgen.outputs.decoded`.
    missing : str
        ``model``: NULL features are what the model takes them for; ``null``: they make the answer NULL.

    Raises
    ------
    NotBuilt
        The model has an operator or an encoding without a translation.
    """
    if artifact.decoder["engine"] != "onnx":
        raise NotBuilt(
            "a model that is not served as a graph cannot be written as SQL",
            hint="pgml.algorithms() tells which algorithms can be, in its column sql.",
        )
    reading = Reading()
    encoder = Encoder.from_json(artifact.encoder)
    model = ModelProto.FromString(artifact.graph)
    graphs.check(model)
    found = graphs.read(model, features.encoded(encoder, reading), reading)[0]
    assert isinstance(found, Tensor)
    refused = refusals.refusal(
        encoder,
        list(found.values[0]),
        null=missing == "null",
        shown=artifact.decoder["output"] in ("value", "components"),
    )
    unless = [] if refused is None else [refused]
    return Compiled(outputs.decoded(artifact.decoder, found.values, wanted, unless, reading), reading)


def planned(model: Compiled, dialect: Dialect, taken: Iterable[str]) -> Plan:
    """Return the layers of a model in a dialect; `taken` are names that its columns may not have."""
    names = [*taken, *model.reading.taken]
    given, hints = votes.resolved(refusals.within(model.outputs, dialect), model.reading.names, dialect)
    if dialect.reads_arrays and model.reading.tables:
        given, hints = gathering.gathered(given, hints)
    return layers.plan(given, hints, names, dialect)


def to_select(
    model: Compiled, dialect: str, relation: str, keys: Sequence[str], header: Sequence[str] = ()
) -> str:
    """Return a statement that scores a relation; see `pgml.sqlgen.writing.statement.select`."""
    spelling = DIALECTS[dialect]
    plan = planned(model, spelling, keys)
    text = spelling.finished(statement.select(plan, model.reading.tables, spelling, relation, keys))
    return "\n".join([*(f"-- {line}" for line in header), text])
