"""The first tree of a model as plain data: the job of the process that pgml.plot starts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from pgml import wire
from pgml.artifact.format import Artifact, unpack
from pgml.errors import WrongType
from pgml.preprocessing import Encoder
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators.trees import Ensemble, laid_out
from pgml.sqlgen.votes import Laid, together
from pgml.target import label_text

Tell = Callable[[dict[str, Any]], Any]
Floats = npt.NDArray[np.float64]
MOST_COUNTED = 2000
"""Trees of which those that branch alike are told."""
MOST_VALUES = 3
PASSING = ("Cast", "Identity")
"""Operators through which features come to trees as they are."""
NONE = WrongType(
    "this model has no trees whose branches ask about features",
    hint="Draw another kind, or train an algorithm such as decision_tree, random_forest or xgboost.",
)


def first_tree(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Return the first tree, as nested objects.

    Parameters
    ----------
    arguments : dict
        ``depth``: so many branches are followed at most.

    Returns
    -------
    dict
        ``root``; ``trees``, how many there are; ``leaves``, see `_Shown.leaves`; ``label``, the class that
        the tree speaks of alone, or None.  A node that branches has ``question``, in two parts, and
        ``answers``, those to yes and no; a leaf has ``value``, a list, or the ``label`` with the largest
        ``share``; what is cut off has ``below``, how many leaves there are.

    Raises
    ------
    WrongType
        The model has no trees, or none that ask about features.
    """
    artifact = unpack(model)
    if artifact.decoder["engine"] != "onnx":
        raise NONE
    ensemble, targets = _first(onnx.load_from_string(artifact.graph).graph)
    first = laid_out(ensemble, int(ensemble.roots[0]), 1.0, targets)
    laid = (laid_out(ensemble, root, 1.0, targets) for root in ensemble.roots[:targets].tolist())
    shown = _Shown(artifact, next(together(laid)), ensemble.strict, _count(ensemble, targets))
    if shown.leaves == "steps":
        shown = _Shown(artifact, first, ensemble.strict, len(ensemble.roots))
    found = {"trees": shown.count, "leaves": shown.leaves, "label": shown.label}
    return found | {"root": shown.node(0, arguments["depth"])}, b""


def _count(ensemble: Ensemble, targets: int) -> int:
    """Return how many trees there are: those that branch alike, for a target each, are one."""
    if targets == 1 or len(ensemble.roots) > MOST_COUNTED:
        return len(ensemble.roots)
    return sum(
        1 for _ in together(laid_out(ensemble, root, 1.0, targets) for root in ensemble.roots.tolist())
    )


def _first(graph: onnx.GraphProto) -> tuple[Ensemble, int]:
    """Return the first trees that see the features themselves, and for how many targets they vote."""
    plain = {graph.input[0].name}
    for proto in graph.node:
        sees = bool(proto.input) and proto.input[0] in plain
        if sees and proto.op_type in PASSING:
            plain.add(proto.output[0])
        if sees and proto.op_type == "TreeEnsemble":
            node = Node.of(proto)
            return Ensemble.of(node), int(node.get("n_targets", 1))
    raise NONE


@dataclass(frozen=True)
class _Shown:
    """A tree in the words of its features and labels."""

    artifact: Artifact
    tree: Laid
    strict: bool
    count: int

    def node(self, at: int, depth: int) -> dict[str, Any]:
        if self.tree.left[at] < 0:
            return self._leaf(self.tree.votes[at])
        if depth == 0:
            return {"below": self._below(at)}
        question, turned = self._question(at)
        children = [self.node(int(side[at]), depth - 1) for side in (self.tree.left, self.tree.right)]
        return {"question": question, "answers": children[::-1] if turned else children}

    def _below(self, at: int) -> int:
        """Return how many leaves there are below a branch."""
        found, rest = 0, [at]
        while rest:
            node = rest.pop()
            if self.tree.left[node] < 0:
                found += 1
            else:
                rest += [int(self.tree.left[node]), int(self.tree.right[node])]
        return found

    def _question(self, at: int) -> tuple[list[str], bool]:
        """Return what a branch asks, in two parts, and whether its left side is the answer no."""
        feature, threshold = int(self.tree.feature[at]), float(self.tree.threshold[at])
        column, label, is_indicator = self._columns[feature]
        if at in self.tree.sets:
            codes = self.tree.sets[at]
            return [column, f"one of {len(codes)} categories"], False
        if is_indicator and (0 < threshold <= 1 if self.strict else 0 <= threshold < 1):
            return [column, f"is {label}"], True
        return [label, f"{'<' if self.strict else '≤'} {threshold:.4g}"], False

    def _leaf(self, votes: Floats) -> dict[str, Any]:
        if self.leaves == "shares":
            shares = np.array([1 - votes[0], votes[0]]) if len(votes) == 1 else votes / votes.sum()
            best = int(shares.argmax())
            return {"label": self.labels[best], "share": float(shares[best])}
        decoder = self.artifact.decoder
        if self.leaves == "values":
            divided = votes / self._divisor if self.count == 1 else votes
            votes = divided + np.asarray(decoder["added"] or 0.0) + np.asarray(decoder["center"])
        return {"value": [float(votes[target]) for target in self._voted[:MOST_VALUES]]}

    @property
    def leaves(self) -> str:
        """What leaves hold: ``shares`` of classes, ``values``, or ``steps`` of a sum."""
        decoder = self.artifact.decoder
        votes = self.tree.votes[self.tree.left < 0]
        if decoder["output"] == "value":
            return "values" if self.count == 1 or (self._divisor == self.count).all() else "steps"
        if decoder["output"] != "probabilities" or not self.labels or (votes < 0).any():
            return "steps"
        sums = votes.sum(axis=1)
        if votes.shape[1] == 1:
            return "shares" if len(self.labels) == 2 and (votes <= 1).all() else "steps"
        same = votes.shape[1] == len(self.labels) and sums[0] > 0 and np.allclose(sums, sums[0], rtol=1e-3)
        return "shares" if same else "steps"

    @property
    def label(self) -> str | None:
        """The class that all leaves vote for, where they are steps to one."""
        alone = (
            self.leaves == "steps" and len(self._voted) == 1 and self.tree.votes.shape[1] == len(self.labels)
        )
        return self.labels[self._voted[0]] if alone else None

    @property
    def labels(self) -> list[str]:
        decoder = self.artifact.decoder
        return [label_text(each, decoder["label_kind"]) for each in decoder["labels"]]

    @property
    def _divisor(self) -> Floats:
        """What the sum over the trees is divided by."""
        return np.asarray(self.artifact.decoder["divisor"] or 1.0, dtype=np.float64)

    @property
    def _voted(self) -> list[int]:
        """The targets that some leaf votes for."""
        found: list[int] = np.flatnonzero(self.tree.votes.any(axis=0)).tolist()
        return found or [0]

    @property
    def _columns(self) -> Sequence[tuple[str, str, bool]]:
        """Of each column of the matrix the feature, what it says of it, and whether it says yes or no."""
        return list(_columns(self.artifact.encoder))


def _columns(form: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for encoding in Encoder.from_json(form).encodings:
        name = encoding.column.name
        for label in encoding.names():
            indicator = label.startswith(f"{name}=")
            yield name, label.removeprefix(f"{name}=") if indicator else label, indicator
