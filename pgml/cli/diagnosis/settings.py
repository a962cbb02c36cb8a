"""Settings that are worth knowing of."""

from collections.abc import Iterator

from pgml.cli.diagnosis.finding import Finding
from pgml.database.port import DatabaseError
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotPermitted

TIMEOUTS = ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout")


def findings(client: Client, there: str | None) -> Iterator[Finding]:
    """Yield what bounds a training, and what makes predictions slow."""
    for name in TIMEOUTS:
        (row,) = client.query("select pg_catalog.current_setting($1::text, true) as value", name)
        if row["value"] not in (None, "0"):
            yield Finding(
                "warning",
                "timeout",
                f"{name} is {row['value']}, which ends a training that takes longer",
                fix=(f"alter role current_user set {name} = 0;",),
            )
    if there == "extension":
        yield from _memory(client)
    (row,) = client.query("select pg_catalog.current_setting('jit') as value")
    if row["value"] == "on":
        yield Finding(
            "ok",
            "jit",
            "jit is on, which slows queries of views that hold a model as SQL",
            fix=("set jit = off;    -- before such a query",),
        )


def _memory(client: Client) -> Iterator[Finding]:
    try:
        rows = client.query("select value from pgml.settings where name = 'child_memory_bytes'")
    except DatabaseError as error:
        if error.sqlstate != NotPermitted.sqlstate:
            raise
        return
    bound = rows[0]["value"] if rows else 0
    if bound:
        yield Finding("ok", "memory", f"a training may take {bound >> 20:,} MB of memory")
    else:
        yield Finding(
            "ok",
            "memory",
            "a training may take all memory (of /dev/shm it takes none)",
            fix=("insert into pgml.settings values ('child_memory_bytes', 4e9);",),
        )
