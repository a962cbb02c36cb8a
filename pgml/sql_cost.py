"""A cost that PostgreSQL computes, as a metric: what of truth and outputs is handed over to it.

The statement that computes it is `pgml.cost_function`'s; here nothing is known of it but how to ask, which
the process that fits does through the backend.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pgml.criterion import Kind, Metric
from pgml.target import LabelKind, label_text
from pgml.wire import Patience

Floats = npt.NDArray[np.float64]
Hands = Literal["values", "labels", "probabilities"]
"""What is predicted, for a cost: numbers, labels, or probabilities of the second of two classes."""
TASKS: Mapping[Hands, tuple[str, ...]] = {
    "values": ("regression",),
    "labels": ("classification",),
    "probabilities": ("classification",),
}
MOST = 1 << 18
"""Predictions in one statement, if they are not of one model: PostgreSQL reads their text without hearing a
cancel, some 0.7 us for each."""


@dataclass(frozen=True)
class Batch:
    """Predictions of some models of the same rows, as they travel.

    Attributes
    ----------
    actual : bytes
        The text of an array of codes of labels, or of numbers, with one for each row.
    predicted : bytes
        The same of the first model, then of the next.
    rows, count : int
        How many rows, and how many models.
    labels : sequence of str
        Of the codes; code 1 is the first.
    """

    actual: bytes
    predicted: bytes
    rows: int
    count: int
    labels: Sequence[str]


Ask = Callable[[Batch], Sequence[float]]
"""Returns the cost of each model."""


def metric(name: str, hands: Hands, label_kind: LabelKind, ask: Ask) -> Metric:
    """Return a cost as what models compare by; less is better.

    Parameters
    ----------
    name : str
        Of the function, with its schema and the types of its arguments.
    hands : Hands
    label_kind : str
        Of the target's labels.
    ask : Ask
        Called by one thread at a time.
    """
    turn = Lock()

    def formula(
        truth: npt.NDArray[Any], outputs: npt.NDArray[Any], kind: Kind, labels: Sequence[Any]
    ) -> Floats:
        texts = [label_text(label, label_kind) for label in labels]
        rows, count = len(truth), len(outputs)
        actual = _numbers(truth) if hands == "values" else _codes(truth)
        step = max(1, MOST // max(1, rows))
        found: list[float] = []
        for start in range(0, count, step):
            predicted = _handed(outputs[start : start + step], kind, hands)
            batch = Batch(actual, predicted, rows, len(outputs[start : start + step]), texts)
            with turn:
                found += ask(batch)
        return np.array(found, np.float64)

    needs: Kind = "labels" if hands == "labels" else "values" if hands == "values" else "probabilities"
    return Metric(name, TASKS[hands], greater_is_better=False, needs=needs, formula=formula)


def _handed(outputs: npt.NDArray[Any], kind: Kind, hands: Hands) -> bytes:
    if hands == "values":
        return _numbers(outputs)
    if hands == "probabilities":
        return _numbers(outputs[..., 1])
    return _codes(outputs if kind == "labels" else outputs.argmax(axis=-1))


def _codes(codes: npt.NDArray[Any]) -> bytes:
    """Return an array of codes, counted from 1, as PostgreSQL reads it; 0 is a class that nobody knows."""
    wanted = codes.astype(np.int64).ravel() + 1
    width = len(str(wanted.max(initial=0)))
    text = np.full((wanted.size, width + 1), ord(","), np.uint8)
    for place in range(width):
        text[:, place] = wanted // 10 ** (width - 1 - place) % 10 + ord("0")
    return _braced(text.tobytes()[:-1])


def _numbers(values: npt.NDArray[Any]) -> bytes:
    """Return an array of float8 as PostgreSQL writes it, with all digits."""
    return _braced(repr(values.astype(np.float64).ravel().tolist())[1:-1].encode())


def _braced(text: bytes) -> bytes:
    return b"{" + text + b"}"


def as_message(batch: Batch) -> tuple[dict[str, Any], bytes]:
    """Return a batch as JSON and bytes."""
    head = {"rows": batch.rows, "count": batch.count, "labels": list(batch.labels), "cut": len(batch.actual)}
    return head, batch.actual + batch.predicted


def from_message(head: Mapping[str, Any], blob: bytes) -> Batch:
    """Return what `as_message` was given."""
    cut = head["cut"]
    return Batch(blob[:cut], blob[cut:], head["rows"], head["count"], head["labels"])


def described(batch: Batch, hands: Hands, number: int) -> str:
    """Return a sentence about what the model of that number, from 0, predicted."""
    texts = batch.predicted.decode()[1:-1].split(",")[number * batch.rows : (number + 1) * batch.rows]
    if hands != "labels":
        values = np.array(texts, np.float64)
        what = "Predictions" if hands == "values" else f'Probabilities of "{batch.labels[1]}"'
        return f"{what} of the {batch.rows} rows were from {values.min():.6g} to {values.max():.6g}."
    codes, counts = np.unique(np.array(texts, np.int64), return_counts=True)
    if len(codes) == 1:
        return f'All {batch.rows} predictions were "{batch.labels[codes[0] - 1]}".'
    most = zip(codes[:10], counts, strict=False)
    shown = ", ".join(f'"{batch.labels[code - 1]}" ({count})' for code, count in most)
    return f"The {batch.rows} predictions were {shown}."


def asked(cost: Mapping[str, Any], tell: Callable[..., Any]) -> Metric:
    """Return a cost as what models compare by.

    Parameters
    ----------
    cost : mapping
        ``name`` and ``written``, ``hands`` and ``label_kind`` as in `metric`; ``milliseconds``, how
        long a statement may take, 0 without a bound; ``by_signal`` as in `Patience`.
    tell : callable
        `pgml.child.Peer.tell`.
    """
    patience = _patience(cost)

    def ask(batch: Batch) -> list[float]:
        head, blob = as_message(batch)
        found: list[float] = tell({"cost": head}, blob, patience)
        return found

    return metric(cost["name"], cost["hands"], cost["label_kind"], ask)


def _patience(cost: Mapping[str, Any]) -> Patience | None:
    limit = cost["milliseconds"]
    if not limit:
        return None
    error = {
        "message": f'cost function "{cost["written"]}" took longer than {limit} ms',
        "detail": "It was asked once about all predictions of one step of the training.",
        "hint": "Make it faster, train on fewer rows, or raise cost_milliseconds in pgml.settings.",
    }
    return Patience(limit / 1000, error, cost["by_signal"])
