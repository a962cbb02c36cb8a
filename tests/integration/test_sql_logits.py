"""Scores that are hard to make probabilities of, and tables that are, in PostgreSQL."""

import numpy as np
import pytest

from tests.cluster import Connection
from tests.sql_databases import PostgresDatabase
from tests.unit import logits
from tests.unit.logits import GRAPHS, LOGITS


def test_hard_scores_and_tables_are_decided_as_in_the_model(db: Connection) -> None:
    database = PostgresDatabase(db)
    absent = [(np.nan, 1.0, 2.0), (1.0, np.nan, np.nan), (np.nan, np.nan, np.nan)]
    for name in GRAPHS:
        for given in (LOGITS, absent, [each for each in LOGITS for _ in range(3)], LOGITS[:1], []):
            logits.check(name, database, given)


@pytest.mark.parametrize("name", GRAPHS)
def test_rows_that_share_a_key_do_not_share_their_answers(db: Connection, name: str) -> None:
    logits.check_keys(name, PostgresDatabase(db))
