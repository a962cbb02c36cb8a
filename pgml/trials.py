"""Rows of pgml.trials, what searches have tried: the part of `pgml.store` that knows this table.

Every function runs with the rights of the extension's owner (`Database.as_owner`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pgml.database.port import Database


def add(database: Database, model_id: int, trials: Sequence[Mapping[str, Any]]) -> None:
    """Store the trials of the search that a model came from, of which there may be none.

    Parameters
    ----------
    trials : sequence of mapping
        As `pgml.search.selection.Found` has them, or `pgml.automatic.board.Board.rows`.
    """
    if not trials:
        return
    database.query(
        "insert into pgml.trials"
        " (model_id, trial, parameters, scores, score, deviation, train_rows, seconds, error, best,"
        " iteration, particle, train_score, cost, kept, algorithm)"
        " select $1::bigint, t.* from pg_catalog.jsonb_to_recordset($2::jsonb) as t"
        " (trial int, parameters jsonb, scores float8[], score float8, deviation float8, train_rows bigint,"
        " seconds float8, error text, best boolean,"
        " iteration int, particle int, train_score float8, cost float8, kept boolean, algorithm text)",
        model_id,
        json.dumps(list(trials)),
    )
