"""Bayesian search by Optuna: each trial where the earlier ones promise most."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml.metrics import Metric
from pgml.search.candidates import Candidate, key
from pgml.search.space import Dimension, size
from pgml.search.trials import Trials

ASKED = 20
"""Suggestions for each trial that may be known already, before a search ends early."""


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
    direction = "maximize" if metric.greater_is_better else "minimize"
    study = optuna.create_study(direction=direction, sampler=sampler)
    scales = {each.name: _scale(optuna.distributions, each) for each in space}
    known: dict[str, float | None] = {}
    most = int(min(count, size(space)))
    for _ in range(most * ASKED):
        asked = study.ask(scales)
        candidate = _candidate(space, asked.params)
        if key(candidate) not in known:
            trial = trials.run(len(known) + 1, candidate)
            if trial is None:
                return
            known[key(candidate)] = trial.mean
        score = known[key(candidate)]
        if score is None:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(asked, score)
        if len(known) == most:
            return


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
