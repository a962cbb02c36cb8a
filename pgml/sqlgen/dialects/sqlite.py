"""SQLite, from 3.35."""

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Feature


class Sqlite(Dialect):
    """Numbers have no declared type; division of whole numbers drops the rest, so none is written as such."""

    name = "sqlite"
    fence = "limit -1 offset 0"
    depth = 20
    tree_depth = 10
    columns = 2000
    least = "min"
    greatest = "max"

    def spelled(self, shown: str, typed: bool) -> str:
        return shown

    def feature(self, feature: Feature, source: str) -> str:
        if feature.column.is_category:
            return source
        return f"cast({source} as real)"
