"""Columns that say where a value was missing, beside those of another encoding."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.dataset import Dataset
from pgml.preprocessing.base import Encoding, Matrix


@dataclass(frozen=True)
class MarkedEncoding(Encoding):
    """The columns of an encoding, and for each number of the feature one that is 1 where it was missing.

    Attributes
    ----------
    of : Encoding
        Of the same feature.
    """

    kind = "marked"

    of: Encoding

    @classmethod
    def around(cls, encoding: Encoding) -> "MarkedEncoding":
        return cls(encoding.column, encoding.missing, encoding.nulls, encoding)

    @property
    def width(self) -> int:
        return self.of.width + self.column.width

    @property
    def filled(self) -> Any:
        return self.of.filled

    def names(self) -> list[str]:
        return [*self.of.names(), *(f"{name} is null" for name in self.column.feature_names)]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        self.of.write(dataset, part[:, : self.of.width])
        name = self.column.name
        if self.column.is_category:
            part[:, self.of.width] = dataset.missing(name)
        else:
            part[:, self.of.width :] = np.isnan(dataset.values(name))

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "of": self.of.as_json()}
