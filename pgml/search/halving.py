"""Successive halving: many candidates on few rows, ever fewer of them on ever more."""

import math
from collections.abc import Sequence

from pgml.metrics import Metric
from pgml.search.candidates import Candidate
from pgml.search.trials import Trial, Trials, comparable, ranked

FEWEST_ROWS = 30
"""With which a fold of the first round trains, unless the user says otherwise."""


def rounds(candidates: int, rows: int, factor: int, fewest: int | None) -> list[tuple[int, int]]:
    """Return how many candidates each round has, and on how many rows of a fold it trains them.

    The last round trains on all rows, each one before it on a ``factor``-th; each passes on a
    ``factor``-th of its candidates. There are as many as leave one candidate, if the first has rows enough.
    """
    steps = 0
    while math.ceil(candidates / factor**steps) > 1 and rows // factor ** (steps + 1) >= (
        fewest or FEWEST_ROWS
    ):
        steps += 1
    return [
        (math.ceil(candidates / factor**step), rows // factor ** (steps - step)) for step in range(steps + 1)
    ]


def run(
    trials: Trials,
    candidates: Sequence[Candidate],
    rows: int,
    factor: int,
    fewest: int | None,
    metric: Metric,
) -> list[Trial]:
    """Return the last trial of each candidate, those of the last round first, in the order of their worth.

    Parameters
    ----------
    trials : Trials
    candidates : sequence of mapping
    rows : int
        How many the largest fold trains on.
    factor : int
    fewest : int or None
        Rows of the first round at least.
    metric : Metric
    """
    left = list(enumerate(candidates, 1))
    given_up: list[Trial] = []
    best: list[Trial] = []
    for count, most in rounds(len(candidates), rows, factor, fewest):
        round_ = comparable(trials.run_all(left[:count], most), metric)
        tried = {trial.number for trial in round_}
        if not tried:
            break
        given_up = [trial for trial in best if trial.number not in tried] + given_up
        best = ranked(round_, metric)
        left = [(trial.number, trial.parameters) for trial in best if trial.error is None]
        if not left:
            break
    return sorted(best + given_up, key=lambda trial: trial.mean is None)
