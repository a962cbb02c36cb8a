"""How PostgreSQL runs a model's statement: by several workers, and in one type of numbers."""

import re
from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, value

SETTING = """
create table points as
select n as id, sin(n) as a, cos(n * 3) as b, case when n % 17 > 0 then n % 97 end as c,
    case when sin(n) > 0.5 then 'high' when cos(n * 3) > 0 then 'middle' else 'low' end as level,
    sin(n) * cos(n * 3) + n % 97 as size
from generate_series(1, 2000) n;
create view levels as select a, b, c, level from points;
create view sizes as select a, b, c, size from points;
select pgml.train('linear', 'classification', 'levels', 'level');
select pgml.train('forest', 'classification', 'levels', 'level', 'random_forest', '{"n_estimators": 9}');
select pgml.train('boosted', 'regression', 'sizes', 'size', 'xgboost', '{"n_estimators": 9}');
select pgml.train('net', 'classification', 'levels', 'level', 'mlp', '{"hidden_layer_sizes": [5]}');
analyze points;
set max_parallel_workers_per_gather = 2;
set min_parallel_table_scan_size = 0;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set jit = off
"""
PROJECTS = ("linear", "forest", "boosted", "net")
CONSTANT = re.compile(r"'[^']*'::(double precision|numeric|integer)")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with a few models, ready for parallel plans."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in SETTING.split(";"):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def plan(db: Connection, project: str) -> list[str]:
    text = value(db, "select pgml.to_sql(%s, relation_name => 'points')", [project])
    return column(db, f"explain (verbose, costs off) select count(prediction) from (\n{text}\n) as s")


@pytest.mark.parametrize("project", PROJECTS)
def test_workers_compute_all_of_a_model(shared: Connection, project: str) -> None:
    nodes = [line.strip(" ->") for line in plan(shared, project) if not line.strip().startswith("Output")]
    assert nodes[0] == "Finalize Aggregate"
    gather = nodes.index("Gather")
    assert all(not node.startswith("Subquery Scan") for node in nodes[:gather])
    assert any(node.startswith("Parallel Seq Scan") for node in nodes[gather:])


@pytest.mark.parametrize("project", PROJECTS)
def test_no_number_of_a_row_changes_its_type_but_in_the_first_layer(shared: Connection, project: str) -> None:
    layers = [line for line in plan(shared, project) if line.strip().startswith("Output")][:-1]
    computed = CONSTANT.sub("", "\n".join(layers))
    assert "numeric" not in computed
    assert re.findall(r"\)::double precision(?!\[)", computed.replace("(points.c)::double", "")) == []
