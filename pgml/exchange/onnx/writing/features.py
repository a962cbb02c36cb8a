"""The encoder as operators: from one input a column to the matrix that the stored graph takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from pgml.columns import Column
from pgml.errors import NotBuilt
from pgml.exchange.onnx.writing import categories, inputs, numbers
from pgml.exchange.onnx.writing.inputs import Given
from pgml.exchange.onnx.writing.numbers import Block
from pgml.exchange.onnx.writing.sheet import Sheet
from pgml.preprocessing import Encoder, Encoding, Keyed, NumberEncoding, OrdinalEncoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.numbers import Filled
from pgml.preprocessing.texts import WordEncoding


@dataclass
class Features:
    """The encoder under construction.

    Attributes
    ----------
    sheet : Sheet
    blocks : list of Block
        Columns of the matrix that are there, in any order.
    refused : list of str
        Whether a row holds what predict refuses, bool of shape (rows, 1) each.
    """

    sheet: Sheet
    blocks: list[Block] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _straight: list[tuple[NumberEncoding, Given, range]] = field(default_factory=list)

    def add(self, encoding: Encoding, start: int) -> None:
        """Write one encoding, whose first column of the matrix is `start`."""
        given = inputs.given(self.sheet, encoding.column)
        own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        if isinstance(own, Keyed):
            self._keyed(encoding, own, given, start)
            return
        assert isinstance(own, Filled)
        if own.missing == "refuse":
            self.refused.append(self._any(given.missing, own.column))
        self._number(own, given, start)
        if own is not encoding:
            marks = self.sheet.apply("Cast", given.missing, to=TensorProto.DOUBLE)
            self.blocks.append(Block(marks, range(start + own.width, start + encoding.width)))

    def _keyed(self, encoding: Encoding, keyed: Keyed, given: Given, start: int) -> None:
        sheet, known = self.sheet, len(keyed.categories)
        places = categories.placed(keyed, given)
        table = sheet.constant(categories.table(encoding, keyed))
        block = sheet.apply("Gather", table, places, axis=0)
        self.blocks.append(Block(block, range(start, start + encoding.width)))
        if keyed.missing == "refuse":
            # Of the places behind those known the first is of others, the second of missing values.
            first = known if isinstance(keyed, OrdinalEncoding) else known + 1
            refused = sheet.apply("GreaterOrEqual", places, sheet.integers(first))
            self.refused.append(sheet.apply("Unsqueeze", refused, sheet.integers([1])))

    def _number(self, own: Filled, given: Given, start: int) -> None:
        if isinstance(own, NumberEncoding):
            self._straight.append((own, given, range(start, start + own.width)))
            return
        found = numbers.KINDS[own.kind](own, numbers.filled(own, given), self.sheet)
        self.blocks += [Block(each.name, [start + place for place in each.places]) for each in found]

    def _any(self, missing: str, column: Column) -> str:
        if column.width == 1:
            return missing
        counted = self.sheet.apply("Cast", missing, to=TensorProto.DOUBLE)
        most = self.sheet.apply("ReduceMax", counted, self.sheet.integers([1]), keepdims=1)
        return self.sheet.apply("Greater", most, self.sheet.constant(0.0))

    def matrix(self, dtype: str) -> str:
        """Return all columns in their order, float32 or float64."""
        if self._straight:
            encodings, givens, places = zip(*self._straight, strict=True)
            order = [place for each in places for place in each]
            self.blocks.append(Block(numbers.straight(self.sheet, encodings, givens), order))
            self._straight.clear()
        found = self.sheet.side_by_side([block.name for block in self.blocks])
        order = [place for block in self.blocks for place in block.places]
        if order != sorted(order):
            found = self.sheet.columns(found, np.argsort(order))
        return found if dtype == "float64" else inputs.single(self.sheet, found)


def encoded(sheet: Sheet, encoder: Encoder) -> tuple[str, str | None]:
    """Write an encoder.

    Returns
    -------
    matrix : str
        Of shape (rows, width), in the encoder's type.
    refused : str or None
        Bool of shape (rows, 1): rows that predict refuses, as a value is missing or in no ordinal list.

    Raises
    ------
    NotBuilt
        A text becomes words or hashes.
    """
    _check(encoder.encodings)
    features, start = Features(sheet), 0
    for encoding in encoder.encodings:
        features.add(encoding, start)
        start += encoding.width
    matrix = features.matrix(encoder.dtype)
    refused = features.refused[:1]
    for each in features.refused[1:]:
        refused = [sheet.apply("Or", *refused, each)]
    return matrix, refused[0] if refused else None


def _check(encodings: Sequence[Encoding]) -> None:
    for encoding in encodings:
        own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        if isinstance(own, WordEncoding):
            raise NotBuilt(
                f'feature "{own.column.name}" is encoded by "{own.kind}", which an ONNX file cannot hold',
                hint='Train with another encoding of it, such as "target" or "one_hot", or leave it out.',
            )
