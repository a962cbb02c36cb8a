"""The finals: the best few, and what can be put together of them, in folds that have chosen none of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pgml.automatic import blends
from pgml.automatic.board import Board, Trial
from pgml.automatic.clock import Clock
from pgml.automatic.ground import Ground
from pgml.automatic.portfolio import ENSEMBLES, Candidate

FINALISTS = 6
STACK_FITS = 6
"""Of each member of a stack: one for each of its folds, and the last."""
SHARE = 0.6
"""Of the time left that one dealing of the finals may take."""


@dataclass(frozen=True)
class Verdict:
    """What the finals said.

    Attributes
    ----------
    order : sequence of Trial
        The winner first.
    folds : sequence of int
        Where all of them were measured.
    ensembles : sequence of Trial
        Those that were compared with the winner.
    """

    order: Sequence[Trial]
    folds: Sequence[int]
    ensembles: Sequence[Trial]


def dealings(ground: Ground) -> list[Sequence[int]]:
    """Return the folds of each dealing in the order in which finalists are measured: a new one first."""
    count = ground.first
    every = [range(start, start + count) for start in range(0, len(ground.folds), count)]
    return [*every[1:2], every[0], *every[2:]] if every else []


def entrants(
    ground: Ground, board: Board, clock: Clock, ensembles: Sequence[str], until: float
) -> list[Trial]:
    """Return the best trials, and ensembles of them, as many as there is time to measure.

    Parameters
    ----------
    ground, board, clock
    ensembles : sequence of str
        Those that may be made.
    until : float
        When the finals end.
    """
    ranked = board.ranked()
    if not ranked:
        return []
    room = SHARE * max(until - clock.end + clock.left, 0.0) / max(ground.first, 1)
    single = [trial for trial in ranked if trial.rows == ranked[0].rows]
    chosen = [single[0]]
    room -= single[0].fold_seconds if len(ground.folds) > ground.first else 0.0
    made = [_made(ground, board, name) for name in ensembles if ranked[0].rows is None]
    for candidate, seconds in filter(None, made):
        if seconds < room and (trial := board.add(candidate, None)) is not None:
            chosen.append(trial)
            room -= seconds
    for trial in single[1:FINALISTS]:
        if trial.fold_seconds < room:
            chosen.append(trial)
            room -= trial.fold_seconds if len(ground.folds) > ground.first else 0.0
    return chosen


def verdict(ground: Ground, board: Board, entrants: Sequence[Trial]) -> Verdict:
    """Return who won: the best mean in the folds that all have, an ensemble only if it gains beyond noise."""
    sound = [trial for trial in entrants if not trial.error]
    folds: list[int] = []
    # An ensemble that was not measured in time has not taken part.
    for taking_part in (sound, [trial for trial in sound if trial.single]):
        folds = _common(ground, taking_part)
        if folds:
            sound = taking_part
            break
    if not folds:
        return Verdict(board.ranked(), list(board.first), [])
    order = sorted(sound, key=lambda trial: (board.worth(trial, folds), -trial.number), reverse=True)
    best = next((trial for trial in order if trial.single), None)
    ensembles = [trial for trial in order if not trial.single]
    if best is not None:
        ahead = [trial for trial in ensembles if gains(board, trial, best, folds)]
        order = [*ahead, best, *(trial for trial in order if trial.single and trial is not best)]
    rest = [trial for trial in board.ranked() if trial not in order]
    return Verdict([*order, *rest], folds, ensembles)


def gains(board: Board, ensemble: Trial, single: Trial, folds: Collection[int]) -> bool:
    """Return whether an ensemble is better by more than the standard error of its gains in the folds."""
    found = board.gains(ensemble, single, folds)
    if len(found) < 2:
        return bool(found and found[0] > 0)
    error = float(np.std(found, ddof=1)) / np.sqrt(len(found))
    return bool(np.mean(found) > max(error, 1e-12))


def _common(ground: Ground, trials: Sequence[Trial]) -> list[int]:
    """Return the folds of the dealings in which all trials were measured whole."""
    whole = [
        dealing
        for dealing in dealings(ground)
        if trials and all(set(dealing) <= set(t.scores) for t in trials)
    ]
    return sorted(fold for dealing in whole for fold in dealing)


def _made(ground: Ground, board: Board, name: str) -> tuple[Candidate, float] | None:
    """Return an ensemble of the best, and what a fold of it may take."""
    candidate = (blends.weighted if name == ENSEMBLES[0] else blends.stacked)(ground, board)
    if candidate is None:
        return None
    times = {blends.named(trial): trial.fold_seconds for trial in board.trials}
    every = sum(times.get(blends.name_of(member), 0.0) for member in candidate.hyperparams["estimators"])
    return candidate, every * (STACK_FITS if name == "stacking" else 1)
