"""The same cases on a connection and inside a backend."""

from pathlib import Path

import pytest

from pgml.database.psycopg_adapter import Connection as Adapter
from tests.cluster import Connection
from tests.contract import cases

SOURCE = Path(cases.__file__).read_text()
RUN = """
create or replace function pg_temp.run_case(source text, name text) returns void language plpython3u as $$
    if "pgml" not in GD:
        plpy.execute("select pgml._bootstrap()")
    module = {"__name__": "cases"}
    exec(source, module)
    module[name](GD["pgml"]._backend)
$$
"""


@pytest.mark.parametrize("name", [case.__name__ for case in cases.CASES])
def test_in_a_backend(db: Connection, name: str) -> None:
    db.execute(RUN)
    db.execute("select pg_temp.run_case(%s, %s)", [SOURCE, name])


@pytest.mark.parametrize("name", [case.__name__ for case in cases.CASES])
def test_over_a_connection(db: Connection, name: str) -> None:
    db.execute("begin")
    getattr(cases, name)(Adapter(db))
    db.execute("commit")
