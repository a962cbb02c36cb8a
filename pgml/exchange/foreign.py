"""What is read of another tool's file: features, a graph, and what its outputs mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onnx import ModelProto

from pgml.columns import Column
from pgml.spec import Output
from pgml.target import LabelKind

NULL_TEXT = "\0"
"""What a missing text is where an ONNX graph takes texts: no text of PostgreSQL can hold it."""
Label = str | float


@dataclass(frozen=True)
class Foreign:
    """A model of another tool, as pgml can serve it.

    Attributes
    ----------
    columns : sequence of Column
        The features, in the order of the matrix: ``text``, ``double precision``, ``boolean`` where the file
        says so, or ``double precision[]`` with a width, which is flattened.
    texts : mapping of str to sequence of str
        For each text column those that the graph knows.  Its number in the matrix is the place of the text
        here; any other text is ``len(texts)``, a missing one ``len(texts) + 1``.
    graph : ModelProto
        Of the contract of `pgml.artifact.graph`: input ``features`` of shape (rows, width), one output of
        float64 and shape (rows, numbers), opset 21 (IR 10) and ai.onnx.ml 5, only operators of these two
        domains, every tensor's size known but for the rows.  A missing number is NaN.
    dtype : str
        ``float32`` or ``float64``: of the input.
    task : str
        One of `pgml.spec.TASKS`.
    output : str
        What the graph's output is, see `pgml.spec.Output`.
    labels : sequence
        Classes or clusters in the order of the outputs; none where there are none.
    label_kind : str
        ``text``, ``boolean`` or ``number``.
    algorithm : str
        What `pgml.models` calls it: ``onnx``, ``keras``, ``xgboost``, ``lightgbm``.
    targets : sequence of str
        What it predicts, where the file says so.
    versions : mapping of str to str
        What wrote the file, as the file says.
    rows : int or None
        How many rows the graph takes at a time; None: any number.
    whole : sequence of int
        The columns, by their places, that the graph takes as whole numbers: none of theirs may be missing.
    expects_missing : bool
        The graph knows what to make of NaN in every column; else it is asked, see `pgml.exchange.missing`.
    threshold : float or None
        Of probabilities of two classes, see `pgml.decision.codes_of`.
    """

    columns: Sequence[Column]
    texts: Mapping[str, Sequence[str]]
    graph: ModelProto
    dtype: str
    task: str
    output: Output
    labels: Sequence[Label]
    label_kind: LabelKind
    algorithm: str
    targets: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    whole: Sequence[int] = ()
    expects_missing: bool = False
    threshold: float | None = None
