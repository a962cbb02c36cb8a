"""Autoencoders through every way of asking: codes, errors and anomalies, their deployment, and a cancel."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from palmerpenguins import load_penguins

from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, value

PATIENCE = 0.5
COLUMNS = "island text, bill float8, depth float8, flipper float8, mass float8, sex text"


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with penguins, texts and NULLs among them, and an autoencoder of them."""
    name = cluster.database_with_pgml()
    with cluster.connect(name) as db:
        db.execute(f"create table penguins (id int primary key, {COLUMNS})".encode())
        found = load_penguins().drop(columns=["species", "year"]).astype(object)
        rows = found.where(found.notna(), None).values.tolist()
        with db.cursor() as cursor:
            cursor.executemany(
                "insert into penguins values (%s, %s, %s, %s, %s, %s, %s)",
                [(number, *each) for number, each in enumerate(rows)],
            )
        db.execute(b"create view birds as select island, bill, depth, flipper, mass, sex from penguins")
        db.execute(
            b"select pgml.train('birds', task => 'autoencoder',"
            b" hyperparams => '{\"hidden_layers\": [12, 3, 12]}')"
        )
        yield db
    cluster.drop_database(name)


def test_penguins_are_given_back_better_than_components_do(shared: Connection) -> None:
    trained = row(
        shared,
        "select task, algorithm, metric, score from pgml.trained_models where project = 'birds'",
    )
    assert trained[:3] == ("autoencoder", "neural_network", "reconstruction_r2")
    rows = shared.execute(b"select * from birds where (birds.*) is not null").fetchall()
    numbers = np.array([each[1:5] for each in rows], dtype=float)
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    texts = []
    for at in (0, 5):
        known = sorted({each[at] for each in rows})
        indicators = np.array([[each[at] == text for text in known] for each in rows], dtype=float)
        texts.append((indicators - indicators.mean(axis=0)) / np.sqrt(indicators.var(axis=0).sum()))
    values = np.linalg.svd(np.hstack([numbers, *texts]), compute_uv=False) ** 2
    share = values[:3].sum() / values.sum()
    assert trained[3] > share - 0.02
    kept = row(
        shared, "select value, low, high from pgml.evaluate('birds') where metric = 'reconstruction_r2'"
    )
    assert kept[0] == trained[3]
    assert kept[1] < kept[0] < kept[2]
    again = dict(shared.execute(b"select metric, value from pgml.evaluate('birds', 'birds')").fetchall())
    assert again["reconstruction_r2"] > share - 0.02
    assert again["reconstruction_error"] == pytest.approx(1 - again["reconstruction_r2"], abs=0.05)
    assert again["anomaly_share"] == pytest.approx(0.05, abs=0.05)


def test_every_way_of_asking_gives_the_same(shared: Connection) -> None:
    found = shared.execute(
        b"select pgml.encode('birds', p) = pgml.decompose('birds', to_jsonb(p)),"
        b" pgml.encode('birds', p) = pgml.encode('birds', p, 2),"
        b" cardinality(pgml.encode('birds', to_jsonb(p)::text, 3)),"
        b" pgml.anomaly_score('birds', p), pgml.predict('birds', p), pgml.predict_label('birds', p),"
        b" t.prediction, t.label from birds p join penguins using (island, bill, depth, flipper, mass, sex)"
        b" join pgml.predict_table('birds', 'penguins') t on t.key::text::int = penguins.id"
    ).fetchall()
    assert {each[:3] for each in found} == {(True, True, 12)}
    score, decision = np.array([each[3] for each in found]), np.array([each[4] for each in found])
    assert score[decision == 1].min() > score[decision == 0].max()
    assert 0 < decision.mean() < 0.15
    assert all((each[4] == each[6], each[5] == each[7]) == (True, True) for each in found)
    assert {each[5] for each in found} == {"true", "false"}
    with refusal("42804", "this model encodes rows and tells anomalies without probabilities", "pgml.encode"):
        shared.execute(b"select pgml.predict_proba('birds', p) from birds p")
    with refusal("22023", "layer 4 does not exist", "from 1 to 3"):
        shared.execute(b"select pgml.encode('birds', p, 4) from birds p")


def test_a_row_with_nothing_known_is_encoded(shared: Connection) -> None:
    nothing = '{"island": null, "bill": null, "depth": null, "flipper": null, "mass": null, "sex": null}'
    assert value(shared, "select cardinality(pgml.encode('birds', %s))", [nothing]) == 3
    ordinary = value(shared, "select avg(pgml.anomaly_score('birds', p)) from birds p")
    odd = '{"island": "Dream", "bill": 90, "depth": 5, "flipper": 150, "mass": 9000, "sex": "male"}'
    assert value(shared, "select pgml.anomaly_score('birds', %s)", [odd]) > 10 * ordinary
    assert value(shared, "select pgml.predict('birds', %s)", [odd]) == 1


def test_only_a_better_model_of_the_same_numbers_is_deployed(shared: Connection) -> None:
    shared.execute(b"select pgml.train('kept', 'autoencoder', 'birds')")
    with notices(shared) as heard:
        worse = (
            "select deployed from pgml.train('kept',"
            ' hyperparams => \'{"hidden_layers": [1], "epochs": 5}\')'
        )
        assert value(shared, worse) is False
        assert "is as good or better" in heard[-1]
        other = (
            "select deployed from pgml.train('kept', hyperparams => '{\"hidden_layers\": [30, 6, 30]}',"
            ' preprocess => \'{"mass": {"encode": "bins"}}\')'
        )
        assert value(shared, other) is False
        assert "encodes features otherwise" in heard[-1]
    better = (
        "select deployed from pgml.train('kept', hyperparams => '{\"hidden_layers\": [30, 6, 30]}',"
        ' preprocess => \'{"mass": {"scale": "min_max"}}\')'
    )
    assert value(shared, better) is True
    with notices(shared) as heard:
        assert value(shared, "select model from pgml.deploy('kept')") == "kept_4"
        assert any("encode features otherwise: kept_3" in each for each in heard)


def test_a_search_ends_in_a_model(shared: Connection) -> None:
    found = row(
        shared,
        "select deployed, metric, model_id from pgml.train('searched', 'autoencoder', 'birds',"
        " search => 'random',"
        ' search_args => \'{"n_iter": 2, "cv": 2}\', hyperparams => \'{"epochs": 5}\')',
    )
    assert found[:2] == (True, "reconstruction_r2")
    tried = column(shared, "select score from pgml.trials where model_id = %s", [found[2]])
    assert len(tried) == 2


def test_a_cancel_is_heard_while_it_trains(cluster: Cluster) -> None:
    name = cluster.database_with_pgml()
    with cluster.connect(name) as db, cluster.connect(name) as other:
        db.execute(
            b"create table t as select random() a, random() b, random() c from generate_series(1, 100000)"
        )
        pid = value(db, "select pg_backend_pid()")
        raised: list[tuple[float, Exception]] = []

        def train() -> None:
            try:
                db.execute(b"select pgml.train('t', task => 'autoencoder')")
            except psycopg.Error as error:
                raised.append((time.monotonic(), error))

        thread = threading.Thread(target=train)
        thread.start()
        time.sleep(4)
        started = time.monotonic()
        other.execute("select pg_cancel_backend(%s)", [pid])
        thread.join(10)
        ((ended, error),) = raised
        assert isinstance(error, psycopg.errors.QueryCanceled)
        assert ended - started < PATIENCE
    cluster.drop_database(name)
