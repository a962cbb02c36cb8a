"""Models that are no graph: arrays as bytes and back, and nothing else."""

import json
import pickle
import struct
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml import native
from pgml.errors import Corrupted
from pgml.native import NonNegative, TrainingRows

ROWS = datasets.load_iris().data
KNOWN = TrainingRows.of(ROWS, np.arange(len(ROWS)) % 5 - 1)


def changed(data: bytes, **changes: Any) -> bytes:
    """Return a stored form with other entries of its header."""
    (length,) = struct.unpack_from("<I", data)
    header = json.dumps(json.loads(data[4 : 4 + length]) | changes).encode()
    return struct.pack("<I", len(header)) + header + data[4 + length :]


def test_labels_come_back_for_float32_and_float64() -> None:
    singles = ROWS.astype(np.float32)
    for rows in (ROWS, singles):
        known = TrainingRows.of(rows, np.arange(len(rows)))
        loaded = native.load(known.pack())
        assert np.array_equal(loaded.run(rows), known.run(rows))
        assert loaded.run(rows).shape == (len(rows), 1)
        assert loaded.run(rows).dtype == np.float64
    assert np.isnan(TrainingRows.of(ROWS, np.zeros(len(ROWS))).run(singles)).any()


def test_the_order_of_numbers_in_a_row_counts() -> None:
    known = TrainingRows.of(np.array([[1.0, 2.0]]), np.array([3]))
    assert known.run(np.array([[1.0, 2.0]])).tolist() == [[3.0]]
    assert np.isnan(known.run(np.array([[2.0, 1.0]]))).all()
    assert np.isnan(known.run(np.array([[1.0, 2.0, 0.0]]))).all()


def test_a_million_hashes_are_distinct() -> None:
    grid = np.stack(np.meshgrid(np.arange(1000.0), np.arange(1000.0)), axis=-1).reshape(-1, 2)
    assert np.unique(native.row_hashes(grid)).size == len(grid)


def test_the_order_of_training_rows_does_not_show() -> None:
    labels = np.arange(len(ROWS)) % 5 - 1
    order = np.random.default_rng(0).permutation(len(ROWS))
    assert TrainingRows.of(ROWS[order], labels[order]).pack() == KNOWN.pack()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff\xff\xff\xff",
        KNOWN.pack()[:-1],
        KNOWN.pack() + b"\0",
        changed(KNOWN.pack(), kind="os.system"),
        changed(KNOWN.pack(), arrays=[]),
        changed(KNOWN.pack(), arrays=[{"name": "hashes", "type": "O", "shape": [1]}]),
        changed(KNOWN.pack(), arrays=[{"name": "hashes", "type": "u8", "shape": [-1]}]),
        changed(KNOWN.pack(), arrays=[{"name": "hashes", "type": "u8", "shape": [1 << 70]}]),
        changed(KNOWN.pack(), arrays=7),
        changed(KNOWN.pack(), numbers=[]),
        native.pack("training rows", {}, {"hashes": KNOWN.hashes[::-1], "labels": KNOWN.labels}),
        native.pack("training rows", {}, {"hashes": KNOWN.hashes, "labels": KNOWN.labels[1:]}),
        native.pack("training rows", {}, {"hashes": KNOWN.hashes, "labels": KNOWN.labels - 9}),
        native.pack("training rows", {}, {"hashes": KNOWN.labels, "labels": KNOWN.labels}),
        native.pack("training rows", {}, {"hashes": KNOWN.hashes[:0], "labels": KNOWN.labels[:0]}),
        native.pack("nmf", {"l1": 0, "l2": 0}, {"parts": np.array([[np.nan]])}),
        native.pack("nmf", {"l1": 0, "l2": 0}, {"parts": np.array([[-1.0]])}),
        native.pack("nmf", {"l1": -1, "l2": 0}, {"parts": np.array([[1.0]])}),
        native.pack("nmf", {"l1": 0}, {"parts": np.array([[1.0]])}),
        native.pack("nmf", {"l1": 0, "l2": 0}, {"parts": np.array([1.0])}),
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 100_000) + b"[" * 100_000,
        pickle.dumps(KNOWN),
    ],
)
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(Corrupted, match=r"^model bytes are damaged$"):
        native.load(damaged)


def test_weights_of_parts_are_least_squares_of_each_row_alone() -> None:
    from scipy.optimize import nnls

    random = np.random.default_rng(0)
    parts = random.random((4, 9)) * (random.random((4, 9)) < 0.6)
    rows = np.vstack([random.random((50, 9)), random.random((50, 4)) @ parts, np.zeros((1, 9))])
    found = native.load(NonNegative(parts, 0.0, 0.0).pack()).run(rows)
    assert np.allclose(found, [nnls(parts.T, row)[0] for row in rows], atol=1e-9)
    alone = np.vstack([NonNegative(parts, 0.0, 0.0).run(row[np.newaxis]) for row in rows])
    assert np.allclose(found, alone, rtol=1e-12, atol=1e-14)


def test_penalties_shrink_weights() -> None:
    parts, rows = np.eye(2), np.array([[3.0, 0.5]])
    assert NonNegative(parts, 1.0, 0.0).run(rows).tolist() == [[2.0, 0.0]]
    assert NonNegative(parts, 0.0, 1.0).run(rows).tolist() == [[1.5, 0.25]]


def test_parts_without_numbers_get_no_weight() -> None:
    assert NonNegative(np.array([[0.0, 0.0], [1.0, 1.0]]), 0.0, 0.0).run(np.ones((1, 2))).tolist() == [[0, 1]]
