"""Several targets that are classes in one network, through everything that serves joint models."""

import numpy as np
from psycopg.rows import dict_row

from pgml.artifact.dense import layers_of
from pgml.artifact.format import unpack
from tests.cluster import Cluster, Connection
from tests.results import column, notices, value


def test_one_network_serves_as_any_joint_model(cluster: Cluster, database: str, plain: Connection) -> None:
    plain.execute(
        "create table t as select n, sin(n * 7.1) as x, cos(n * 3.3) as z, sin(n * 7.1) > 0 as positive, case"
        " when n % 9 > 0 then (array['low', 'mid', 'high'])[width_bucket(cos(n * 3.3), -1, 1.001, 3)]"
        " end as level"
        " from generate_series(1, 600) n;"
        "create view v as select x, z, positive, level from t"
    )
    with notices(plain) as said:
        query = (
            "select score from pgml.train_joint('j', null, 'v', array['level', 'positive'], 'neural_network')"
        )
        assert value(plain, query) > 0.9
    assert '66 row(s) with NULL in "level" or "positive" were left out' in said[0]
    labels = "select pgml.predict_joint_label('{}', t) from t where n % 9 > 0 order by n"
    found = column(plain, labels.format("j"))
    known = column(plain, "select array[level, positive::text] from t where n % 9 > 0 order by n")
    assert np.mean(np.array(found) == np.array(known)) > 0.9
    one = "select pgml.predict_joint_label('j', array[x, z]) from t where n % 9 > 0 order by n limit 20"
    assert column(plain, one) == found[:20]
    with cluster.connect(database) as superuser:
        data = value(superuser, "select artifact from pgml.models")
        tables = value(superuser, "select evaluation -> 'parts' from pgml.models")
    assert [matrix.shape for matrix, _ in layers_of(unpack(data).graph)] == [(2, 10), (10, 4)]
    assert [part["target"] for part in tables] == ["level", "positive"]
    assert value(plain, "select count(*) from pgml.evaluate('j', 'v') where metric = 'accuracy'") == 1
    assert set(column(plain, "select feature from pgml.feature_importance('j')")) == {"x", "z"}
    plain.execute("select pgml.import_model('copy', pgml.export_model('j'))")
    assert column(plain, labels.format("copy")) == found
    assert value(plain, "select length(pgml.export_onnx('j'))") > 100


def test_one_network_becomes_sql_as_any_joint_model(plain: Connection) -> None:
    plain.execute(
        "create table t as select n, x, x > 0.2 as a, (array['one', 'two', 'three'])[n % 3 + 1] as b"
        " from (select n, sin(n * 7.1) as x from generate_series(1, 300) n) n;"
        "create view v as select n % 3 as m, x, a, b from t"
    )
    plain.execute("select pgml.train_joint('j', null, 'v', array['a', 'b'], 'neural_network')")
    sql = value(plain, "select pgml.to_sql('j', output => 'prediction', key => 'x')")
    with plain.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.encode()).fetchall()
    labels = "select pgml.predict_joint_label('j', v) from v where x = %s"
    for each in rows[:20]:
        (found,) = column(plain, labels, [each["x"]])
        assert [str(bool(each["prediction_a"])).lower(), each["prediction_b"]] == found, each
