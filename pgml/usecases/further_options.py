"""The options of train that only some trainings have: each is told here, before any row is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgml.errors import InvalidValue, NotBuilt
from pgml.spec import AUTO

ALGORITHM = "neural_network"
"""What starts from a model."""


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
        Seconds.
    """

    cost: str | None = None
    threshold: str | None = None
    base_model: int | None = None
    freeze: int | None = None
    time_limit: float | None = None


BUILT = ("cost", "threshold", "base_model", "freeze")


def checked(given: Mapping[str, Any]) -> Further:
    """Return the options of a call, of which a verb may have none.

    Raises
    ------
    PgmlError
    """
    found = Further(**{name: given.get(name) for name in Further.__dataclass_fields__})
    for name in Further.__dataclass_fields__:
        if name not in BUILT and getattr(found, name) is not None:
            raise NotBuilt(f"{name} is not built yet", hint=f"Leave {name} out.")
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
    return ALGORITHM if name is None and given.get("base_model") is not None else name
