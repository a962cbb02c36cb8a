"""Rows as they are handed to a statement: the very doubles, NULL for NaN, and JSON that needs no database."""

import json

import numpy as np

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.sqlgen import recordset

COLUMNS = [
    Column("age", "integer"),
    Column("plan", "text"),
    Column("seen", "timestamp with time zone"),
    Column("marks", "real[]", 2),
    Column('pgml_row "x"', "enum"),
]


def dataset(numbers: list[list[float]], codes: list[list[int]]) -> Dataset:
    texts = [["free", 'it\'s "pro" \\ é\n'], ["sad"]]
    return Dataset(COLUMNS, np.array(numbers, dtype=np.float64), np.array(codes, dtype=np.int32), texts)


def test_numbers_are_sent_to_the_last_bit_and_nan_as_null() -> None:
    exact = [0.1 + 0.2, 2.0**53 - 1, -1.7976931348623157e308, np.nextafter(1, 2)]
    given = dataset([exact, [np.nan, 0.5, np.nan, 1.0]], [[1, 0], [MISSING, MISSING]])
    first, second = json.loads(recordset.sent(given))
    assert [first["age"], first["seen"], *first["marks"]] == exact
    assert (first["pgml_row"], first["plan"], first['pgml_row "x"']) == (0, given.categories[0][1], "sad")
    assert (second["age"], second["plan"], second["marks"], second["pgml_row"]) == (
        None,
        None,
        [None, 1.0],
        1,
    )


def test_numbers_that_no_statement_tells_from_0_are_0() -> None:
    (row,) = json.loads(recordset.sent(dataset([[5e-324, 1e-300, -1e-310, 0.0]], [[0, 0]])))
    assert (row["age"], row["seen"], row["marks"]) == (0.0, 1e-300, [0.0, 0.0])


def test_the_relation_has_the_types_of_what_is_sent() -> None:
    assert recordset.relation(dataset([[1.0, 1.0, 1.0, 1.0]], [[0, 0]])) == (
        'json_to_recordset($1::json) as rows (pgml_row int4, "age" double precision, "plan" text, '
        '"seen" double precision, "marks" double precision[], "pgml_row ""x""" text)'
    )
