"""Vector functions and aggregates: numpy's answers, in the types of the arguments."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, row, value

TYPES = {"real": (np.float32, 1e-6), "float8": (np.float64, 1e-13)}
ARITHMETIC = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}
NORMS: dict[str, float] = {"l0": 0, "l1": 1, "l2": 2, "max": np.inf}
ONE_VECTOR = [f"norm_{norm}" for norm in NORMS] + [f"normalize_{norm}" for norm in ("l1", "l2", "max")]
TWO_VECTORS = ["distance_l1", "distance_l2", "dot_product", "cosine_similarity"]
AGGREGATES = {
    "sum": lambda rows: rows.sum(axis=0),
    "max": lambda rows: rows.max(axis=0),
    "min": lambda rows: rows.min(axis=0),
    "max_abs": lambda rows: np.abs(rows).max(axis=0),
    "min_abs": lambda rows: np.abs(rows).min(axis=0),
}
Vector = NDArray[np.floating[Any]]


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database that nothing is stored in."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        yield connection
    cluster.drop_database(database)


def vectors(kind: str, size: int) -> tuple[Vector, Vector, float]:
    """Return two vectors and the tolerance of their type; they hold a 0 and both signs."""
    dtype, tolerance = TYPES[kind]
    rng = np.random.default_rng(size)
    one, other = rng.normal(size=(2, size)).astype(dtype)
    one[:1] = 0
    return one, other, tolerance


def call(db: Connection, function: str, kind: str, *arguments: Vector | float) -> Any:
    """Return what a function says of vectors of a type, having checked that it answers in this type."""
    given = [given.tolist() if isinstance(given, np.ndarray) else given for given in arguments]
    holes = [f"%s::{kind}{'[]' if isinstance(each, list) else ''}" for each in given]
    found = f"pgml.{function}({', '.join(holes)})"
    answer, kind_found = row(db, f"select f, pg_typeof(f)::text from (select {found} as f) as x", given)
    assert kind_found.removesuffix("[]") == {"float8": "double precision"}.get(kind, kind)
    return answer


@pytest.mark.parametrize("size", [1, 3, 384])
@pytest.mark.parametrize("kind", TYPES)
def test_arithmetic_is_numpys(shared: Connection, kind: str, size: int) -> None:
    one, other, tolerance = vectors(kind, size)
    for function, formula in ARITHMETIC.items():
        found = call(shared, function, kind, one, other)
        np.testing.assert_allclose(found, formula(one, other), rtol=tolerance, err_msg=function)
        found = call(shared, function, kind, one, 0.7)
        np.testing.assert_allclose(found, formula(one, 0.7), rtol=tolerance, err_msg=function)


@pytest.mark.parametrize("size", [1, 3, 384])
@pytest.mark.parametrize("kind", TYPES)
def test_measures_are_numpys(shared: Connection, kind: str, size: int) -> None:
    one, other, tolerance = vectors(kind, size)
    exact, against = one.astype(float), other.astype(float)
    for norm, order in NORMS.items():
        expected = np.linalg.norm(against, order)
        assert call(shared, f"norm_{norm}", kind, other) == pytest.approx(expected, rel=tolerance)
        if norm != "l0":
            found = call(shared, f"normalize_{norm}", kind, other)
            np.testing.assert_allclose(found, against / expected, rtol=tolerance, err_msg=norm)
    products = np.linalg.norm(exact) * np.linalg.norm(against)
    for function, expected in {
        "distance_l1": np.abs(exact - against).sum(),
        "distance_l2": np.linalg.norm(exact - against),
        "dot_product": exact @ against,
        "cosine_similarity": exact @ against / products if size > 1 else None,
    }.items():
        found = call(shared, function, kind, one, other)
        wanted = expected if expected is None else pytest.approx(expected, rel=tolerance, abs=tolerance)
        assert found == wanted, function


def test_a_norm_counts_what_is_not_0(shared: Connection) -> None:
    assert value(shared, "select pgml.norm_l0('{0, 2, -0.0, -1, NaN}'::float8[])") == 3


def test_reals_are_computed_in_float8(shared: Connection) -> None:
    tiny = value(shared, "select pgml.dot_product(array[1e4, 1, -1e4]::real[], array[1e4, 1, 1e4]::real[])")
    assert tiny == 1
    tenths = "select pgml.sum(v) from (select array[0.1]::real[] as v from generate_series(1, 100000))"
    assert value(shared, f"{tenths} as many") == [10000]


@pytest.mark.parametrize("function", ONE_VECTOR)
def test_arrays_written_out_need_no_cast(shared: Connection, function: str) -> None:
    expected = value(shared, f"select pgml.{function}(array[3, -4]::float8[])")
    assert value(shared, f"select pgml.{function}(array[3, -4])") == expected
    assert value(shared, f"select pgml.{function}(array[3.0, -4.0])") == expected


def test_pairs_written_out_need_no_cast(shared: Connection) -> None:
    for function in [*ARITHMETIC, *TWO_VECTORS]:
        call = f"select pgml.{function}(array[3, -4]::float8[], %s)"
        for array in ("array[1, 2]", "array[1.0, 2.0]", "'{1,2}'"):
            expected = value(shared, call.replace("%s", "array[1, 2]::float8[]"))
            assert value(shared, call.replace("%s", array)) == expected
        for one in ("array[3, -4]", "array[3.0, -4.0]"):
            for other in ("array[1, 2]", "array[1.0, 2.0]", "array[1, 2]::float8[]"):
                assert value(shared, f"select pgml.{function}({one}, {other})") == expected
    assert value(shared, "select pgml.add(array[1.0, 2.0, 3.0], 3)") == [4, 5, 6]
    assert value(shared, "select pgml.add(array[1, 2, 3], 0.5)") == [1.5, 2.5, 3.5]
    assert value(shared, "select pgml.divide(array[1, 2], 4)") == [0.25, 0.5]
    assert value(shared, "select pgml.multiply(array[1, 2]::real[], 3)") == [3, 6]


def test_null_is_unknown(shared: Connection) -> None:
    null = "'{1,null}'::float8[]"
    for function in TWO_VECTORS:
        assert value(shared, f"select pgml.{function}('{{1,2}}', {null})") is None
        assert value(shared, f"select pgml.{function}({null}, '{{1,2}}')") is None
    for function in ONE_VECTOR:
        assert value(shared, f"select pgml.{function}({null})") is None
    for function in ARITHMETIC:
        assert value(shared, f"select pgml.{function}({null}, '{{1,2}}')") == [
            value(shared, f"select pgml.{function}(array[1], 1)")[0],
            None,
        ]
        assert value(shared, f"select pgml.{function}(null::real[], '{{1,2}}')") is None
        assert value(shared, f"select pgml.{function}(array[1]::real[], null::real)") is None


def test_zero_vectors_have_no_direction(shared: Connection) -> None:
    zero = "'{0,0}'::real[]"
    for norm in ("l1", "l2", "max"):
        assert value(shared, f"select pgml.normalize_{norm}({zero})") == [0, 0]
    assert value(shared, f"select pgml.cosine_similarity({zero}, '{{1,2}}')") is None


def test_vectors_without_elements_are_vectors(shared: Connection) -> None:
    empty = "'{}'::float8[]"
    for norm in NORMS:
        assert value(shared, f"select pgml.norm_{norm}({empty})") == 0
    for norm in ("l1", "l2", "max"):
        assert value(shared, f"select pgml.normalize_{norm}({empty})") == []
    for function in ARITHMETIC:
        assert value(shared, f"select pgml.{function}({empty}, {empty})") == []
        assert value(shared, f"select pgml.{function}({empty}, 0)") == []
    found = [value(shared, f"select pgml.{function}({empty}, {empty})") for function in TWO_VECTORS]
    assert found == [0, 0, 0, None]
    for aggregate in AGGREGATES:
        assert value(shared, f"select pgml.{aggregate}({empty}) from generate_series(1, 3)") == []


@pytest.mark.parametrize("kind", TYPES)
def test_vectors_of_two_lengths_are_refused(shared: Connection, kind: str) -> None:
    for function in [*ARITHMETIC, *TWO_VECTORS]:
        with refusal("2202E", "vectors have 3 and 4 elements", "the same number"):
            shared.execute(f"select pgml.{function}('{{1,2,3}}'::{kind}[], '{{1,2,3,4}}'::{kind}[])")
    for aggregate in AGGREGATES:
        with refusal("2202E", "vectors have 1 and 2 elements"):
            shared.execute(
                f"select pgml.{aggregate}(v order by v)"
                f" from (values (array[1]::{kind}[]), ('{{2,3}}')) as t(v)"
            )


def test_matrices_are_refused(shared: Connection) -> None:
    matrix = "'{{1,2},{3,4}}'::real[]"
    for function in ONE_VECTOR:
        with refusal("22023", "a vector has 1 dimension, not 2", "unnest"):
            shared.execute(f"select pgml.{function}({matrix})")
    for function in [*ARITHMETIC, *TWO_VECTORS]:
        with refusal("22023", "a vector has 1 dimension, not 2"):
            shared.execute(f"select pgml.{function}('{{1,2,3,4}}'::real[], {matrix})")
    for function in ARITHMETIC:
        with refusal("22023", "a vector has 1 dimension, not 2"):
            shared.execute(f"select pgml.{function}({matrix}, 1)")
    for aggregate in AGGREGATES:
        with refusal("22023", "a vector has 1 dimension, not 2"):
            shared.execute(f"select pgml.{aggregate}({matrix})")


def test_numbers_out_of_range_are_postgresqls_errors(shared: Connection) -> None:
    for statement in (
        "pgml.multiply('{1e200}'::float8[], '{1e200}')",
        "pgml.multiply('{1e30}'::real[], '{1e30}')",
        "pgml.norm_l2('{1e200}'::float8[])",
        "pgml.norm_l1('{3e38, 3e38}'::real[])",
        "pgml.sum(v) from (values ('{3e38}'::real[]), ('{3e38}')) as t(v)",
    ):
        with refusal("22003"):
            shared.execute(f"select {statement}".encode())
    for divisor in ("'{1,0}'", "0"):
        with refusal("22012", "division by zero"):
            shared.execute(f"select pgml.divide('{{1,2}}'::real[], {divisor})".encode())
    assert value(shared, "select pgml.norm_l2('{3e30, 4e30}'::real[])") == pytest.approx(5e30)
    assert value(shared, "select pgml.divide('{1,NaN}'::float8[], 'Infinity'::float8)")[0] == 0


def test_numbers_near_0_are_no_errors(shared: Connection) -> None:
    assert value(shared, "select pgml.norm_l2('{1e-200, 1}'::float8[])") == 1
    assert value(shared, "select pgml.distance_l2('{1e-200, 1}'::float8[], '{0, 0}')") == 1
    assert value(shared, "select pgml.dot_product('{1e-300, 1, 1e-300}'::float8[], '{1e-30, 2, 1}')") == 2
    assert value(shared, "select pgml.dot_product('{1e-160}'::float8[], '{1e160}')") == pytest.approx(1)
    assert value(shared, "select pgml.dot_product('{1e-30}'::real[], '{1e-30}')") == 0
    assert value(shared, "select pgml.cosine_similarity('{1e-40,1}'::real[], '{1,0}')") == 0
    assert value(shared, "select pgml.normalize_l2('{1e-44, 3e3, 4e3}'::real[])") == pytest.approx(
        [0, 0.6, 0.8]
    )
    assert value(shared, "select pgml.normalize_l2('{1e-20, 0}'::real[])") == [1, 0]
    assert value(shared, "select pgml.normalize_l1('{1e-300, 1e300}'::float8[])") == [0, 1]


def test_a_cosine_is_never_beyond_1(shared: Connection) -> None:
    angles = column(
        shared,
        "select acosd(pgml.cosine_similarity(v, pgml.multiply(v, sign))) from generate_series(1, 300) n,"
        " (values (7.1), (-0.3)) as signs(sign),"
        " lateral (select array[n, sqrt(n), 1.0 / n]::float8[] as v) as t",
    )
    assert min(angles) == 0
    assert max(angles) == 180


@pytest.mark.parametrize("kind", [*TYPES, "int"])
def test_aggregates_go_element_by_element(shared: Connection, kind: str) -> None:
    rows = np.random.default_rng(0).integers(-1000, 1000, (50, 7)).astype(float)
    for aggregate, formula in AGGREGATES.items():
        found, type_found = row(
            shared,
            f"select pgml.{aggregate}(v::text::{kind}[]), pg_typeof(pgml.{aggregate}(v::text::{kind}[])) ="
            f" '{kind}[]'::regtype from (select array_agg(x) as v"
            " from jsonb_array_elements(%s) as lines(line), jsonb_array_elements_text(line) as x"
            " group by line) as lines",
            [str(rows.astype(int).tolist())],
        )
        assert type_found
        np.testing.assert_array_equal(found, formula(rows), err_msg=aggregate)


def test_aggregates_skip_nulls(shared: Connection) -> None:
    rows = "(values (1, '{1,null,-3}'::real[]), (2, null), (3, '{null,null,2}')) as t(n, v)"
    expected = {
        "sum": [1, None, -1], "max": [1, None, 2], "min": [1, None, -3],
        "max_abs": [1, None, 3], "min_abs": [1, None, 2],
    }  # fmt: skip
    for aggregate, answer in expected.items():
        assert value(shared, f"select pgml.{aggregate}(v) from {rows}") == answer
        assert value(shared, f"select pgml.{aggregate}(v) from {rows} where n = 2") is None
        assert value(shared, f"select pgml.{aggregate}(v) from {rows} where n > 3") is None


def test_aggregates_work_over_windows(shared: Connection) -> None:
    running = column(
        shared,
        "select pgml.sum(array[n, -n]::float8[]) over (order by n) from generate_series(1, 4) n",
    )
    assert running == [[1, -1], [3, -3], [6, -6], [10, -10]]
    sliding = column(
        shared,
        "select pgml.max_abs(array[n, -n]::real[]) over (order by n rows between 1 preceding and current row)"
        " from (values (1), (-5), (2), (3)) as t(n) order by n",
    )
    assert sliding == [[5, 5], [5, 5], [2, 2], [3, 3]]


def test_aggregates_and_functions_run_in_parallel(shared: Connection) -> None:
    shared.execute("create table many as select array[n, -n]::real[] as v from generate_series(1, 30000) n")
    shared.execute("analyze many")
    with shared.transaction(force_rollback=True):
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            shared.execute(f"set local {setting} = 0")
        calls = [f"pgml.{aggregate}(v)" for aggregate in AGGREGATES] + ["sum(pgml.norm_l1(v)::float8)"]
        plan = column(shared, f"explain select {', '.join(calls)} from many")
        assert any("Gather" in line for line in plan)
        assert any("Partial Aggregate" in line for line in plan)
        *found, norms = row(shared, f"select {', '.join(calls)} from many")
    last, total = 30000, 30000 * 30001 // 2
    assert found == [[total, -total], [last, -1], [1, -last], [last, last], [1, 1]]
    assert norms == 2 * total


def test_who_has_pgml_in_search_path_keeps_postgresqls_aggregates(shared: Connection) -> None:
    shared.execute("create table numbers as select n as x, array[n, 9 - n] as a from generate_series(1, 8) n")
    with shared.transaction(force_rollback=True):
        shared.execute("set local search_path = pgml, public")
        types = "pg_typeof(sum(x)), pg_typeof(sum(x::real)), pg_typeof(max(x)), pg_typeof(min(x::text))"
        expected = row(shared, "select " + types.replace("sum", "pg_catalog.sum") + " from numbers")
        assert row(shared, f"select {types} from numbers") == expected
        assert value(shared, "select sum(x) from numbers") == 36
        for kind in ("int", "real", "float8", "numeric", "text"):
            assert value(shared, f"select max(a::{kind}[])::text from numbers") == "{8,1}"
            assert value(shared, f"select pgml.max(a::{kind}[])::text from numbers") == "{8,8}"
        assert value(shared, "select sum(a) from numbers") == [36, 36]


def test_operators_of_others_are_not_called(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("create schema trap; set local search_path = trap, pg_catalog")
        shared.execute(
            "create function trap.abs(float8) returns float8 language sql as 'select 666.0::float8'"
        )
        shared.execute(
            "create function trap.f(float8, float8) returns float8 language sql as 'select 666.0::float8'"
        )
        for operator in "+-*/":
            shared.execute(
                f"create operator trap.{operator} (function = f, leftarg = float8, rightarg = float8)"
            )
        assert value(shared, "select '1'::float8 + '1'::float8") == 666
        assert value(shared, "select pgml.add('{1}'::float8[], '{2}')") == [3]
        assert value(shared, "select pgml.cosine_similarity('{1}'::real[], '{-2}')") == -1
        assert value(shared, "select pgml.sum(v) from (values ('{1}'::real[]), ('{2}')) as t(v)") == [3]
        assert value(shared, "select pgml.max_abs(v) from (values ('{1}'::real[]), ('{-2}')) as t(v)") == [2]


def test_an_ordinary_role_that_may_call_pgml_may_use_all_of_it(plain: Connection) -> None:
    assert value(
        plain, "select pgml.normalize_l2(pgml.sum(v)) from (values ('{3,0}'::real[]), ('{0,4}')) as t(v)"
    ) == (pytest.approx([0.6, 0.8]))
