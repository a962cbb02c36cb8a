"""Rows of a chunk: their matrix is bounded, however many numbers a row is encoded to."""

import pytest

from pgml.columns import Column
from pgml.preprocessing import Encoder
from pgml.preprocessing.texts import HashEncoding
from pgml.usecases import batch


@pytest.mark.parametrize("features", [1, 1000, 1 << 20, 1 << 30])
def test_a_chunk_of_a_wide_encoding_has_fewer_rows(features: int) -> None:
    words = HashEncoding(Column("w", "text"), missing="fill", nulls=False, fill="", features=features)
    rows = batch._most_rows(Encoder([words], "float64"))
    assert rows == 1 or rows * 8 * features <= batch.MATRIX_BYTES
    assert rows >= 1
