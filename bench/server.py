"""The throwaway server of a run, its data and its models."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgml import store
from pgml.artifact.format import unpack
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.preprocessing import Encoder, NumberEncoding
from tests.cluster import SUPERUSER, Cluster, Connection

DATABASE = "bench"
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}
"""Beside those of the tests' server; jit and parallel query are as they come."""
WIDE = [f"x{i}" for i in range(1, 20)]
NARROW = [f"x{i}" for i in range(1, 11)]
TRAINED_ROWS = 50_000
HYPERPARAMS = {
    "linear": {},
    "xgboost": {"n_estimators": 100, "max_depth": 6},
    "random_forest": {"n_estimators": 100, "max_depth": 8},
}
"""The models that predictions are measured with, named by their algorithm."""
TARGET = "10 * x1 + 5 * sin(6 * x2) + 8 * x3 * x4 + 4 * abs(x5 - 0.5) + random() + random() + random()"
READ = """
create function {function}(relation text) returns bigint language plpython3u as $$
    if "pgml" not in GD:
        plpy.execute("select pgml._bootstrap()")
    from pgml import reader
    database = GD["pgml"]._session.database
    found = reader.required(database, relation)
    return len(reader.read(database, found, [found.column(name) for name, _ in found.columns]))
$$
"""
NOTHING = """
create function nothing(project_name text, features float8[]) returns float8
language plpython3u stable parallel unsafe as $$
    return 0.0
$$
"""


@dataclass(frozen=True)
class Server:
    """A database with pgml and the data of all cases.

    ``wide`` has 19 features and ``y``; ``narrow`` has ``id``, 10 features and ``y``; the view ``features``
    has its 10 features, the view ``examples`` 10 features and ``y`` of some of its rows; ``few`` has the
    10 features of a tenth of its rows.

    Attributes
    ----------
    cluster : Cluster
    database : str
    rows : int
        Of ``wide`` and ``narrow``.
    rounds : int
        How often each side is measured.
    """

    cluster: Cluster
    database: str
    rows: int
    rounds: int

    def connect(self) -> Connection:
        """Return a new session of the superuser, for the caller to close."""
        return self.cluster.connect(self.database)

    @property
    def conninfo(self) -> str:
        """How another process connects."""
        return f"host={self.cluster.socket} dbname={self.database} user={SUPERUSER}"

    @property
    def scratch(self) -> Path:
        """A directory for files, removed with the server."""
        return self.cluster.directory

    @property
    def few(self) -> int:
        """Rows of the table ``few``."""
        return self.rows // 10

    def make_data(self) -> None:
        """Create all tables, views and functions of the cases."""
        with self.connect() as db:
            db.execute("select setseed(0.5)")
            for name, features, key in (("wide", WIDE, ""), ("narrow", NARROW, "i::bigint as id, ")):
                numbers = ", ".join(f"random() as {feature}" for feature in features)
                listed = ", ".join(([key and "id"] if key else []) + features)
                db.execute(
                    f"create table {name} as select {listed}, {TARGET} as y from (select {key}{numbers}"
                    f" from generate_series(1, {self.rows}) i offset 0) s".encode()
                )
            listed = ", ".join(NARROW)
            db.execute("alter table narrow add primary key (id)")
            db.execute(f"create view features as select {listed} from narrow".encode())
            db.execute(f"create table few as select {listed} from narrow where id <= {self.few}".encode())
            db.execute(
                f"create view examples as select {listed}, y from narrow where id <= {TRAINED_ROWS}".encode()
            )
            db.execute("vacuum analyze")
            db.execute(READ.format(function="read").encode())
            db.execute(NOTHING)

    def train(self, algorithm: str) -> str:
        """Return a project with a model of `HYPERPARAMS` for the 10 features, trained the first time."""
        with self.connect() as db:
            known = db.execute("select from pgml.projects where name = %s", [algorithm]).fetchone()
            if known is None:
                db.execute(
                    "select pgml.train(%s, 'regression', 'examples', 'y', %s, hyperparams => %s)",
                    [algorithm, algorithm, json.dumps(HYPERPARAMS[algorithm])],
                )
        return algorithm

    def model(self, project: str) -> tuple[bytes, list[float], float]:
        """Return a project's first graph, what is taken from its features, what is added to its values."""
        with self.connect() as db:
            adapter = Adapter(db)
            found = store.find_model(adapter, SUPERUSER, f"{project}_1")
            if found is None:
                raise LookupError(project)
            artifact = unpack(store.model_bytes(adapter, found))
        encodings = Encoder.from_json(artifact.encoder).encodings
        centers = [each.center[0] for each in encodings if isinstance(each, NumberEncoding)]
        (added,) = artifact.decoder["added"]
        return artifact.graph, centers, added

    def has_function(self, signature: str) -> bool:
        """Return whether the extension has a function, such as ``pgml.predict(text,text)``."""
        return self.value("select to_regprocedure(%s) is not null", signature) is True

    def value(self, query: str, *arguments: Any) -> Any:
        """Return the first value of a query, in a session of its own."""
        with self.connect() as db:
            (row,) = db.execute(query.encode(), arguments).fetchall()
            return row[0]


@contextmanager
def started(rows: int, rounds: int) -> Iterator[Server]:
    """Lend a server with data."""
    cluster = Cluster()
    try:
        cluster.initialise()
        cluster.restart(**SETTINGS)
        cluster.create_database(DATABASE)
        server = Server(cluster, DATABASE, rows, rounds)
        with server.connect() as db:
            db.execute("create extension pgml cascade")
        server.make_data()
        yield server
    finally:
        cluster.remove()
