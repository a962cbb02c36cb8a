"""Scores that are hard to make probabilities of, and tables that are, in SQLite."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.sql_databases import SqliteDatabase
from tests.unit import logits
from tests.unit.logits import GRAPHS, LOGITS


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    yield made
    made.close()


@pytest.mark.parametrize("name", GRAPHS)
def test_large_equal_and_nearly_equal_scores_are_decided_as_in_the_model(
    database: SqliteDatabase, name: str
) -> None:
    logits.check(name, database, LOGITS)


@pytest.mark.parametrize("name", GRAPHS)
def test_missing_scores_are_taken_as_in_the_model(database: SqliteDatabase, name: str) -> None:
    logits.check(name, database, [(np.nan, 1.0, 2.0), (1.0, np.nan, np.nan), (np.nan, np.nan, np.nan)])


@pytest.mark.parametrize("name", GRAPHS)
def test_rows_that_share_a_key_do_not_share_their_answers(database: SqliteDatabase, name: str) -> None:
    logits.check_keys(name, database)


@pytest.mark.parametrize("name", GRAPHS)
def test_equal_rows_get_equal_answers(database: SqliteDatabase, name: str) -> None:
    logits.check(name, database, [each for each in LOGITS for _ in range(3)])


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_table_may_have_no_row_or_one(database: SqliteDatabase, name: str, count: int) -> None:
    logits.check(name, database, LOGITS[:count])


def test_probabilities_sum_to_1(database: SqliteDatabase) -> None:
    for name in ("softmax", "sigmoid", "one_vs_rest"):
        database.load(logits.rows(LOGITS))
        found = database.answers(logits.statement(name, "sqlite"))
        shares = np.array([found[each] for each in found if each.startswith("probability_")], dtype=float)
        shares = shares[:, np.isfinite(shares).all(axis=0)]
        assert shares.shape[1] > 15
        np.testing.assert_allclose(shares.sum(axis=0), 1, rtol=1e-12)
