"""Numbers as ranges: one indicator a bin."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pgml.dataset import Dataset
from pgml.preprocessing.base import Floats, Matrix
from pgml.preprocessing.numbers import Filled


@dataclass(frozen=True)
class BinEncoding(Filled):
    """One indicator a bin: below the first edge, from each edge to the next, from the last one on.

    Attributes
    ----------
    edges : tuple of float
        Ascending; each belongs to the bin that it begins, as for ``width_bucket``.
    """

    kind = "bins"

    edges: tuple[float, ...]

    @property
    def width(self) -> int:
        return len(self.edges) + 1

    def names(self) -> list[str]:
        name = self.column.name
        if not self.edges:
            return [name]
        shown = [f"{edge:.12g}" for edge in self.edges]
        between = [f"{low}<={name}<{high}" for low, high in pairwise(shown)]
        return [f"{name}<{shown[0]}", *between, f"{name}>={shown[-1]}"]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        values = self.values(dataset)[:, 0]
        part[np.arange(len(values)), np.searchsorted(self.edges, values, side="right")] = 1
        part[np.isnan(values)] = np.nan


def quantile_edges(values: Floats, bins: int) -> tuple[float, ...]:
    """Return the inner edges of bins that hold about equally many values; equal edges are one."""
    if values.size == 0:
        return ()
    shares = np.linspace(0, 100, bins + 1)
    edges = np.percentile(values, shares, method="averaged_inverted_cdf")
    return tuple(np.unique(edges)[1:-1].tolist())
