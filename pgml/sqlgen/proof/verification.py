"""Whether a statement answers as the model does: what is asked of it, and the comparison.

`pgml.sqlgen.proof.probes` makes a `Probe` where a model is compiled; whoever can run the statement runs it
over the probe's rows and hands the answers to `check`.  This module needs no more than a backend has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from pgml.errors import Disagrees

DOUBLE = 1e-12
"""Largest difference of numbers, relative to the larger of the number and the outputs' scale: sums of doubles
are added in another order, each rounding to 1e-16, and one may cancel most of the others."""
SINGLE = 2e-6
"""The same where a graph computes in float32, which rounds each step to 2**-24 = 6e-8 of it and adds up,
say, a hundred trees: errors of a hundred steps grow like their root, to 6e-7 of the sum of magnitudes, which
is a few times the scale.  SQL adds in float64, so it is the model that is rounded."""
LONGEST = 600
"""Characters of a row in an error."""


@dataclass(frozen=True)
class Probe:
    """Rows and what the model makes of them.

    Attributes
    ----------
    relation : str
        The rows as PostgreSQL writes a relation, see `pgml.sqlgen.relations.values_relation`.
    key : str
        Its column that numbers the rows, from 0.
    rows : list of str
        The features of each row, for people.
    answers : dict of str to list
        The model's, by the statement's columns: a number or text a row, None for NULL.
    decisions : list of str
        Columns that must be equal: labels, classes, clusters.
    allowed : dict of str to list of float
        By how much numbers of other columns may differ, a number a row.
    free : list of int
        Rows for which the model itself leaves the doubles, to infinity or NaN: the statement has to get
        over them, with any answer.
    near : list of int
        Rows so near a threshold that rounding decides which label they get.
    wider : callable () -> dict of str to list of float, optional
        By how much numbers may differ of a model that has fewer digits than most, see
        `pgml.sqlgen.proof.conditioning`; asked where that decides.
    """

    relation: str
    key: str
    rows: list[str]
    answers: dict[str, list[Any]]
    decisions: list[str]
    allowed: dict[str, list[float]]
    free: list[int]
    near: list[int] = field(default_factory=list)
    wider: Callable[[], dict[str, list[float]]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Difference:
    """Of one answer.

    Attributes
    ----------
    row : int
    column : str
    expected, found : float, str or None
    size : float
        How many times what is allowed; infinite for a decision.
    """

    row: int
    column: str
    expected: Any
    found: Any
    size: float


def check(found: Mapping[str, Sequence[Any]], probe: Probe) -> None:
    """Raise Disagrees unless a statement answers as the model does.

    Parameters
    ----------
    found : mapping of str to sequence
        The statement's columns, its rows in the order of the probe's key; the key itself may be among them.
    probe : Probe
        Made for the same columns.

    Raises
    ------
    Disagrees
        A decision differs, or a number by more than is allowed; or there are other columns or rows.
    """
    if missing := [name for name in probe.answers if name not in found]:
        raise _error(f'It has no column "{missing[0]}".')
    lengths = {len(found[name]) for name in probe.answers} - {len(probe.rows)}
    if lengths:
        raise _error(f"It gives {lengths.pop()} rows for {len(probe.rows)}.")
    wrong = differences(found, probe)
    if wrong:
        worst = max(wrong, key=lambda each: each.size)
        count = len({each.row for each in wrong})
        raise _error(
            f'"{worst.column}" is {_shown(worst.found)} instead of {_shown(worst.expected)} for '
            f"{_shortened(probe.rows[worst.row])}; {count} of {len(probe.rows)} probe rows differ."
        )


def differences(found: Mapping[str, Sequence[Any]], probe: Probe) -> list[Difference]:
    """Return every answer that differs by more than is allowed."""
    wrong = _differences(found, probe, probe.allowed)
    if probe.wider is None or not any(isfinite(each.size) for each in wrong):
        return wrong
    return _differences(found, probe, probe.wider())


def _differences(
    found: Mapping[str, Sequence[Any]], probe: Probe, allowed: Mapping[str, Sequence[float]]
) -> list[Difference]:
    wrong = []
    free, near = frozenset(probe.free), frozenset(probe.near)
    for name, answers in probe.answers.items():
        decided = name in probe.decisions
        for row, (expected, given) in enumerate(zip(answers, found[name], strict=True)):
            if decided and row in near and (expected is None) == (given is None):
                continue
            if decided or expected is None or given is None:
                size = 0.0 if expected == given else float("inf")
            else:
                size = _times(abs(float(given) - expected), allowed[name][row])
            if not size <= 1 and row not in free:
                wrong.append(Difference(row, name, expected, given, size))
    return wrong


def _times(difference: float, bound: float) -> float:
    if difference == 0:
        return 0.0
    return difference / bound if bound > 0 else float("inf")


def failed(database: str, message: str, detail: str = "", hint: str = "") -> Disagrees:
    """Return the error for a statement that a database does not run over the probe rows."""
    return Disagrees(
        f"the model as SQL fails in {database}: {message}",
        detail=detail,
        hint=hint or "Use pgml.predict for this model, and please report this.",
    )


def _error(detail: str) -> Disagrees:
    return Disagrees(
        "the SQL statement does not agree with the model",
        detail=detail,
        hint="Use pgml.predict for this model, and please report this with the algorithm and its "
        "hyperparameters.",
    )


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    return f'"{_shortened(value)}"' if isinstance(value, str) else repr(value)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
