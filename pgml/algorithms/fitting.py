"""Fitting an estimator quietly: its warnings become notes, its refusals become our errors."""

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pgml.algorithms.base import Fitted, Matrix
from pgml.errors import InvalidValue, PgmlError, TrainingFailed

_FEWER = r"""Train on more rows, or say hyperparams => '{{"{0}": 2}}', or another small number."""
MOST_NOTES = 5
_WIDTH = 200
_HINT = "See pgml.algorithms() for the hyperparameters, their types and defaults."
CONSTANT = "every feature has one value only in the training rows"
UNSOLVED = "the fit found no solution"
_VARY = "Add columns that tell the rows apart."
_OF_DATA = (
    (r"training rows? (?:are|is) (?:fewer than|not more than) (n_\w+|min_samples)", _FEWER),
    (r"training rows? (?:are|is) |^the training rows are not more", "Train on more rows."),
    (r"^\d+ feature is fewer than", "Add columns to the view."),
    (re.escape(CONSTANT), _VARY),
    (UNSOLVED, "Bring target and features to smaller numbers in the view, or train another algorithm."),
    (r"^the covariance matrix of ", "Leave out columns that do not vary, or that follow from others."),
)
"""What of our messages is due to the rows, and what to do about it."""
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
    (
        r"[Ff]ound array with (\d+) sample\(s\) .* while a minimum of (\d+) is required.*",
        r"\1 training rows are fewer than the \2 that it needs",
    ),
    (
        r"[Ff]ound array with (\d+) feature\(s\) .* while a minimum of (\d+) is required.*",
        r"\1 feature is fewer than the \2 that it needs",
    ),
    (
        r"min_samples \((\d+)\) must be at most the number of samples in X \((\d+)\)",
        r"\2 training rows are fewer than min_samples, \1",
    ),
    (
        r"min_samples must be no greater than the number of samples \((\d+)\)\. Got (\d+)",
        r"\1 training rows are fewer than min_samples, \2",
    ),
    (
        r"Expected n_neighbors < n_samples_fit, but n_neighbors = (\d+), n_samples_fit = (\d+).*",
        r"\2 training rows are not more than n_neighbors, \1",
    ),
    (
        r"The number of samples must be more than the number of classes",
        "the training rows are not more than the classes",
    ),
    (r"(is not full rank)\. .*", r"\1"),
    # What QuantileRegressor makes of a linear program without a solution.
    (r"^'NoneType' object is not subscriptable$", UNSOLVED),
    (r"All features are either constant or ignored.*", CONSTANT),
    (r"^1 training rows are", "1 training row is"),
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
            raise refusal(error, hyperparams, matrix) from error
        except (LookupError, ArithmeticError) as error:
            check_varies(matrix)
            raise error
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


def check_varies(matrix: Matrix) -> None:
    """Raise InvalidValue if all rows are equal, on which some algorithms fail in ways of their own."""
    if isinstance(matrix, np.ndarray) and (matrix == matrix[:1]).all():
        raise InvalidValue(CONSTANT, hint=_VARY)


def refusal(error: Exception, hyperparams: Mapping[str, Any], matrix: Matrix | None = None) -> PgmlError:
    """Return a library's refusal as ours.

    What is due to the rows is said so; else, without hyperparameters of the user's, it is no fault of theirs.
    """
    message = shortened(str(error))
    for pattern, hint in _OF_DATA:
        if found := re.search(pattern, message):
            return InvalidValue(message, hint=hint.format(*found.groups()))
    if matrix is not None:
        check_varies(matrix)
    return InvalidValue(message, hint=_HINT) if hyperparams else TrainingFailed(message)
