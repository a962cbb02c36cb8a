"""The options of train that only some trainings have: each is told here, before any row is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgml.errors import InvalidValue
from pgml.spec import AUTO

NETWORK = "neural_network"
"""What starts from a model, and whose fit can be ended with what it has come to."""
LONGEST = 1e9


@dataclass(frozen=True)
class Further:
    """What a training is asked for beside what all have; None is what nobody asked for.

    Attributes
    ----------
    cost : str or None
        A function of the user's that tells what predictions cost.
    threshold : str or None
        From which probability on the second of two classes is predicted: a number, or ``auto``.
    base_model : int or None
        The model whose weights the fit starts from.
    freeze : int or None
        How many of its first layers keep them.
    time_limit : float or None
        Seconds: of the call for an automatic training, else of a search or of the fit of a network.
    """

    cost: str | None = None
    threshold: str | None = None
    base_model: int | None = None
    freeze: int | None = None
    time_limit: float | None = None


def checked(given: Mapping[str, Any], algorithm: str | None = None, *, automatic: bool = False) -> Further:
    """Return the options of a call, of which a verb may have none.

    Parameters
    ----------
    given : mapping
    algorithm : str or None
    automatic : bool
        It is to be found.

    Raises
    ------
    PgmlError
    """
    found = Further(**{name: given.get(name) for name in Further.__dataclass_fields__})
    if found.time_limit is not None and not automatic:
        _check_time_limit(given, found.time_limit, algorithm)
    if found.freeze is not None:
        if found.base_model is None:
            raise InvalidValue(
                "freeze is given without base_model",
                hint="Say which model the layers are of, as base_model, or leave freeze out.",
            )
        if found.freeze < 0:
            raise InvalidValue(
                f"freeze must be 0 at least, not {found.freeze}",
                hint="It is how many hidden layers keep their weights, counted from the features.",
            )
    if found.base_model is not None and found.threshold == AUTO:
        raise InvalidValue(
            "threshold 'auto' cannot be chosen for a fit that starts from a model",
            detail="It is chosen on rows that a fit has not seen, and the model may have seen them.",
            hint="Give a number as threshold, or leave base_model out.",
        )
    return found


def algorithm(given: Mapping[str, Any], name: str | None) -> str | None:
    """Return the algorithm of a training: that of the model it starts from, where none is named."""
    return NETWORK if name is None and given.get("base_model") is not None else name


def _check_time_limit(given: Mapping[str, Any], limit: float, algorithm: str | None) -> None:
    if not isinstance(limit, (int, float)) or not 0 < limit < LONGEST:
        raise InvalidValue(
            "time_limit must be above 0 and below 30 years", hint="Write time_limit => interval '60 s'."
        )
    if given["search"] is not None:
        args = given["search_args"]
        if isinstance(args, dict) and args.get("time_limit") is not None:
            raise InvalidValue(
                "time_limit is given twice, by itself and in search_args", hint="Leave one of them out."
            )
    elif algorithm != NETWORK:
        raise InvalidValue(
            "time_limit is given, and a single fit takes the time it takes",
            hint=f"It holds with algorithm => 'auto', with search, and for {NETWORK}. "
            "For any statement set statement_timeout.",
        )
