"""What PostgreSQL is asked to compute for one row, where another spelling would cost more."""

from pgml.columns import Column
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.expressions import Feature

POSTGRES = Postgres()


def test_an_element_is_cast_and_not_its_whole_array() -> None:
    pixel = Feature(Column("image", "smallint[]", 64), 7)
    assert POSTGRES.feature(pixel, "image") == "image[7]::float8"
    assert POSTGRES.filled(pixel, "image", "0") == "coalesce(image[7]::float8, 0)"


def test_nan_is_missing_in_the_types_that_have_it() -> None:
    assert POSTGRES.feature(Feature(Column("a", "double precision[]", 2), 1), "a") == "nullif(a[1], 'NaN')"
    assert POSTGRES.feature(Feature(Column("a", "numeric[]", 2), 1), "a") == "nullif(a[1]::float8, 'NaN')"
    assert POSTGRES.feature(Feature(Column("x", "double precision")), "x") == "nullif(x, 'NaN')"
    assert (
        POSTGRES.filled(Feature(Column("x", "double precision")), "x", "0.5")
        == "coalesce(nullif(x, 'NaN'), 0.5)"
    )
    assert POSTGRES.filled(Feature(Column("n", "integer")), "n", "3") == "coalesce(n::float8, 3)"
