"""The names and values of ``search_args``."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pgml.errors import InvalidValue, hint_of_names, name_list
from pgml.search.costs import RUN_TYPES, SELECTIONS

KINDS = ("grid", "random", "halving", "bayes", "pso")
MOST_TRIALS = 10_000
MOST_FOLDS = 100
LARGEST_SEED = 2**32 - 1
SWARM: Mapping[str, Any] = {
    "particles": 8,
    "iterations": 3,
    "velocity_ratio": 0.2,
    "phi1": 2.05,
    "phi2": 2.05,
    "kappa": 1.0,
}
"""Of `pgml.swarm.Settings`, with defaults for costs that are fits."""
DEFAULTS: Mapping[str, Any] = {
    "n_iter": 10,
    "cv": 5,
    "factor": 3,
    "selection": "mean",
    "run_type": "normal",
    **SWARM,
}
IGNORED = ("n_jobs", "verbose", "refit", "return_train_score", "error_score", "pre_dispatch", "iid")
"""Of scikit-learn's searches; they change nothing that is told here."""
OWN: Mapping[str, tuple[str, ...]] = {
    "n_iter": ("random", "halving", "bayes"),
    "factor": ("halving",),
    "min_resources": ("halving",),
    **dict.fromkeys((*SWARM, "selection", "run_type", "candidate_time_limit"), ("pso",)),
}
"""Arguments that some kinds of search take and others do not."""
BOUNDS: Mapping[str, tuple[int, int]] = {
    "n_iter": (1, MOST_TRIALS),
    "cv": (2, MOST_FOLDS),
    "factor": (2, 100),
    "min_resources": (2, 2**31 - 1),
    "random_state": (0, LARGEST_SEED),
    "particles": (1, 1000),
    "iterations": (1, 1000),
}
ABOVE_0: Mapping[str, float] = {"velocity_ratio": 1, "phi1": 100, "phi2": 100, "kappa": 1}
"""Numbers that may be anything above 0, up to these."""
WORDS: Mapping[str, tuple[str, ...]] = {"selection": tuple(SELECTIONS), "run_type": RUN_TYPES}
TIMES = ("time_limit", "candidate_time_limit")
ARGUMENTS = (*BOUNDS, *ABOVE_0, *WORDS, "scoring", *TIMES)
UNITS: Mapping[str, int] = {
    "": 1,
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
}


def checked(kind: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a kind of search takes, without those that change nothing.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    args : mapping
        By name; null is none.

    Returns
    -------
    dict
        Times in seconds.

    Raises
    ------
    InvalidValue
        There is no such name, or its value cannot be.
    """
    taken = [name for name in ARGUMENTS if kind in OWN.get(name, KINDS)]
    found = {}
    for name, value in args.items():
        if name in IGNORED:
            continue
        if name not in taken:
            known = name in ARGUMENTS
            raise InvalidValue(
                f'search_args name "{name}", which search "{kind}" does not take'
                if known
                else f'search_args name "{name}", which does not exist',
                hint=hint_of_names(f'search_args of "{kind}"', name, taken),
            )
        if value is not None:
            found[name] = _argument(name, value)
    return found


def _argument(name: str, value: Any) -> Any:
    if name in TIMES:
        return _seconds(name, value)
    if name in WORDS:
        if value not in WORDS[name]:
            raise _wrong(
                name, value, "one of " + name_list(WORDS[name]), f'The default is "{DEFAULTS[name]}".'
            )
        return value
    if name in ABOVE_0:
        if type(value) not in (int, float) or not 0 < value <= ABOVE_0[name]:
            wanted = f"a number above 0 and up to {ABOVE_0[name]:g}"
            raise _wrong(name, value, wanted, f"The default is {DEFAULTS[name]:g}.")
        return float(value)
    if name == "scoring":
        if not isinstance(value, str):
            raise _wrong(name, value, "the name of a metric", "Give one metric; each search decides by one.")
        return value
    low, high = BOUNDS[name]
    if type(value) is not int or not low <= value <= high:
        raise _wrong(
            name,
            value,
            f"a whole number from {low} to {high}",
            f"The default is {DEFAULTS[name]}."
            if name in DEFAULTS
            else f'Leave "{name}" out for the default.',
        )
    return value


def _seconds(name: str, value: Any) -> float:
    """Return seconds of a number, or of a text such as ``10 min``."""
    seconds = math.nan
    if type(value) in (int, float):
        seconds = float(value)
    elif isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*([a-z]*?)s?\s*", value.lower())
        if match and (match[2] in UNITS):
            seconds = float(match[1]) * UNITS[match[2]]
    if not 0 < seconds < 1e9:
        raise _wrong(
            name,
            value,
            "a time above 0",
            "Give seconds, or a text such as '90 s', '10 min' or '2 h'.",
        )
    return seconds


def _wrong(name: str, value: Any, wanted: str, hint: str) -> InvalidValue:
    return InvalidValue(f'search_args: "{name}" must be {wanted}, not {json.dumps(value)[:60]}', hint=hint)
