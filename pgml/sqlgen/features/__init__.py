"""The features of a model as expressions: what its encoder makes of a row of the relation."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pgml.errors import NotBuilt
from pgml.preprocessing import Encoder, Encoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, indicator
from pgml.sqlgen.features import categories, curves, numbers, texts
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading, Tensor

ENCODINGS: Mapping[str, Callable[[Any, Reading], list[Expr]]] = {
    **numbers.ENCODINGS,
    **curves.ENCODINGS,
    **categories.ENCODINGS,
    **texts.ENCODINGS,
}
"""By `Encoding.kind`: from an encoding to the columns it writes."""


def encoded(encoder: Encoder, reading: Reading) -> Tensor:
    """Return the row of the matrix, of shape (1, width).

    Raises
    ------
    NotBuilt
        An encoding has no translation.
    """
    columns: list[Expr] = []
    for encoding in encoder.encodings:
        found = written(encoding, reading)
        for expr, label in zip(found, encoding.names(), strict=True):
            reading.name(np.array([expr], dtype=object), label)
        columns += found
    values = np.empty((1, len(columns)), dtype=object)
    values[0, :] = columns
    return Tensor(values, single=encoder.dtype == "float32")


def written(encoding: Encoding, reading: Reading) -> list[Expr]:
    """Return the columns of one encoding, `Encoding.width` of them (NotBuilt)."""
    if isinstance(encoding, MarkedEncoding):
        marks = [indicator(arithmetic.missing(each)) for each in of_column(encoding.column)]
        return [*written(encoding.of, reading), *marks]
    if encoding.kind not in ENCODINGS:
        raise NotBuilt(
            f'encoding "{encoding.kind}" of feature "{encoding.column.name}" cannot be written as SQL',
            hint="Train the model with another encoding of it in preprocess, such as one_hot.",
        )
    return ENCODINGS[encoding.kind](encoding, reading)
