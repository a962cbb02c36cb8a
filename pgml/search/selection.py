"""The search of a training: the hyperparameters with the best mean over folds of its training rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgml import metrics
from pgml.algorithms.base import Algorithm, Positions
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, PgmlError, TrainingFailed
from pgml.metrics import Metric
from pgml.origin import Origin
from pgml.search import bayes, candidates, halving, particles, space
from pgml.search.scoring import Parted, Scorer
from pgml.search.trials import Trial, Trials, comparable, ranked
from pgml.spec import FitSpec
from pgml.target import Target


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes
    ----------
    hyperparams : mapping
        Those that were given and the best of those searched for.
    trials : sequence of mapping
        Rows of pgml.trials.
    summary : mapping
        ``trials``, ``best``, ``metric``, ``score``, ``std`` and ``folds``.
    notes : sequence of str
    """

    hyperparams: Mapping[str, Any]
    trials: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    notes: Sequence[str]


def best(
    spec: FitSpec,
    algorithm: Algorithm,
    rows: Dataset,
    truth: Target,
    positions: Positions,
    parted: Parted,
    origin: Origin | None = None,
) -> Found:
    """Search as ``spec.search`` says.

    Its keys are ``kind``, ``space`` as ``search_params`` has it, ``trials``, ``folds``, ``metric``,
    ``seed``, ``time_limit`` in seconds or None, and for halving ``factor`` and ``min_resources``.
    For a swarm ``swarm`` has the fields of `pgml.swarm.Settings`, ``selection`` and ``run_type`` are as in
    `pgml.search.particles`, ``regularising`` lists the names that the second of two swarms tunes, and
    ``candidate_time_limit`` is in seconds or None.

    Parameters
    ----------
    rows : Dataset
        Training rows alone, in the order of their content's hashes.
    truth : Target
        Of these rows.
    positions : int array of shape (rows,)
        Where they are in the relation.
    parted : Parted
    origin : Origin, optional
        What each fit starts from.

    Raises
    ------
    InvalidValue
        There are too few rows for the folds, or no trial has hyperparameters that can be used.
    TrainingFailed
        Every trial fails otherwise.
    """
    wanted = spec.search
    assert wanted is not None
    own = metrics.of_spec(spec)
    metric = own if own and own.name == wanted["metric"] else metrics.find(wanted["metric"], spec.task)
    swarm = wanted["kind"] == "pso"
    fitted = replace(spec, threads=1) if swarm else spec
    scorer = Scorer(fitted, algorithm, metric, rows, truth, positions, parted, wanted["folds"], origin)
    if swarm:
        tried, planned = particles.run(scorer, spec.hyperparams, wanted, metric, spec.threads)
    else:
        tried, planned = _tried(wanted, scorer, spec.hyperparams, metric)
    first = tried[0]
    if first.mean is None:
        raise _all_failed(tried)
    rows_of_trials = [
        trial.as_json() | {"best": trial is first} for trial in sorted(tried, key=lambda trial: trial.number)
    ]
    notes = [_note(tried, planned, metric, len(scorer.folds)), *scorer.notes]
    summary = _summary(tried, metric, len(scorer.folds))
    return Found({**spec.hyperparams, **first.parameters}, rows_of_trials, summary, notes)


def _summary(tried: Sequence[Trial], metric: Metric, folds: int) -> dict[str, Any]:
    first = tried[0]
    return {
        "trials": len(tried),
        "best": dict(first.parameters),
        "metric": metric.name,
        "score": first.mean,
        "std": first.deviation,
        "folds": folds,
    }


def _tried(
    wanted: Mapping[str, Any], scorer: Scorer, fixed: candidates.Candidate, metric: Metric
) -> tuple[list[Trial], int | None]:
    """Return the trials, the best first, and how many were planned if the time was too short."""
    trials = Trials(scorer, fixed, wanted["time_limit"])
    dimensions = space.parsed(wanted["space"])
    if wanted["kind"] == "bayes":
        bayes.run(trials, dimensions, wanted["trials"], wanted["seed"], metric)
        planned = int(min(wanted["trials"], space.size(dimensions)))
    else:
        chosen = (
            list(candidates.grid(dimensions))
            if wanted["kind"] == "grid"
            else candidates.drawn(dimensions, wanted["trials"], wanted["seed"])
        )
        planned = len(chosen)
        if wanted["kind"] == "halving":
            plan = scorer.most_rows, wanted["factor"], wanted["min_resources"]
            best_first = halving.run(trials, chosen, *plan, metric)
            return best_first, planned if trials.stopped else None
        trials.run_all(list(enumerate(chosen, 1)))
    return ranked(comparable(trials.finished, metric), metric), planned if trials.stopped else None


def _note(tried: Sequence[Trial], planned: int | None, metric: Metric, folds: int) -> str:
    """Return what the user is told: ``best of 10 trials: {"max_depth": 5} with accuracy 0.93 in 5 folds``."""
    failed = [trial for trial in tried if trial.error is not None]
    ran = f"{len(tried)} trial(s)"
    if planned is not None:
        ran = f"{len(tried)} of {planned} trial(s), as time_limit ended the search"
    said = f"best of {ran}: {json.dumps(dict(tried[0].parameters))}"
    said += f" with {metric.name} {tried[0].mean:.6g} in {folds} fold(s)"
    if failed:
        first = min(failed, key=lambda trial: trial.number)
        assert first.error is not None
        said += f"; {len(failed)} trial(s) failed, the first with: {first.error.message}"
    return said


def _all_failed(tried: Sequence[Trial]) -> PgmlError:
    first = min(tried, key=lambda trial: trial.number)
    assert first.error is not None
    kind = InvalidValue if isinstance(first.error, InvalidValue) else TrainingFailed
    return kind(
        f"all {len(tried)} trial(s) of the search failed",
        detail=f"The first one: {first.error.message}.",
        hint=first.error.hint or "Search among other hyperparameters, or train without search to see more.",
    )
