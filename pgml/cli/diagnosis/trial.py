"""A tiny model from end to end, in a transaction that is rolled back."""

from time import monotonic

from pgml.cli.connection import Notices, server_of
from pgml.cli.diagnosis.finding import Finding
from pgml.cli.installation import Server
from pgml.database.psycopg_adapter import Client
from pgml.errors import PgmlError

PROJECT = "pgml doctor"
ROWS = """
    create temporary table pgml_doctor on commit drop as
    select n as x, 2.0 * n + 1 as y from generate_series(1, 200) n
"""


def finding(client: Client, notices: Notices, found: Server, there: str) -> Finding:
    """Return whether a model can be trained and asked here.

    Raises
    ------
    DatabaseError
        The connection is lost, or the session is to end.
    """
    if found.is_standby:
        return Finding("ok", "trial", "no trial on a standby")
    started = monotonic()
    try:
        with client.transaction(rolled_back=True):
            answer = _answer(client, notices, there)
    except PgmlError as error:
        if error.sqlstate.startswith(("08", "57")):
            raise
        hint = (error.hint,) if error.hint else ()
        return Finding("error", "trial", f"a trial failed: {error.message}", error.detail, hint)
    seconds = monotonic() - started
    if abs(answer - 21) > 0.1:
        return Finding("error", "trial", f"a trial predicted {answer:g} where 21 is right")
    where = "trained on the server" if there == "extension" else "trained here and asked as SQL"
    return Finding("ok", "trial", f"a tiny model, {where}: {seconds:.1f} s, rolled back")


def _answer(client: Client, notices: Notices, there: str) -> float:
    client.query(ROWS)
    given = {
        "project_name": PROJECT,
        "relation_name": "pg_temp.pgml_doctor",
        "y_column_name": "y",
        "algorithm": "linear",
    }
    server = server_of(client, notices)
    server.train(given, None if there == "extension" else "pg_temp.pgml_doctor_predict")
    asked = "pgml.predict($1::text, '{\"x\": 10}'::jsonb)" if there == "extension" else None
    if asked is not None:
        (row,) = client.query(f"select {asked} as answer", PROJECT)
    else:
        (row,) = client.query("select pg_temp.pgml_doctor_predict(10) as answer")
    return float(row["answer"])
