"""Layers of networks as an SQL user asks for them: of rows in every form, by name and by id, with rights."""

from collections.abc import Iterator

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, row, value
from tests.sharing import People

NETWORK = '{"hidden_layers": [6, 3], "epochs": 5, "activation": "tanh"}'


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with a network and a line of irises, and a table of them with texts and NULLs."""
    name = cluster.database_with_pgml()
    with cluster.connect(name) as db:
        db.execute(b"select pgml.load_dataset('iris')")
        db.execute(
            b"create view plants as select sepal_length, sepal_width, petal_length, target from pgml.iris"
        )
        db.execute(
            b"create view spots as select case when n % 7 > 0 then n % 13 end as size, "
            b"(array['a', 'b', null])[n % 3 + 1] as kind, n % 5 as score from generate_series(1, 300) n"
        )
        for project, view, target, algorithm in (
            ("net", "plants", "target", "neural_network"),
            ("spots", "spots", "score", "neural_network"),
        ):
            db.execute(
                "select pgml.train(%s, 'regression', %s, %s, %s, %s)",
                [project, view, target, algorithm, NETWORK],
            )
        db.execute(b"select pgml.train('line', 'regression', 'plants', 'target', 'ridge')")
        yield db
    cluster.drop_database(name)


def test_every_way_of_asking_gives_one_layer(shared: Connection) -> None:
    model = value(shared, "select model_id from pgml.trained_models where project = 'net'")
    first = "sepal_length, sepal_width, petal_length"
    for call in (
        f"'net', row({first})",
        f"'net_1', array[{first}]",
        "'net', p",
        "'net', to_jsonb(p)",
        "'net', to_jsonb(p)::text",
        f"{model}, array[{first}]",
        f"{model}, p",
        f"{model}, to_json(p)::text",
    ):
        encoded = f"select pgml.encode({call}) = pgml.encode('net', p, 2), "
        sizes = f"cardinality(pgml.encode({call}, 1)), cardinality(pgml.encode({call}, layer => 2))"
        assert row(shared, f"{encoded}{sizes} from plants p limit 1") == (True, 6, 3), call
    assert value(shared, "select pgml.encode('net', null::plants) is null") is True
    assert value(shared, "select bool_and(pgml.encode('spots', s) is not null) from spots s") is True


def test_the_last_layer_leads_to_the_prediction(shared: Connection) -> None:
    found = shared.execute(
        b"select pgml.encode('net', p), pgml.predict('net', p) from plants p where target > 0"
    ).fetchall()
    layer, predicted = np.array([each[0] for each in found]), np.array([each[1] for each in found])
    matrix = np.column_stack([layer, np.ones(len(layer))])
    weights = np.linalg.lstsq(matrix, predicted, rcond=None)[0]
    np.testing.assert_allclose(matrix @ weights, predicted, rtol=1e-9, atol=1e-9)
    assert len(np.unique(layer, axis=0)) > 50


def test_a_session_is_loaded_once_and_counted(shared: Connection) -> None:
    shared.execute(b"select pgml.warm('net')")
    held = "select bytes from pgml.cache_status() where project = 'net'"
    shared.execute(b"select pgml.predict('net', p) from plants p limit 1")
    shared.execute(b"select pgml.encode('net', p) from plants p")
    once = value(shared, held)
    shared.execute(b"select pgml.encode('net', p, 1) from plants p")
    assert value(shared, held) == once
    assert once > 2 * (128 << 10)


def test_what_has_no_such_layer_is_refused(shared: Connection) -> None:
    with refusal("42804", 'model "line_1" of algorithm "ridge" has no hidden layers', '"neural_network"'):
        shared.execute(b"select pgml.encode('line', p) from plants p")
    for layer in (0, 3, -1):
        with refusal("22023", f"layer {layer} does not exist", "Choose a layer from 1 to 2"):
            shared.execute("select pgml.encode('net', p, %s::int) from plants p", [layer])
    with refusal("42704", 'project "none" does not exist'):
        shared.execute(b"select pgml.encode('none', array[1.0])")


def test_who_may_predict_may_encode(people: People) -> None:
    call = "select cardinality(pgml.encode('net', array[5, 3, 1.4]))"
    with people.session(people.ana) as ana:
        ana.execute(
            b"create table own as select n % 7 as a, n % 5 as b, n % 3 as c, n % 2 as y "
            b"from generate_series(1, 200) n"
        )
        ana.execute("select pgml.train('net', 'regression', 'own', 'y', 'neural_network', %s)", [NETWORK])
        people.grant(people.bob, project="net")
        assert value(ana, call) == 3
    with people.session(people.bob) as bob:
        assert value(bob, call) == 3
    with people.session(people.eve) as eve, refusal("42704"):
        eve.execute(call.encode())
    people.revoke(people.bob, project="net")
    with people.session(people.bob) as bob, refusal("42704"):
        bob.execute(call.encode())


def test_an_imported_network_has_layers(db: Connection) -> None:
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "first"], ["summed"]),
            helper.make_node("Tanh", ["summed"], ["curved"]),
            helper.make_node("MatMul", ["curved", "last"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", 3])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["rows", 1])],
        [numpy_helper.from_array(first, "first"), numpy_helper.from_array(last, "last")],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    db.execute("select pgml.import_onnx('net', %s, task => 'regression')", [file.SerializeToString()])
    found = column(
        db, "select pgml.encode('net', array[1, 2, 3]) union all select pgml.encode('net', '[1, 2, 3]')"
    )
    for each in found:
        np.testing.assert_allclose(each, np.tanh(np.array([1.0, 2.0, 3.0]) @ first), rtol=1e-12)


def test_a_model_served_by_sql_has_layers(shared: Connection) -> None:
    before = value(shared, "select pgml.encode('net', p) from plants p limit 1")
    shared.execute(b"select pgml.deploy('net', engine => 'sql')")
    assert value(shared, "select pgml.encode('net', p) from plants p limit 1") == pytest.approx(before)
    shared.execute(b"select pgml.deploy('net', engine => 'graph')")


def test_what_was_let_go_of_is_loaded_again(own_cluster: Cluster) -> None:
    name = own_cluster.database_with_pgml()
    with own_cluster.connect(name) as db:
        db.execute(
            b"create table t as select n % 7 as a, n % 5 as b, n % 2 as y from generate_series(1, 200) n"
        )
        for project in ("one", "two"):
            db.execute(
                "select pgml.train(%s, 'regression', 't', 'y', 'neural_network', %s)", [project, NETWORK]
            )
        db.execute(b"insert into pgml.settings values ('max_cache_bytes', 1)")
        first = [value(db, f"select pgml.encode('{each}', array[1, 2])") for each in ("one", "two")]
        assert len(column(db, "select model from pgml.cache_status()")) == 1
        again = [value(db, f"select pgml.encode('{each}', array[1, 2])") for each in ("one", "two")]
        assert again == first
