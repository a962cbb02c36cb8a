"""Libraries that a server has only where somebody installed them: ``make install EXTRAS=...``."""

from importlib.util import find_spec
from typing import Any

from pgml.algorithms import estimators
from pgml.errors import NotBuilt

EXTRAS = ("catboost", "lightgbm", "optuna")


def imported(library: str, place: str) -> Any:
    """Return the class of ``module:class``.

    Raises
    ------
    NotBuilt
        The library is not installed, or cannot be loaded; the hint says what to type.
    """
    try:
        return estimators.imported(place)
    except (ImportError, OSError) as error:
        raise NotBuilt(
            f'algorithm "{library}" needs the package {library}, which is not installed',
            detail=str(error),
            hint=f"On the machine of the server, run: {command(library)}.",
        ) from None


def command(library: str) -> str:
    """Return what installs an extra.

    An installation holds what its last `make install` named, so those that are there are named too.
    """
    wanted = " ".join(name for name in EXTRAS if name == library or find_spec(name))
    return f'make install EXTRAS="{wanted}"'
