"""What one model is better by than another: a metric of the registry's, or a cost of the user's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["labels", "scores", "probabilities", "values", "clusters", "errors"]
"""What a model puts out: class codes, any ranking score a class, probabilities, numbers, cluster codes, or
how far a row is from what is made of it."""

LESSER: Mapping[Kind, tuple[Kind, ...]] = {"probabilities": ("scores", "labels"), "scores": ("labels",)}
"""What else outputs of a kind are."""

Formula = Callable[[npt.NDArray[Any], npt.NDArray[Any], Kind, Sequence[Any]], npt.NDArray[np.float64]]
"""Of the truth, shape (rows,), the outputs of several models on these rows, (models, rows) or (models, rows,
classes), their kind, and the labels of classes in code order: a number for each model, (models,)."""


def is_cost(name: str) -> bool:
    """Return whether a name is that of a function in SQL, with the types of its arguments."""
    return name.endswith(")") and "(" in name


@dataclass(frozen=True)
class Metric:
    """What models compare by.

    Attributes
    ----------
    name : str
    tasks : tuple of str
    greater_is_better : bool
    needs : Kind
        The least it is computed from: probabilities are also scores, and the greatest score is the label's.
    formula : Formula or None
        Of a metric that is none of the registry's.
    """

    name: str
    tasks: tuple[str, ...]
    greater_is_better: bool
    needs: Kind
    formula: Formula | None = field(default=None, compare=False, repr=False)

    def takes(self, kind: Kind) -> bool:
        """Return whether outputs of a kind are enough."""
        return kind == self.needs or self.needs in LESSER.get(kind, ())
