"""What PostgreSQL is asked to compute for one row, where another spelling would cost more."""

from pgml.columns import Column
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.expressions import Feature

POSTGRES = Postgres()


def test_nan_is_missing_in_the_types_that_have_it() -> None:
    assert POSTGRES.number_of("a[1]", Feature(Column("a", "numeric[]", 2), 1)) == "nullif(a[1], 'NaN')"
    assert POSTGRES.number_of("a[1]", Feature(Column("a", "integer[]", 2), 1)) == "a[1]"
    assert POSTGRES.feature(Feature(Column("x", "double precision")), "x") == "nullif(x::float8, 'NaN')"
    assert (
        POSTGRES.filled(Feature(Column("x", "double precision")), "x", "0.5")
        == "coalesce(nullif(x::float8, 'NaN'), 0.5)"
    )
    assert POSTGRES.filled(Feature(Column("n", "integer")), "n", "3") == "coalesce(n::float8, 3)"
