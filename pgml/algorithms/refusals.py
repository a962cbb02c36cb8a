"""What the library would do and a stored model cannot."""

from collections.abc import Collection, Mapping
from typing import Any

from pgml.errors import NotBuilt

PRECOMPUTED = frozenset({"precomputed", "precomputed_nearest_neighbors"})
"""Values of ``affinity``, ``metric`` and ``kernel`` that want distances of rows instead of rows."""


def refuse_precomputed(hyperparams: Mapping[str, Any], name: str) -> None:
    """Raise NotBuilt if distances are to be given instead of rows."""
    refuse(hyperparams, name, PRECOMPUTED, "It wants distances or similarities of rows, a view gives rows.")


def refuse(hyperparams: Mapping[str, Any], name: str, values: Collection[Any], why: str) -> None:
    """Raise NotBuilt if a hyperparameter has one of some values.

    Parameters
    ----------
    why : str
        A full sentence, which ends up before the advice to choose another.
    """
    value = hyperparams.get(name)
    if isinstance(value, (str, int, float)) and value in values:
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        raise NotBuilt(f"{name} {shown} is not supported", hint=f"{why} Choose another {name}.")
