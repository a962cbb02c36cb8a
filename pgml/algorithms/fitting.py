"""Fitting an estimator quietly: its warnings become notes, its refusals become our errors."""

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from pgml.algorithms.base import Fitted, Matrix
from pgml.errors import InvalidValue, PgmlError, TrainingFailed

MOST_NOTES = 5
_WIDTH = 200
_HINT = "See pgml.algorithms() for the hyperparameters, their types and defaults."
_PATTERNS = (
    (
        r"The '(\w+)' parameter of \w+ must be (.*?)\.? Got (.*) instead",
        r'hyperparameter "\1" must be \2, not \3',
    ),
    (
        r"Invalid Parameter format for (\w+) expect (\w+) but value='(.*)'",
        r'hyperparameter "\1" must be \2, not "\3"',
    ),
    (
        r"value (\S+) for Parameter (\w+) (?:should be|exceed bound) (.*)",
        r'hyperparameter "\2" must be \3, not \1',
    ),
    (r"Invalid Input: '(.*)', valid values are: \{(.*)\}", r'"\1" is not one of \2'),
    (r"n_samples=(\d+) should be >= n_clusters=(\d+)", r"\1 training rows are fewer than n_clusters, \2"),
    (
        r"Expected n_samples >= n_components but got n_components = (\d+), n_samples = (\d+)",
        r"\2 training rows are fewer than n_components, \1",
    ),
    (r"^Check failed: [^:]*: ", ""),
    (r" at \S+, line \d+ ?\.?$", ""),
    (r"^\S+\.(?:cpp|h):\d+: (?:Internal CatBoost Error \([^)]*\): )?", ""),
    (r"greater equal to ", "at least "),
    (r"must be \[(.*),(.*)\]", r"must be between \1 and \2"),
)
_SOURCE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")


def fit_quietly(
    kind: Callable[..., Any],
    parameters: Mapping[str, Any],
    matrix: Matrix,
    target: Any,
    hyperparams: Mapping[str, Any],
    **options: Any,
) -> Fitted:
    """Make an estimator and fit it; what the library warns of comes back as notes.

    Parameters
    ----------
    kind : class
        Of scikit-learn's conventions.
    parameters : mapping
        For the class: the user's and ours.
    matrix, target : ndarray
        See `Algorithm.fit`.
    hyperparams : mapping
        The user's own; without any, a refusal is no fault of theirs.
    **options
        For ``fit``.

    Raises
    ------
    InvalidValue
        The library refuses a value of the hyperparameters.
    TrainingFailed
        It fails with its own defaults.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator = kind(**parameters)
            estimator.fit(matrix, target, **options)
        except (ValueError, TypeError) as error:
            raise refusal(error, hyperparams) from error
    notes = dict.fromkeys(shortened(str(warning.message)) for warning in caught)
    return Fitted(estimator, tuple(notes)[:MOST_NOTES])


def shortened(text: str) -> str:
    """Return the first line of a library's message in our style: lower case, no full stop."""
    line = _SOURCE.sub("", text.strip()).split("\n", 1)[0].strip()
    for pattern, replacement in _PATTERNS:
        line = re.sub(pattern, replacement, line)
    line = line.rstrip(".: ")
    if len(line) > _WIDTH:
        line = line[: _WIDTH - 3] + "..."
    return line if line[1:2].isupper() else line[:1].lower() + line[1:]


def refusal(error: Exception, hyperparams: Mapping[str, Any]) -> PgmlError:
    """Return a library's refusal as ours: without hyperparameters of the user's, it is no fault of theirs."""
    message = shortened(str(error))
    return InvalidValue(message, hint=_HINT) if hyperparams else TrainingFailed(message)
