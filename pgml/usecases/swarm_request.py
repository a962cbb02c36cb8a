"""What a search by a swarm is asked for beyond other searches."""

from collections.abc import Mapping
from typing import Any

from pgml.algorithms.base import Algorithm
from pgml.algorithms.regularisation import REGULARISING
from pgml.errors import InvalidValue, name_list
from pgml.swarm import Settings
from pgml.usecases.search_arguments import MOST_TRIALS, SWARM

TUNING = ("regularization", "2steps")
"""Run types with a swarm that tunes what regularises alone."""


def suggested(algorithm: Algorithm, form: Mapping[str, Any], args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return of an algorithm's own search space what the type of the run tunes."""
    if args.get("run_type") != "regularization":
        return form
    known = REGULARISING.get(algorithm.name, ())
    return {name: values for name, values in form.items() if name in known} or form


def settled(algorithm: Algorithm, form: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `pgml.search.selection` takes for a swarm alone.

    Parameters
    ----------
    form : mapping
        ``search_params``.
    given : mapping
        ``search_args`` with defaults.

    Raises
    ------
    InvalidValue
        The swarm would not come to rest, or has too many candidates, or nothing that it could tune.
    """
    swarm = {name: given[name] for name in SWARM}
    Settings(**swarm)
    count = given["particles"] * given["iterations"] * (2 if given["run_type"] == "2steps" else 1)
    if count > MOST_TRIALS:
        raise InvalidValue(
            f"the swarm would try {count} candidates, and {MOST_TRIALS} can be tried",
            hint="Give fewer particles or iterations in search_args.",
        )
    return {
        "swarm": swarm,
        "selection": given["selection"],
        "run_type": given["run_type"],
        "candidate_time_limit": given.get("candidate_time_limit"),
        "regularising": _regularising(given["run_type"], algorithm, form),
    }


def _regularising(run_type: str, algorithm: Algorithm, form: Mapping[str, Any]) -> list[str]:
    """Return which of the hyperparameters that are searched for regularise, where it matters."""
    if run_type not in TUNING:
        return []
    known = REGULARISING.get(algorithm.name, ())
    found = [name for name in form if name in known]
    others = [name for name in form if name not in known]
    if others and (run_type == "regularization" or not found):
        raise InvalidValue(
            f'run_type "{run_type}" tunes what regularises, which "{others[0]}" of {algorithm.name} does not',
            hint=f"What does is {name_list(known)}."
            if known
            else f'Search {algorithm.name} by run_type "normal".',
        )
    return found
