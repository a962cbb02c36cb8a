"""How each database spells an expression."""

from collections.abc import Mapping

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.dialects.duckdb import DuckDb
from pgml.sqlgen.dialects.mysql import MySql
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.dialects.sqlite import Sqlite

DIALECTS: Mapping[str, Dialect] = {
    "postgres": Postgres(),
    "sqlite": Sqlite(),
    "duckdb": DuckDb(),
    "mysql": MySql(),
}
"""By the name that ``pgml.to_sql`` takes."""
