"""The inputs: one a feature column, as a caller has its values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from onnx import TensorProto

from pgml.columns import Column
from pgml.exchange.onnx.writing.sheet import Sheet

MOST_SINGLE = np.finfo(np.float32).max


@dataclass(frozen=True)
class Given:
    """What is given for a column.

    Attributes
    ----------
    sheet : Sheet
    column : Column
    name : str
        The input: texts of shape (rows, 1), else float64 of shape (rows, width), as its column holds them.
    """

    sheet: Sheet
    column: Column
    name: str

    @cached_property
    def missing(self) -> str:
        """Which numbers are missing, of the input's shape."""
        return self.sheet.apply("IsNaN", self.name)


def given(sheet: Sheet, column: Column) -> Given:
    """Add a column's input."""
    if column.is_category:
        return Given(sheet, column, sheet.input(TensorProto.STRING, 1))
    name = sheet.input(TensorProto.DOUBLE, column.width)
    return Given(sheet, column, as_real(sheet, name) if column.type.startswith("real") else name)


def as_real(sheet: Sheet, name: str) -> str:
    """Return float64 numbers rounded as a column of type real holds them."""
    return sheet.apply("Cast", single(sheet, name), to=TensorProto.DOUBLE)


def single(sheet: Sheet, name: str) -> str:
    """Return float64 numbers as float32, those beyond its range at its ends.

    The bounds are taken after the cast: ONNX Runtime drops two casts that follow each other, and with
    them the rounding.
    """
    cast = sheet.apply("Cast", name, to=TensorProto.FLOAT)
    ends = [sheet.array(np.array(end, dtype=np.float32)) for end in (-MOST_SINGLE, MOST_SINGLE)]
    return sheet.apply("Clip", cast, *ends)
