"""All features of a model at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.preprocessing.base import Encoding, Matrix
from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.categories import CategoryEncoding, CodeEncoding, OrdinalEncoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.means import TargetEncoding
from pgml.preprocessing.numbers import NumberEncoding, PowerEncoding, QuantileEncoding
from pgml.preprocessing.texts import HashEncoding, TfidfEncoding
from pgml.preprocessing.times import CyclicEncoding


@dataclass(frozen=True)
class Encoder:
    """The encodings of all features, in the order the model takes them.

    Attributes
    ----------
    encodings : sequence of encodings
    dtype : str
        ``float32`` or ``float64``: of the matrix.
    """

    encodings: Sequence[Encoding]
    dtype: str

    @property
    def columns(self) -> list[Column]:
        return [encoding.column for encoding in self.encodings]

    @property
    def width(self) -> int:
        return sum(encoding.width for encoding in self.encodings)

    @property
    def matrix_columns(self) -> list[tuple[str, str]]:
        """The feature and a label of each column of the matrix."""
        return [(each.column.name, label) for each in self.encodings for label in each.names()]

    def encode(self, dataset: Dataset) -> Matrix:
        """Return the matrix of shape (rows, width), in `dtype`.

        The dataset may hold other columns too, in any order.

        Raises
        ------
        InvalidValue
            A value is missing where the plan calls that an error.
        """
        matrix: Matrix = np.zeros((len(dataset), self.width), dtype=self.dtype)
        start = 0
        # What a scale makes infinite ends at the range of the matrix.
        with np.errstate(over="ignore"):
            for encoding in self.encodings:
                end = start + encoding.width
                encoding.write(dataset, matrix[:, start:end])
                start = end
        return matrix

    def as_json(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "encodings": [encoding.as_json() for encoding in self.encodings]}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Encoder":
        return cls([_encoding(each) for each in form["encodings"]], form["dtype"])


def _encoding(form: Mapping[str, Any]) -> Encoding:
    return KINDS[form["kind"]](form)


def _marked(form: Mapping[str, Any]) -> Encoding:
    return MarkedEncoding.around(_encoding(form["of"]))


CLASSES: Mapping[str, type[Encoding]] = {
    known.kind: known
    for known in (
        NumberEncoding,
        PowerEncoding,
        QuantileEncoding,
        BinEncoding,
        CyclicEncoding,
        CategoryEncoding,
        OrdinalEncoding,
        CodeEncoding,
        TargetEncoding,
        TfidfEncoding,
        HashEncoding,
        MarkedEncoding,
    )
}
KINDS: Mapping[str, Callable[[Mapping[str, Any]], Encoding]] = {
    **{kind: known.from_json for kind, known in CLASSES.items()},
    MarkedEncoding.kind: _marked,
}
