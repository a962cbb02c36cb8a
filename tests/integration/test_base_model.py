"""Networks that start from a stored one: whose it may be, what must be alike, what stays, what is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest

from pgml.artifact.dense import Layers, layers_of
from pgml.artifact.format import unpack
from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, notices, refusal, row, value

TABLES = """
create table points as
    select n, sin(n * 7.1) as x, cos(n * 3.3) as z, (array['red', 'green', 'blue'])[n % 3 + 1] as colour
    from generate_series(1, 500) n;
create view numbers as select *, 1000 + 50 * x * z + 20 * (colour = 'red')::int as y from points;
create view first_rows as select x, z, colour, y from numbers where n <= 400;
create view later_rows as select z, x, colour, y from numbers where n > 300;
create view signs as
    select x, z, colour, case when x * z > 0 then 'same' else 'other' end as sign from points;
create view two as
    select x, z, colour, x * z > 0 as alike, case when x > 0 then 'right' else 'left' end as side from points;
create view wider as select x, z::text as z, y, x as u from first_rows;
"""
LAYERS = '{"hidden_layers": [12, 6], "activation": ["tanh", "relu"], "epochs": 60, "lambda": 0.01}'
STILL = '{"learning_rate": 1e-300, "epochs": 1, "early_stop": false}'
"""Steps that change nothing."""


@dataclass
class Site:
    """An ordinary role's session, and a superuser's."""

    db: Connection
    superuser: Connection

    def layers(self, model: str) -> Layers:
        data = value(self.superuser, "select artifact from pgml.models where name = %s", [model])
        return layers_of(unpack(data).graph)

    def train(self, project: str, relation: str, target: str, **options: Any) -> str:
        given = "".join(f", {name} => %s" for name in options)
        task = "regression" if target == "y" else "classification"
        query = f"select model from pgml.train('{project}', '{task}', '{relation}', '{target}'{given})"
        found: str = value(self.db, query, list(options.values()))
        return found


@pytest.fixture(scope="module")
def site(cluster: Cluster) -> Iterator[Site]:
    """Models: 1 a network of numbers, 2 one of classes, 3 a line."""
    database = cluster.database_with_pgml()
    role = f"base_{database}"
    grant_pgml(cluster, database, role)
    with cluster.connect(database, role) as db, cluster.connect(database) as superuser:
        db.execute(TABLES.encode())
        found = Site(db, superuser)
        found.train("first", "first_rows", "y", algorithm="neural_network", hyperparams=LAYERS)
        found.train("sign", "signs", "sign", algorithm="neural_network", hyperparams=LAYERS)
        found.train("line", "first_rows", "y")
        yield found
    cluster.drop_database(database)
    cluster.drop_role(role)


def test_a_training_that_changes_nothing_predicts_as_its_base(site: Site) -> None:
    site.train("still", "later_rows", "y", base_model=1, hyperparams=STILL)
    query = "select pgml.predict('{}', p) from points p order by n"
    expected = column(site.db, query.format("first_1"))
    np.testing.assert_allclose(column(site.db, query.format("still_1")), expected, rtol=1e-9)
    numbers = "select pgml.predict('{}', '[0.5, 0.25, \"red\"]'::jsonb)"
    assert value(site.db, numbers.format("still_1")) == pytest.approx(
        value(site.db, numbers.format("first_1"))
    )


def test_where_a_fit_started_is_stored(site: Site) -> None:
    with notices(site.db) as said:
        site.train("told", "later_rows", "y", base_model=1, freeze=1)
    assert "drawn anew" not in "".join(said)
    query = "select hyperparams, algorithm from pgml.trained_models where model = 'told_1'"
    hyperparams, algorithm = row(site.superuser, query)
    assert algorithm == "neural_network"
    assert hyperparams == {
        "base_model": 1,
        "freeze": 1,
        "hidden_layers": [12, 6],
        "activation": ["tanh", "relu"],
    }


@pytest.mark.parametrize("mode", ["gradient", "pso"])
@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_layers_keep_their_weights_bit_for_bit(site: Site, frozen: int, mode: str) -> None:
    given = f'{{"train_mode": "{mode}", "epochs": 3, "early_stop": false, "iterations": 3}}'
    name = f"frozen_{mode}_{frozen}"
    model = site.train(name, "later_rows", "y", base_model=1, freeze=frozen, hyperparams=given)
    base, found = site.layers("first_1"), site.layers(model)
    kept = [
        all(np.array_equal(one, other) for one, other in zip(*layer, strict=True))
        for layer in zip(base, found, strict=True)
    ]
    # A swarm that finds nothing better goes on with what it was given.
    assert kept == [True] * frozen + [False] * (3 - frozen) or (
        mode == "pso" and kept[:frozen] == [True] * frozen
    )
    again = site.train(f"again_{name}", "later_rows", "y", base_model=1, freeze=frozen, hyperparams=given)
    for one, other in zip(found, site.layers(again), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_another_target_takes_a_last_layer_of_its_own(site: Site) -> None:
    with notices(site.db) as said:
        model = site.train("moved", "signs", "sign", base_model=1, freeze=2)
    (notice,) = said
    assert 'the last layer was drawn anew, as the outputs of model "first_1" are others' in notice
    for one, other in zip(site.layers("first_1")[:2], site.layers(model)[:2], strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert site.layers(model)[2][0].shape == (6, 1)
    labels = column(site.db, "select distinct pgml.predict_label('moved', s) from signs s")
    assert set(labels) <= {"same", "other"}


def test_several_targets_start_from_a_model_and_one_from_them(site: Site) -> None:
    targets = "null, 'two', array['alike', 'side']"
    query = f"select model from pgml.train_joint('both', {targets}, base_model => {{}}, freeze => 1)"
    with notices(site.db) as said:
        assert value(site.db, query.format(2)) == "both_1"
    assert "drawn anew" in said[0]
    assert site.layers("both_1")[2][0].shape == (6, 2)
    model_id = value(site.superuser, "select model_id from pgml.trained_models where model = 'both_1'")
    with notices(site.db) as said:
        assert value(site.db, query.format(model_id)) == "both_2"
    assert "drawn anew" not in "".join(said)
    np.testing.assert_array_equal(site.layers("both_1")[0][0], site.layers("both_2")[0][0])
    assert value(site.db, "select pgml.predict_joint_label('both_2', p) from points p limit 1")


def test_norms_of_batches_are_part_of_the_weights(site: Site) -> None:
    layers = '{"hidden_layers": [8], "batch_norm": true}'
    site.train("normed", "first_rows", "y", algorithm="neural_network", hyperparams=layers)
    base = value(site.superuser, "select model_id from pgml.trained_models where model = 'normed_1'")
    with notices(site.db) as said:
        model = site.train("on", "later_rows", "y", base_model=base, freeze=1)
    assert 'the norms of model "normed_1" are part of its weights' in said[0]
    np.testing.assert_array_equal(site.layers("normed_1")[0][0], site.layers(model)[0][0])


def test_what_does_not_change_the_layers_is_searched(site: Site) -> None:
    arguments = '{"n_iter": 3, "cv": 2}'
    given = {"base_model": 2, "freeze": 1, "search": "random", "search_args": arguments}
    model = site.train("searched", "signs", "sign", **given, hyperparams='{"epochs": 5}')
    query = "select distinct jsonb_object_keys(parameters) from pgml.trials join pgml.models on id = model_id"
    tried = column(site.superuser, f"{query} where name = %s", [model])
    assert set(tried) == {"lambda", "learning_rate", "dropout"}
    np.testing.assert_array_equal(site.layers("sign_1")[0][0], site.layers(model)[0][0])


@pytest.mark.parametrize(
    ("options", "sqlstate", "message", "hint"),
    [
        ("freeze => 1", "22023", "freeze is given without base_model", "leave freeze out"),
        ("base_model => 1, freeze => -1", "22023", "freeze must be 0 at least, not -1", "hidden layers"),
        ("base_model => 1, freeze => 3", "22023", 'model "first_1" has 2 hidden layer(s)', "at most"),
        ("base_model => 99", "42704", "model 99 does not exist", "pgml.trained_models"),
        ("base_model => 3", "22023", 'regression by "linear", which has no weights', "neural_network"),
        ("base_model => 1, algorithm => 'linear'", "22023", 'not "linear"', "algorithm => 'neural_network'"),
        (
            """base_model => 1, hyperparams => '{"hidden_layers": [12]}'""",
            "22023",
            '"hidden_layers" contradicts model "first_1", which has [12, 6]',
            "Leave hidden_layers out",
        ),
        ("""base_model => 1, hyperparams => '{"activation": "relu"}'""", "22023", '"activation"', "Leave"),
        ("""base_model => 1, hyperparams => '{"batch_norm": true}'""", "22023", '"batch_norm"', "Leave"),
        ("""base_model => 1, preprocess => '{"x": {"scale": "robust"}}'""", "22023", "preprocess", "Leave"),
        (
            """base_model => 1, search => 'random', search_params => '{"hidden_layers": [[5]]}'""",
            "22023",
            'search_params hold "hidden_layers"',
            "learning_rate",
        ),
    ],
)
def test_what_contradicts_the_base_is_refused(
    site: Site, options: str, sqlstate: str, message: str, hint: str
) -> None:
    with refusal(sqlstate, message, hint):
        site.db.execute(f"select pgml.train('n', null, 'later_rows', 'y', {options})".encode())
    assert value(site.superuser, "select count(*) from pgml.overview where project = 'n'") == 0


def test_layers_may_be_said_as_they_are(site: Site) -> None:
    layers = '{"hidden_layers": [12, 6], "activation": ["tanh", "relu"], "batch_norm": false, "epochs": 1}'
    site.train("said", "later_rows", "y", base_model=1, hyperparams=layers)


def test_features_of_another_name_or_type_are_listed(site: Site) -> None:
    with pytest.raises(psycopg.Error, match="the features are not those that model") as caught:
        site.db.execute("select pgml.train('n', null, 'wider', 'y', base_model => 1)")
    detail = caught.value.diag.message_detail
    assert detail == 'There is no "colour"; "u" was no feature then; "z" has type text, not double precision.'


def test_arrays_of_another_length_are_refused(site: Site) -> None:
    site.db.execute(
        "create view pairs as select array[x, z] as at, colour, y from first_rows;"
        "create view triples as select array[x, z, 1] as at, colour, y from first_rows"
    )
    site.train("pairs", "pairs", "y", algorithm="neural_network", hyperparams='{"epochs": 2}')
    base = value(site.superuser, "select model_id from pgml.trained_models where model = 'pairs_1'")
    with refusal("22023", 'arrays of column "at" have 3 elements', "of that length"):
        site.train("n", "triples", "y", base_model=base)


def test_a_category_never_seen_falls_where_it_did(site: Site) -> None:
    site.db.execute(
        "create view violet as"
        " select z, x, case when x > 0 then 'violet' else colour end as colour, y from later_rows"
    )
    model = site.train("violet", "violet", "y", base_model=1)
    encodings = [
        unpack(value(site.superuser, "select artifact from pgml.models where name = %s", [name])).encoder
        for name in ("first_1", model)
    ]
    assert encodings[0] == encodings[1]


def test_the_model_of_another_role_needs_its_grant(site: Site, cluster: Cluster) -> None:
    database = site.db.info.dbname
    other = f"other_{database}"
    grant_pgml(cluster, database, other)
    site.db.execute(f"grant usage on schema {site.db.info.user} to {other}".encode())
    site.db.execute("grant select on later_rows to public")
    call = (
        f"select model from pgml.train('mine', null, '{site.db.info.user}.later_rows', 'y', base_model => 1)"
    )
    with cluster.connect(database, other) as theirs:
        with refusal("42704", "model 1 does not exist"):
            theirs.execute(call.encode())
        site.db.execute("select pgml.grant('first', %s, 'predict')", [other])
        with refusal("42501", 'permission denied for project "first"', "'manage'"):
            theirs.execute(call.encode())
        site.db.execute("select pgml.grant('first', %s, 'manage')", [other])
        assert value(theirs, call) == "mine_1"


def test_a_network_of_another_tool_is_refused(site: Site) -> None:
    site.db.execute("select pgml.import_onnx('theirs', pgml.export_onnx('first'))")
    base = value(site.superuser, "select model_id from pgml.trained_models where model = 'theirs_1'")
    with refusal("0A000", 'model "theirs_1" was imported', "neural_network"):
        site.train("n", "later_rows", "y", base_model=base)


def test_a_model_outlives_its_base_and_moves(site: Site, cluster: Cluster) -> None:
    site.train("gone", "first_rows", "y", algorithm="neural_network", hyperparams='{"epochs": 2}')
    base = value(site.superuser, "select model_id from pgml.trained_models where model = 'gone_1'")
    site.train("stays", "later_rows", "y", base_model=base)
    site.db.execute("select pgml.drop_project('gone')")
    predict = "select pgml.predict('{}', p) from points p order by n"
    expected = column(site.db, predict.format("stays"))
    with refusal("42704", f"model {base} does not exist"):
        site.train("n", "later_rows", "y", base_model=base)
    site.train("again", "later_rows", "y", base_model=base + 1)
    site.db.execute("select pgml.import_model('copy', pgml.export_model('stays'))")
    assert column(site.db, predict.format("copy")) == expected
    copy = value(site.superuser, "select model_id from pgml.trained_models where model = 'copy_1'")
    site.train("from_copy", "later_rows", "y", base_model=copy, freeze=1)
    restored = f"{site.db.info.dbname}_restored"
    cluster.create_database(restored)
    try:
        cluster.restore(cluster.dump(site.db.info.dbname), restored)
        with cluster.connect(restored, site.db.info.user) as there:
            assert column(there, predict.format("stays")) == expected
            assert value(there, "select model from pgml.train('stays', base_model => 1)") == "stays_2"
    finally:
        cluster.drop_database(restored)
