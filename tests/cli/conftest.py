"""Servers and databases of the command line's tests."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.cli.running import pgml
from tests.cli.servers import bare_cluster, managed_database
from tests.cluster import Cluster, Connection

_numbers = count(1)
TABLE = """
    create schema app;
    create table app.customers as
    select n as id, 20 + n * 31 % 50 as age, (array['free', 'pro', 'team'])[n % 3 + 1] as plan,
        case when n % 11 > 0 then n * 7919 % 101 end as visits,
        20.0 + n * 31 % 50 + n * 7919 % 101 > 80 and n % 7 > 0 as churned
    from generate_series(1, 600) n;
    alter table app.customers add primary key (id);
    create view app.training as select age, plan, visits, churned from app.customers;
    create view app.spending as
    select age, plan, visits, age * 2.0 + visits as spent from app.customers;
"""


@pytest.fixture(scope="session")
def bare() -> Iterator[Cluster]:
    """A server that has neither plpython3u nor pgml."""
    cluster = bare_cluster()
    try:
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def owner(bare: Cluster) -> Iterator[str]:
    """The name of an ordinary role on `bare`, and of the database it owns."""
    name = f"owner_{next(_numbers)}"
    managed_database(bare, name, name)
    yield name
    bare.drop_database(name)
    bare.drop_role(name)


@pytest.fixture
def nowhere(bare: Cluster, owner: str) -> str:
    """Where to connect to a database without pgml, on a server without PL/Python."""
    return f"host={bare.socket} dbname={owner} user={owner}"


@pytest.fixture
def managed(bare: Cluster, owner: str, nowhere: str) -> str:
    """Where to connect to a database with pgml and tables in schema app, on a server without PL/Python."""
    assert pgml("install", "--dsn", nowhere).code == 0
    with bare.connect(owner, owner) as connection:
        connection.execute(TABLE)
    return nowhere


@pytest.fixture
def there(bare: Cluster, owner: str) -> Iterator[Connection]:
    """A connection of the owner's to the database of `managed`."""
    with bare.connect(owner, owner) as connection:
        yield connection


@pytest.fixture
def server(cluster: Cluster, plain: Connection) -> str:
    """Where an ordinary role connects to a database that has the extension, and tables in schema app."""
    name, role = plain.info.dbname, plain.info.user
    with cluster.connect(name) as connection:
        connection.execute(TABLE)
        connection.execute(f"grant usage, create on schema app to {role}".encode())
        connection.execute(f"grant select on all tables in schema app, pgml to {role}".encode())
    return f"host={cluster.socket} dbname={name} user={role}"
