"""Bayesian search by Optuna: each trial where the earlier ones promise most."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pgml.metrics import Metric
from pgml.search.candidates import Candidate, drawn, key
from pgml.search.space import Dimension, size
from pgml.search.trials import Trials

REPEATED = 20
"""Suggestions of what has been tried that are heard in a row, before one is drawn at random."""


def run(trials: Trials, space: Sequence[Dimension], count: int, seed: int, metric: Metric) -> None:
    """Run so many trials, or as many as there are; one that is suggested again is not run again.

    Parameters
    ----------
    trials : Trials
    space : sequence of Dimension
    count : int
    seed : int
    metric : Metric
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(3, min(10, count // 3)))
    direction: Literal["maximize", "minimize"] = "maximize" if metric.greater_is_better else "minimize"
    study = optuna.create_study(direction=direction, sampler=sampler)
    scales = {each.name: _scale(optuna.distributions, each) for each in space}
    known: dict[str, float | None] = {}
    most = int(min(count, size(space)))
    while len(known) < most:
        for _ in range(REPEATED):
            asked = study.ask(scales)
            candidate = _candidate(space, asked.params)
            if key(candidate) not in known:
                break
            _tell(optuna, study, asked, known[key(candidate)])
        else:
            asked = None
            candidate = next(each for each in drawn(space, most, seed) if key(each) not in known)
        trial = trials.run(len(known) + 1, candidate)
        if trial is None:
            return
        known[key(candidate)] = trial.mean
        if asked is not None:
            _tell(optuna, study, asked, trial.mean)


def _tell(optuna: Any, study: Any, asked: Any, score: float | None) -> None:
    if score is None:
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(asked, score)


def _scale(distributions: Any, dimension: Dimension) -> Any:
    """Return a range as a place from 0 to 1, see `Dimension.at`, and a list as its values' places."""
    if dimension.scale:
        return distributions.FloatDistribution(0.0, 1.0)
    return distributions.CategoricalDistribution(range(len(dimension.values)))


def _candidate(space: Sequence[Dimension], places: Mapping[str, Any]) -> Candidate:
    return {
        each.name: each.at(places[each.name]) if each.scale else each.values[places[each.name]]
        for each in space
    }
