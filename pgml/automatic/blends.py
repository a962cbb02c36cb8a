"""Which of the best are put together: by weights found on outputs of rows that were held out, or by a stack.

The weights are those of greedy selection with replacement (Caruana et al., 2004).  What comes of it is a
candidate like others, measured as a whole before it is believed.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pgml.algorithms.base import Positions
from pgml.automatic.board import Board, Trial
from pgml.automatic.ground import Ground
from pgml.automatic.portfolio import Candidate
from pgml.errors import PgmlError
from pgml.evaluation import Floats
from pgml.spec import Output

ROUNDS = 12
MOST_MEMBERS = 4
STACKED = 3
MOST_ROWS = 4_000
"""That weights are found on."""
LIKE = 2
"""Members that may be of one algorithm."""
SMOOTH = 0.05
"""How much of the log loss is added to a metric of labels, which by itself follows every row."""


def weighted(ground: Ground, board: Board) -> Candidate | None:
    """Return the blend that does best on outputs of rows that its members had not seen; None if that is one.

    Parameters
    ----------
    ground : Ground
    board : Board
        With the outputs of its best trials.
    """
    members = _members(ground, board)
    if len(members) < 2:
        return None
    tested = np.concatenate([ground.folds[fold][1] for fold in board.first])
    every = -(-len(tested) // MOST_ROWS)
    tested = tested[::every]
    held = [np.concatenate([trial.outputs[fold] for fold in board.first])[::every] for trial in members]
    counts = _greedy(ground, board, held, tested)
    chosen = counts.most_common(MOST_MEMBERS)
    if len(chosen) < 2:
        return None
    return Candidate(
        "voting",
        {
            "estimators": [_member(members[number]) for number, _ in chosen],
            "weights": [count for _, count in chosen],
        },
        "blend",
    )


def stacked(ground: Ground, board: Board) -> Candidate | None:
    """Return a stack of the best trials of the best algorithms; None if there is one alone."""
    chosen: dict[str, Trial] = {}
    for trial in _members(ground, board):
        chosen.setdefault(trial.candidate.algorithm, trial)
    if len(chosen) < 2:
        return None
    final = "linear" if ground.spec.task == "classification" else "ridge_cv"
    return Candidate(
        "stacking",
        {
            "estimators": [_member(trial) for trial in list(chosen.values())[:STACKED]],
            "final_estimator": final,
        },
        "stack",
    )


def _members(ground: Ground, board: Board) -> list[Trial]:
    """Return the best trials whose outputs are known and have a mean, few of one algorithm."""
    wanted = "value" if ground.spec.task == "regression" else "probabilities"
    like: Counter[str] = Counter()
    found = []
    for trial in board.ranked():
        fits = trial.output == wanted and trial.rows is None and all(f in trial.outputs for f in board.first)
        if fits and like[trial.candidate.algorithm] < LIKE:
            like[trial.candidate.algorithm] += 1
            found.append(trial)
    return found[:20]


def _greedy(ground: Ground, board: Board, held: Sequence[Floats], tested: Positions) -> Counter[int]:
    """Return how often each is taken: the best first, then whichever makes the mean of all taken best."""
    total = np.zeros_like(held[0])
    taken: list[int] = []
    worths: list[float] = []
    for _ in range(ROUNDS):
        mean = [_worth(ground, board, (total + each) / (len(taken) + 1), tested) for each in held]
        best = int(np.argmax(mean))
        taken.append(best)
        worths.append(mean[best])
        total = total + held[best]
    most = int(np.argmax(worths))
    return Counter(taken[: most + 1])


def _worth(ground: Ground, board: Board, outputs: Floats, tested: Positions) -> float:
    output: Output = "value" if ground.spec.task == "regression" else "probabilities"
    try:
        score = ground.score(output, outputs, tested)
    except PgmlError:
        return -np.inf
    if score is None:
        return -np.inf
    smooth = SMOOTH * ground.tie(output, outputs, tested) if ground.metric.needs == "labels" else 0.0
    return board.sign(score) + smooth


def _member(trial: Trial) -> dict[str, object]:
    return {"algorithm": trial.candidate.algorithm, "hyperparams": dict(trial.candidate.hyperparams)}


def named(trial: Trial) -> str:
    """Return a text that is equal for equal candidates."""
    return name_of(_member(trial))


def name_of(member: Mapping[str, object]) -> str:
    """Return `named` of a member of an ensemble."""
    return json.dumps(member, sort_keys=True)
