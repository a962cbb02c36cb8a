"""The options of train that only some trainings have: each is told here, before any row is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgml.errors import NotBuilt


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


BUILT = ("cost", "threshold")


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
    return found
