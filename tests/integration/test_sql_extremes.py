"""Numbers at the ends of a double in PostgreSQL, which raises errors where a result overflows or vanishes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pgml import preprocessing
from pgml.columns import Column
from pgml.preprocessing import Encoder
from pgml.preprocessing.base import Encoding, within
from pgml.sqlgen import arithmetic, layers
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading
from pgml.sqlgen.writing import statement
from tests.cluster import Cluster, Connection
from tests.unit import builders
from tests.unit.test_sql_features import EXTREMES, select

X = Column("x", "double precision")
LINES = [
    *((center, scale) for center in (0.0, 1e300, -1e-300) for scale in (1.0, 1e-300, 1e300, 3e-5)),
    (0.5, 1e-200),
]
FAR = (*EXTREMES, 2.0**-480, 2.0**-600, 1e-160, 1e200, 3.0)


def number(center: float, scale: float) -> Encoding:
    return preprocessing.NumberEncoding(X, "pass", nulls=True, fill=(0.0,), center=(center,), scale=(scale,))


def power(exponent: float) -> Encoding:
    return preprocessing.numbers.PowerEncoding(
        X, "pass", nulls=True, fill=(0.0,), power=(exponent,), center=(1.0,), scale=(0.5,)
    )


def quantile(*knots: float) -> Encoding:
    return preprocessing.numbers.QuantileEncoding(X, "pass", nulls=True, fill=(0.0,), quantiles=(knots,))


CASES: list[Any] = [
    *(number(*line) for line in LINES),
    *(power(exponent) for exponent in (-5.0, -1e-300, 0.0, 1e-9, 1.0, 2.0, 1e-160, 7.0)),
    quantile(-1e300, 1e300),
    quantile(-1e300, -1e-300, 0.0, 1e-300, 1e300),
    quantile(1e-300, 2e-300, 3e-300),
]


@pytest.fixture(scope="module")
def numbers(cluster: Cluster) -> Iterator[Connection]:
    with cluster.connect(cluster.database_with_pgml()) as db:
        db.execute("create table rows (row_id int, x float8)")
        for at, each in enumerate(FAR):
            db.execute("insert into rows values (%s, %s)", [at, float(each)])
        yield db


@pytest.mark.parametrize("encoding", CASES, ids=str)
def test_no_number_of_a_feature_raises_an_error(numbers: Connection, encoding: Encoding) -> None:
    encoder = Encoder([encoding], "float64")
    found = numbers.execute((select(encoder, "postgres") + " order by row_id").encode()).fetchall()
    given = np.array([row[1] for row in found], dtype=np.float64)
    wanted = encoder.encode(builders.numbers(x=FAR))[:, 0]
    usual = (np.abs(wanted) < 1e280) & ((np.abs(wanted) > 1e-280) | (wanted == 0))
    np.testing.assert_allclose(given[usual], wanted[usual], rtol=1e-12, atol=1e-15)
    assert (np.abs(given[np.abs(wanted) >= 1e280]) >= 1e250).all()
    assert (np.abs(given[~usual & (np.abs(wanted) <= 1)]) <= 1e-250).all()


def test_a_number_that_no_float32_holds_is_rounded_to_its_ends(numbers: Connection) -> None:
    reading = Reading()
    outputs = {"rounded": arithmetic.single(of_column(X)[0])}
    plan = layers.plan(outputs, reading.names, ["row_id"], DIALECTS["postgres"])
    sql = statement.select(plan, [], DIALECTS["postgres"], "rows", ["row_id"])
    found = numbers.execute((sql + " order by row_id").encode()).fetchall()
    given = np.array([row[1] for row in found], dtype=np.float64)
    np.testing.assert_array_equal(given, within(np.array(FAR, dtype=np.float64), "float32"))
