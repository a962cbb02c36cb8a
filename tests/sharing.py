"""Ordinary roles that share projects, and what they do to each other in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import value

PREDICT = "select pgml.predict('line', array[10.0, 3.0])"
"""Is 20 by the live model of ``line``, and 10 and 3 are `a` and `b`."""


@dataclass(frozen=True)
class People:
    """Three ordinary roles; `ana` has the projects ``line``, with two models, ``kinds`` and ``secret``.

    `bob` and `eve` have a table ``own_line`` each.
    """

    cluster: Cluster
    database: str
    ana: str
    bob: str
    eve: str

    @contextmanager
    def session(self, role: str) -> Iterator[Connection]:
        with self.cluster.connect(self.database, role) as connection:
            yield connection

    @contextmanager
    def superuser(self) -> Iterator[Connection]:
        with self.cluster.connect(self.database) as connection:
            yield connection

    def model(self, name: str = "line_1") -> int:
        query = "select m.id from pgml.models m join pgml.projects p on p.id = project_id"
        with self.superuser() as db:
            found: int = value(db, f"{query} where p.owner = %s and m.name = %s", [self.ana, name])
        return found

    def grant(self, role: str, privilege: str = "predict", project: str = "line") -> None:
        with self.session(self.ana) as ana:
            ana.execute("select pgml.grant(%s, %s, %s)", [project, role, privilege])

    def revoke(self, role: str, privilege: str = "predict", project: str = "line") -> None:
        with self.session(self.ana) as ana:
            ana.execute("select pgml.revoke(%s, %s, %s)", [project, role, privilege])


@pytest.fixture(scope="module")
def village(cluster: Cluster) -> Iterator[People]:
    database = cluster.database_with_pgml()
    found = People(cluster, database, f"ana_{database}", f"bob_{database}", f"eve_{database}")
    for role in (found.ana, found.bob, found.eve):
        grant_pgml(cluster, database, role)
        with found.session(role) as db:
            name = "line" if role == found.ana else "own_line"
            db.execute(
                f"create table {name} as select n::float8 as a, n % 7 as b, 2 * n::float8 as y"
                " from generate_series(1, 300) n".encode()
            )
    with found.session(found.ana) as db:
        db.execute(
            "create table kinds as select n::float8 as weight,"
            " case when n < 150 then 'hidden_small' else 'hidden_large' end as kind"
            " from generate_series(1, 300) n;"
            "create table secret as select n::float8 as hidden_column, 'hidden_' || n % 3 as hidden_category,"
            " n::float8 as y from generate_series(1, 300) n;"
            "select pgml.train('line', 'y'); select pgml.train('line', 'y', 'xgboost');"
            "select pgml.train('kinds', 'kind'); select pgml.train('secret', 'y')"
        )
    yield found
    cluster.drop_database(database)
    for role in (found.ana, found.bob, found.eve):
        cluster.drop_role(role)


@pytest.fixture
def people(village: People) -> Iterator[People]:
    """The three roles; what a test grants, and the projects it makes, are removed."""
    yield village
    with village.superuser() as db:
        db.execute("truncate pgml.grants")
        db.execute("delete from pgml.projects where owner <> %s", [village.ana])
