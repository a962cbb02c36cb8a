"""Dump and restore, and what the library does to the backend it is loaded into."""

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from pgml import store
from pgml.database.psycopg_adapter import Connection as Adapter
from tests.cluster import Cluster, Connection

PREDICT = "select array_agg(pgml.predict('p', t) order by a, b) from t"


def trained(db: Connection) -> None:
    db.execute(
        "create table t as select n % 37 as a, (n % 11)::text as b, (n % 37) * 2.0 as y"
        " from generate_series(1, 900) n"
    )
    db.execute("select pgml.train('p', 'regression', 't', 'y', 'random_forest')")
    db.execute("select pgml.train('p', 'regression', 't', 'y', 'linear', automatic_deploy => false)")
    db.execute("insert into pgml.settings values ('max_cache_bytes', 1000000)")


def test_a_restored_dump_predicts_the_same_and_trains_on(
    cluster: Cluster, db: Connection, database: str
) -> None:
    trained(db)
    expected = db.execute(PREDICT).fetchone()
    restored = f"{database}_restored"
    cluster.create_database(restored)
    try:
        cluster.restore(cluster.dump(database), restored)
        with cluster.connect(restored) as other:
            assert other.execute(PREDICT).fetchone() == expected
            model = other.execute(
                "select model_id, model from pgml.train('p', algorithm => 'xgboost')"
            ).fetchone()
            assert model == (3, "p_3")
            assert other.execute("select project from pgml.deploy('p_2', 'specific')").fetchone() == ("p",)
            assert other.execute("select value from pgml.settings").fetchone() == (1000000,)
    finally:
        cluster.drop_database(restored)


def test_a_model_of_several_parts_is_stored_and_served(
    cluster: Cluster, db: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(db)
    expected = db.execute(PREDICT).fetchone()
    adapter = Adapter(db)
    whole = store.model(adapter, "postgres", 1)
    monkeypatch.setattr(store, "PART_BYTES", whole.size // 3 - 1)
    values: dict[str, Any] = {"algorithm": "random_forest", "metric": "r2", "score": 1.0, "seed": 0}
    values["split"] = whole.split.as_json()
    values |= {name: {} for name in ("hyperparams", "metrics", "columns", "versions", "evaluation")}
    snapshot = {"relation_name": "t", "columns": [], "row_count": 0, "data_hash": ""}
    project = store.project(adapter, "postgres", "p")
    data = store.model_bytes(adapter, whole)
    model = store.add_model(adapter, "postgres", project, snapshot, values, data)
    assert db.execute("select array_agg(part order by part) from pgml.model_parts").fetchone() == ([2, 3, 4],)
    assert store.model_bytes(adapter, model) == data
    with cluster.connect(database) as fresh:
        fresh.execute("select pgml.deploy(%s)", [model.id])
        assert fresh.execute(PREDICT).fetchone() == expected


def test_no_thread_of_the_library_takes_the_servers_signals(db: Connection) -> None:
    trained(db)
    db.execute(PREDICT)
    pid = db.info.backend_pid
    wanted = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD}
    wanted |= {signal.SIGUSR1, signal.SIGUSR2, signal.SIGURG, signal.SIGIO}
    for task in Path(f"/proc/{pid}/task").iterdir():
        if int(task.name) == pid:
            continue
        found = re.search(r"SigBlk:\s+(\w+)", (task / "status").read_text())
        assert found
        blocked = int(found[1], 16)
        assert all(blocked >> (number - 1) & 1 for number in wanted), task.name


def test_prediction_imports_no_training_library(db: Connection, cluster: Cluster, database: str) -> None:
    trained(db)
    db.execute(
        "create function modules() returns text[] language plpython3u as $$"
        " import sys; return sorted(name for name in sys.modules if '.' not in name) $$"
    )
    with cluster.connect(database) as fresh:
        fresh.execute(PREDICT)
        loaded = fresh.execute("select modules()").fetchone()
    assert loaded is not None
    assert "onnxruntime" in loaded[0]
    assert not {"sklearn", "scipy", "xgboost", "pandas", "onnx", "h5py", "psycopg"} & set(loaded[0])


def test_the_public_signatures_are_those_on_the_list(db: Connection) -> None:
    rows = db.execute(
        "select format("
        " '%s(%s) → %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))"
        " from pg_proc p where p.pronamespace = 'pgml'::regnamespace and p.proname !~ '^_' order by 1"
    ).fetchall()
    listed = (Path(__file__).parent / "signatures.txt").read_text().splitlines()
    assert sorted(row[0] for row in rows) == sorted(listed)


def test_a_default_forest_on_many_rows_is_bounded_served_and_dumped(
    cluster: Cluster, db: Connection, database: str
) -> None:
    columns = ", ".join(f"random() as x{i}" for i in range(10))
    db.execute(f"create table t as select {columns} from generate_series(1, 100000)")
    db.execute("create table v as select *, x0 + x1 * x2 + random() / 3 as y from t")
    trained = db.execute("select deployed, score from pgml.train('v', 'y', 'random_forest')").fetchone()
    assert trained is not None
    assert trained[0] is True
    assert trained[1] > 0.8
    (size,) = db.execute("select size from pgml.models").fetchone() or (0,)
    assert 10 << 20 < size < 256 << 20
    few = "select array_agg(pgml.predict('v', v)) from (select * from v order by x0 limit 20) v"
    expected = db.execute(few).fetchone()
    restored = f"{database}_restored"
    cluster.create_database(restored)
    try:
        cluster.restore(cluster.dump(database), restored)
        with cluster.connect(restored) as other:
            assert other.execute(few).fetchone() == expected
    finally:
        cluster.drop_database(restored)
