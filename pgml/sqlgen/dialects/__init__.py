"""How each database spells an expression."""

from collections.abc import Mapping

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.dialects.duckdb import DuckDb
from pgml.sqlgen.dialects.experimental import Experimental
from pgml.sqlgen.dialects.mysql import MySql
from pgml.sqlgen.dialects.phrases import NAMES
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.dialects.sqlite import Sqlite

TESTED: Mapping[str, Dialect] = {
    "postgres": Postgres(),
    "sqlite": Sqlite(),
    "duckdb": DuckDb(),
    "mysql": MySql(),
    "mariadb": MySql(),
}
"""Those whose statements tests execute, by the name that ``pgml.to_sql`` takes."""
DIALECTS: Mapping[str, Dialect] = {**TESTED, **{name: Experimental(name) for name in NAMES}}
"""All of them."""
