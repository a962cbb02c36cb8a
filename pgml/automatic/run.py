"""The job of the child process: from a spec that asks for any algorithm to the model of the best found."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pgml import target
from pgml.automatic import crew, ground, portfolio
from pgml.automatic.board import Board, Trial
from pgml.automatic.clock import Clock
from pgml.automatic.crew import Crew
from pgml.automatic.finals import Verdict
from pgml.automatic.ground import Ground
from pgml.automatic.portfolio import ENSEMBLES, SAFE, Candidate
from pgml.automatic.race import Model, Race
from pgml.automatic.tasks import Tasks
from pgml.dataset import Dataset
from pgml.spec import FitSpec

WORKER_BYTES = 256 << 20
"""Beside what is shared, that a worker has at least; a bound of memory allows fewer of them otherwise."""
SHOWN = 120
"""Characters of hyperparameters in the reason."""


def run(
    arguments: Mapping[str, Any], dataset: Dataset, tell: Callable[[dict[str, Any]], Any]
) -> tuple[dict[str, Any], bytes]:
    """Find a model for the rows with a known target, as a job of the child process; see `find`."""
    spec = FitSpec.from_json(arguments)
    return find(spec, target.known(dataset, spec.targets))


def find(spec: FitSpec, dataset: Dataset) -> tuple[dict[str, Any], bytes]:
    """Return the report and the bytes of the best model that was found in time.

    ``spec.automatic`` has ``end``, by `time.monotonic`, which all processes share; ``time_limit`` in seconds;
    ``algorithms`` and ``exclude``, those that the user wants alone, and does not want.

    Parameters
    ----------
    spec : FitSpec
    dataset : Dataset
        Rows with a known target.

    Returns
    -------
    report : dict
        As that of `pgml.training.fit`, with ``algorithm`` and ``reason``; ``metrics`` has ``automatic``.
    model : bytes

    Raises
    ------
    PgmlError
        The data cannot be used, or no model was completed.
    """
    wanted = spec.automatic
    assert wanted is not None
    started = time.monotonic()
    only, without = wanted["algorithms"], wanted["exclude"]
    held = ground.prepared(spec, dataset)
    queue = portfolio.candidates(spec.task, len(held.rows), spec.weight is not None, only, without)
    safe = None if only or SAFE in without else Candidate(SAFE)
    ensembles = [name for name in ENSEMBLES if name not in without and (not only or name in only)]
    clock = Clock(started, wanted["end"], len(held.rows), held.fold_rows)
    count = crew.most(spec.threads, WORKER_BYTES)
    with Crew(count, Tasks(held, dataset)) as workers:
        race = Race(held, workers, queue, safe, clock, ensembles)
        model, verdict = race.run()
    took = wanted["time_limit"] - clock.left
    return _report(held, race.board, model, verdict, took), model.data


def _report(held: Ground, board: Board, model: Model, verdict: Verdict | None, took: float) -> dict[str, Any]:
    trial = model.trial
    folds = list(board.first) if verdict is None else list(verdict.folds)
    if trial is not None and any(fold not in trial.scores for fold in folds):
        folds = list(board.first)
    summary = {
        "tried": len(board.trials),
        "seconds": took,
        "metric": held.metric.name,
        "folds": len(folds) if trial else 0,
        "score": trial.mean(folds) if trial else None,
        "std": trial.deviation(folds) if trial else None,
        "time_limit": (held.spec.automatic or {})["time_limit"],
        "algorithms": list((held.spec.automatic or {})["algorithms"]),
        "exclude": list((held.spec.automatic or {})["exclude"]),
    }
    report = dict(model.report)
    notes = [note for note in report["notes"] if note not in _own_notes(model)]
    return report | {
        "algorithm": model.candidate.algorithm,
        "hyperparams": dict(model.candidate.hyperparams),
        "metrics": report["metrics"] | {"automatic": summary},
        "trials": board.rows(held.fold_rows, trial),
        "reason": [reason(held, board, model, verdict, folds, took)],
        "notes": notes,
    }


def _own_notes(model: Model) -> Sequence[str]:
    """Return notes of members, which tell the user of choices that were not the user's."""
    return [] if model.trial is None or model.trial.single else model.report["notes"][-20:]


def reason(
    held: Ground,
    board: Board,
    model: Model,
    verdict: Verdict | None,
    folds: Sequence[int],
    took: float,
) -> str:
    """Return in one sentence which model it is and why."""
    trial, metric = model.trial, held.metric.name
    tried = f"{len(board.trials)} tried in {took:.0f} s"
    if trial is None:
        measured = any(trial.scores for trial in board.trials)
        why = "no candidate was measured" if not measured else "no better candidate could be completed"
        why = f"{why} in time" if held.folds else "too few rows to compare candidates"
        return f"{shown(model.candidate)}: {why}, {tried}"
    said = f"{shown(model.candidate)}: {metric} {trial.mean(folds):.4g} ± {trial.deviation(folds):.2g}"
    said += f" in {len(folds)} fold{'s' if len(folds) > 1 else ''}"
    winner = verdict.order[0] if verdict is not None and verdict.order else trial
    if winner is not trial:
        return f"{said}; {shown(winner.candidate)} was better, but could not be completed; {tried}"
    said += f", the best of {tried}"
    return said + _of_ensembles(trial, verdict, folds)


def _of_ensembles(trial: Trial, verdict: Verdict | None, folds: Sequence[int]) -> str:
    """Return what blending came to."""
    if verdict is None or not verdict.ensembles:
        return ""
    if not trial.single:
        single = next((each for each in verdict.order if each.single), None)
        if single is None or single.mean(folds) is None:
            return ""
        return f"; the best single one was {shown(single.candidate)} with {single.mean(folds):.4g}"
    best = verdict.ensembles[0].mean(folds)
    return "; blending did not help" + ("" if best is None else f" ({best:.4g})")


def shown(candidate: Candidate) -> str:
    """Return a candidate as the reason names it."""
    if candidate.algorithm in ENSEMBLES:
        names = [each["algorithm"] for each in candidate.hyperparams["estimators"]]
        return f"{candidate.algorithm} of {', '.join(dict.fromkeys(names))}"
    if not candidate.hyperparams:
        return candidate.algorithm
    text = json.dumps({name: _rounded(value) for name, value in candidate.hyperparams.items()})
    return f"{candidate.algorithm} {text if len(text) <= SHOWN else text[: SHOWN - 3] + '...'}"


def _rounded(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value
