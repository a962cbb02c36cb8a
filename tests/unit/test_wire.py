import gc
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.wire import DatasetWriter, Inbox, Memory, SharedDataset, dataset_layout, head, open_dataset, share

COLUMNS = [Column("a", "integer"), Column("t", "text"), Column("v", "real[]", 2), Column("u", "uuid")]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def written(chunks: Sequence[tuple[ArrayLike, ArrayLike]], texts: list[list[str]]) -> SharedDataset:
    writer = DatasetWriter(COLUMNS)
    for numbers, codes in chunks:
        writer.append(np.array(numbers, float), np.array(codes, np.int32))
    return writer.finish(texts)


def test_a_frame_survives_every_cut() -> None:
    frames = head({"a": 1}, 3) + b"xyz" + head({"b": [None, "é\ud800"]}) + head({}, 1) + b"\0"
    for size in (1, 2, 7, 1000):
        inbox, got, rest = Inbox(), [], frames
        while rest:
            piece = rest[: min(size, inbox.need)]
            rest = rest[len(piece) :]
            if message := inbox.feed(piece):
                got.append(message)
        assert got == [({"a": 1}, b"xyz"), ({"b": [None, "é\ud800"]}, b""), ({}, b"\0")]


def test_a_header_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        head({"a": b"bytes"})


def test_rows_arrive_as_they_were_appended() -> None:
    first = ([[1, 2, 3]], [[0, 0]])
    second = ([[4.0, np.nan, 6.0], [7.0, 8.0, 9.0]], [[1, -1], [-1, 0]])
    dataset = written([first, second], [["b", "a"], ["u"]])
    np.testing.assert_array_equal(dataset.numbers, [[1, 2, 3], [4, np.nan, 6], [7, 8, 9]])
    assert len(dataset) == 3
    assert dataset.numbers.flags.c_contiguous
    assert dataset.values("v").shape == (3, 2)
    assert dataset.codes.tolist() == [[1, 0], [0, -1], [-1, 0]]
    assert dataset.coded("t")[1] == ["a", "b"]


def test_the_order_of_the_scan_leaves_no_trace_in_the_codes() -> None:
    one = written([([[0, 0, 0]] * 3, [[0, 0], [1, 1], [2, 0]])], [["x", "é", "Z"], ["p", "q"]])
    other = written([([[0, 0, 0]] * 3, [[2, 1], [1, 0], [0, 1]])], [["Z", "é", "x"], ["q", "p"]])
    np.testing.assert_array_equal(one.codes, other.codes)
    assert one.categories == other.categories == [["Z", "x", "é"], ["p", "q"]]


def test_a_dataset_opens_from_its_memory_and_layout() -> None:
    dataset = written([([[1, 2, 3], [4, 5, 6]], [[0, 1], [1, -1]])], [["a", "b"], ["u", "w"]])
    opened = open_dataset(dataset.memory.fd, dataset_layout(dataset))
    np.testing.assert_array_equal(opened.numbers, dataset.numbers)
    np.testing.assert_array_equal(opened.codes, dataset.codes)
    assert opened.columns == COLUMNS
    assert opened.categories == dataset.categories


@pytest.mark.parametrize(
    ("columns", "wide", "coded"),
    [([Column("t", "text")], 0, 1), ([Column("a", "real")], 1, 0), (COLUMNS, 3, 2)],
)
@pytest.mark.parametrize("rows", [0, 3])
def test_missing_shapes_cross_too(columns: list[Column], wide: int, coded: int, rows: int) -> None:
    writer = DatasetWriter(columns)
    writer.append(np.ones((rows, wide)), np.zeros((rows, coded), np.int32))
    dataset = writer.finish([["x"]] * coded)
    opened = open_dataset(dataset.memory.fd, dataset_layout(dataset))
    assert opened.numbers.shape == (rows, wide)
    assert opened.codes.shape == (rows, coded)
    assert len(opened) == rows


def test_rows_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="not rows of 3 and 2 columns"):
        DatasetWriter(COLUMNS).append(np.ones((2, 3)), np.zeros((1, 2), np.int32))


def test_sealed_memory_can_neither_be_written_nor_resized() -> None:
    dataset = share(Dataset([Column("a", "real")], np.ones((2, 1)), np.empty((2, 0), np.int32), []))
    for change in (lambda fd: os.pwrite(fd, b"x", 0), lambda fd: os.ftruncate(fd, 1)):
        with pytest.raises(PermissionError):
            change(dataset.memory.fd)
    assert not dataset.numbers.flags.writeable


def test_sharing_copies_once() -> None:
    codes = np.array([[0], [1], [0], [-1]], np.int32)
    plain = Dataset(COLUMNS[:2], np.arange(4.0).reshape(4, 1), codes, [["a", "b"]])
    shared = share(plain.take(np.array([3, 1])))
    np.testing.assert_array_equal(shared.numbers, [[3], [1]])
    assert shared.codes.tolist() == [[-1], [1]]
    assert share(shared) is shared


def test_an_array_in_another_order_is_written_row_by_row() -> None:
    memory = Memory()
    memory.write(np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])[:, ::-1])
    assert memory.size == 32
    assert np.frombuffer(os.pread(memory.fd, 32, 0)).tolist() == [2, 1, 4, 3]


def test_memory_and_mappings_are_given_back() -> None:
    before = descriptors()
    datasets = [written([([[1, 2, 3]], [[0, 0]])], [["a"], ["b"]]) for _ in range(5)]
    opened = [open_dataset(one.memory.fd, dataset_layout(one)) for one in datasets]
    numbers = opened[0].numbers
    del datasets, opened
    gc.collect()
    assert numbers.tolist() == [[1, 2, 3]]
    del numbers
    assert descriptors() == before
