"""What PostgreSQL is asked to compute for one row, where another spelling would cost more."""

from pgml.columns import Column
from pgml.sqlgen import arithmetic
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.expressions import Feature, column, literal
from pgml.sqlgen.ranges import INDICATOR
from pgml.sqlgen.writing.rendering import Renderer

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


def test_a_long_sum_has_a_line_for_each_term() -> None:
    numbers = [column(Feature(Column(f"x{at}", "integer")), INDICATOR) for at in range(8)]
    few, many = (
        arithmetic.add(*(arithmetic.multiply(literal(1.5 + at), each) for at, each in enumerate(given)))
        for given in (numbers[:2], numbers)
    )
    renderer = Renderer(POSTGRES, {}, str)
    assert renderer.sql(few) == "1.5 * x0::float8 + 2.5 * x1::float8"
    assert [line.strip() for line in renderer.sql(many).splitlines()][:2] == [
        "1.5 * x0::float8",
        "+ 2.5 * x1::float8",
    ]
    assert len(renderer.sql(many).splitlines()) == 8


def test_a_weight_of_a_scaled_number_is_one_factor_unless_it_is_a_column() -> None:
    number = column(Feature(Column("x", "integer")), INDICATOR)
    scaled = arithmetic.divide(arithmetic.subtract(number, literal(3.0)), literal(2.0))
    term = arithmetic.multiply(literal(5.0), scaled)
    assert Renderer(POSTGRES, {}, str).sql(term) == "2.5 * (x::float8 - 3)"
    assert Renderer(POSTGRES, {id(scaled): "x_scaled"}, str).sql(term) == "5 * x_scaled"
