"""The names and values of ``search_args``."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pgml.errors import InvalidValue, hint_of_names

KINDS = ("grid", "random", "halving", "bayes")
MOST_TRIALS = 10_000
MOST_FOLDS = 100
LARGEST_SEED = 2**32 - 1
DEFAULTS: Mapping[str, Any] = {"n_iter": 10, "cv": 5, "factor": 3}
IGNORED = ("n_jobs", "verbose", "refit", "return_train_score", "error_score", "pre_dispatch", "iid")
"""Of scikit-learn's searches; they change nothing that is told here."""
OWN: Mapping[str, tuple[str, ...]] = {
    "n_iter": ("random", "halving", "bayes"),
    "factor": ("halving",),
    "min_resources": ("halving",),
}
"""Arguments that some kinds of search take and others do not."""
BOUNDS: Mapping[str, tuple[int, int]] = {
    "n_iter": (1, MOST_TRIALS),
    "cv": (2, MOST_FOLDS),
    "factor": (2, 100),
    "min_resources": (2, 2**31 - 1),
    "random_state": (0, LARGEST_SEED),
}
ARGUMENTS = (*BOUNDS, "scoring", "time_limit")
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
        ``time_limit`` in seconds.

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
    if name == "time_limit":
        return _seconds(value)
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


def _seconds(value: Any) -> float:
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
            "time_limit",
            value,
            "a time above 0",
            "Give seconds, or a text such as '90 s', '10 min' or '2 h'.",
        )
    return seconds


def _wrong(name: str, value: Any, wanted: str, hint: str) -> InvalidValue:
    return InvalidValue(f'search_args: "{name}" must be {wanted}, not {json.dumps(value)[:60]}', hint=hint)
