"""pgml.train's threshold, obeyed by whatever answers with a label: also by rows that lie on it exactly."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, value
from tests.sql_databases import DuckDatabase, SqliteDatabase
from tests.unit import builders

SETTING = """
create table rows as
select n as id, (n / 8 % 4)::float8 as a, n % 8 < (array[0, 2, 4, 8])[n / 8 % 4 + 1] as gone,
    (array['stays', 'leaves'])[1 + (n % 8 >= (array[0, 2, 4, 8])[n / 8 % 4 + 1])::int] as label,
    (array[2, 7])[1 + (n % 8 < (array[0, 2, 4, 8])[n / 8 % 4 + 1])::int] as number, n % 3 as kind
from generate_series(0, 127) n;
create view of_text as select a, label from rows order by id;
create view of_boolean as select a, gone from rows order by id;
create view of_number as select a, number from rows order by id;
create view of_three as select a, kind from rows;
create view of_quantity as select id::float8 as a, a as y from rows;
create table asked (id int primary key, a float8);
insert into asked values (0, 0), (1, 1), (2, 2), (3, 3);
"""
LOANS = """
create table loans as
select n as id, n * 7919 % 101 as debt, case when n % 9 > 0 then n * 31 % 50 end as age,
    (array['town', 'land', null])[n % 3 + 1] as place, n * 7919 % 101 + n * 131 % 83 > 150 as lost
from generate_series(1, 600) n;
create view seen as select debt, age, place, lost from loans
"""
TRAIN = (
    "select pgml.train('{0}', 'classification', 'of_{0}', '{1}', 'decision_tree', threshold => '{2!r}', "
    "test_sampling => 'last', test_size => 32)"
)
TARGETS = {"text": "label", "boolean": "gone", "number": "number"}
LABELS = {"text": ("leaves", "stays"), "boolean": ("false", "true"), "number": ("2", "7")}
"""In code order."""
ABOVE = math.nextafter(0.25, 1.0)
SHARES = [0.0, 0.25, 0.5, 1.0]
"""The probability of the second one where ``a`` is 0, 1, 2, 3."""


def expected(kind: str, threshold: float) -> list[str]:
    return [LABELS[kind][share >= threshold] for share in SHARES]


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with the tables."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute(SETTING.encode())
        yield connection
    cluster.drop_database(database)


@pytest.fixture(params=[("text", 0.25), ("boolean", 0.25), ("boolean", ABOVE), ("number", ABOVE)])
def trained(request: pytest.FixtureRequest, shared: Connection) -> Iterator[tuple[Connection, str, float]]:
    kind, threshold = request.param
    shared.execute(TRAIN.format(kind, TARGETS[kind], threshold).encode())
    yield shared, kind, threshold
    shared.execute(f"select pgml.drop_project('{kind}')".encode())


def check_predictions(db: Connection, kind: str, wanted: list[str]) -> None:
    """Check what every verb says of the four rows."""
    model = value(db, "select model_id from pgml.overview where project = %s", [kind])
    for features in ("x", "to_jsonb(x)", "to_json(x)", "jsonb_build_array(a)"):
        for reference in (f"'{kind}'", f"{model}::bigint"):
            query = f"select pgml.predict_label({reference}, {features}) from (select a, id from asked) x"
            assert column(db, f"{query} order by id") == wanted, (features, reference)
    query = f"select pgml.predict_label('{kind}', array[a]) from asked order by id"
    assert column(db, query) == wanted
    table = f"select label from pgml.predict_table('{kind}', 'asked') order by key::int"
    assert column(db, table) == wanted
    second = f"select pgml.predict_proba('{kind}', array[a]) from asked order by id"
    assert [each[1] for each in column(db, second)] == SHARES
    if kind == "text":
        return
    numbers = [{"true": 1.0, "false": 0.0}[each] if kind == "boolean" else float(each) for each in wanted]
    for call in (
        f"select pgml.predict('{kind}', array[a]) from asked order by id",
        f"select pgml.predict({model}::bigint, array[a]) from asked order by id",
        f"select pgml.predict('{kind}', x) from asked x order by id",
        f"select pgml.predict('{kind}', to_jsonb(x)) from asked x order by id",
        f"select pgml.score('{kind}', x) from asked x order by id",
        f"select pgml.score('{kind}', jsonb_build_object('a', a)) from asked x order by id",
        f"select pgml.predict_batch('{kind}', array[[0], [1], [2], [3]]::float8[])",
        f"select prediction from pgml.predict_table('{kind}', 'asked') order by key::int",
    ):
        found = column(db, call)
        found = found[0] if found and isinstance(found[0], list) else found
        assert found == numbers, call


def test_every_verb_obeys(trained: tuple[Connection, str, float]) -> None:
    db, kind, threshold = trained
    check_predictions(db, kind, expected(kind, threshold))


def test_sql_obeys(trained: tuple[Connection, str, float]) -> None:
    db, kind, threshold = trained
    wanted: list[Any] = expected(kind, threshold)
    if kind != "text":
        wanted = [{"true": 1.0, "false": 0.0}[each] if kind == "boolean" else float(each) for each in wanted]
    sql = value(db, f"select pgml.to_sql('{kind}', relation_name => 'asked', key => 'id')")
    assert column(db, f"select prediction from ({sql}) x order by id") == wanted
    rows = builders.numbers(a=[0, 1, 2, 3])
    for database in (SqliteDatabase(), DuckDatabase()):
        database.load(rows)
        call = f"select pgml.to_sql('{kind}', '{database.dialect}', 'rows_to_score', 'row_id')"
        statement = value(db, call)
        assert "checked against the model" in statement
        assert database.answers(statement)["prediction"] == wanted
    db.execute(f"select pgml.create_sql_function('{kind}', 'decide')".encode())
    assert column(db, "select decide(a) from asked order by id") == wanted
    db.execute(b"drop function decide")
    db.execute(f"select pgml.create_sql_view('{kind}', 'decided', 'asked')".encode())
    assert column(db, "select prediction from decided order by id") == wanted
    db.execute(b"drop view decided")


def test_a_model_deployed_as_sql_obeys(trained: tuple[Connection, str, float]) -> None:
    db, kind, threshold = trained
    db.execute(f"select pgml.deploy('{kind}', 'most_recent', engine => 'sql')".encode())
    check_predictions(db, kind, expected(kind, threshold))


def test_a_model_that_moves_keeps_its_threshold(trained: tuple[Connection, str, float]) -> None:
    db, kind, threshold = trained
    file = value(db, f"select pgml.export_model('{kind}')")
    onnx = value(db, f"select pgml.export_onnx('{kind}')")
    facts = value(db, "select metrics -> 'threshold' from pgml.trained_models where project = %s", [kind])
    assert facts == {"value": threshold}
    with refusal("0A000", "cannot be written as PMML", "export_onnx"):
        db.execute(f"select pgml.export_pmml('{kind}')".encode())
    db.execute(f"select pgml.drop_project('{kind}')".encode())
    db.execute(b"select pgml.import_onnx(%s, %s)", [kind, onnx])
    check_predictions(db, kind, expected(kind, threshold))
    db.execute(f"select pgml.drop_project('{kind}')".encode())
    db.execute(b"select pgml.import_model(%s, %s)", [kind, file])
    check_predictions(db, kind, expected(kind, threshold))
    facts = value(db, "select metrics -> 'threshold' from pgml.trained_models where project = %s", [kind])
    assert facts == {"value": threshold}


def test_what_is_measured_is_measured_of_the_labels(trained: tuple[Connection, str, float]) -> None:
    db, kind, threshold = trained
    right = 8 + (2 if threshold == 0.25 else 6) + 4 + 8
    for relation in ("", f", 'last_{kind}'"):
        if relation:
            db.execute(
                f"create view last_{kind} as select a, {TARGETS[kind]} from rows where id >= 96".encode()
            )
        found = value(db, f"select value from pgml.evaluate('{kind}'{relation}) where metric = 'accuracy'")
        assert found == right / 32
        matrix = db.execute(
            f"select actual, predicted, count from pgml.confusion_matrix('{kind}'{relation})".encode()
        ).fetchall()
        second = LABELS[kind][1]
        taken = sum(count for _, predicted, count in matrix if predicted == second)
        assert taken == 8 * expected(kind, threshold).count(second)
        auc = value(db, f"select value from pgml.evaluate('{kind}'{relation}) where metric = 'roc_auc'")
        assert auc == pytest.approx(0.9127, abs=1e-4)
    importance = value(
        db, f"select importance from pgml.feature_importance('{kind}', 'last_{kind}') where feature = 'a'"
    )
    assert importance > 0
    db.execute(f"drop view last_{kind}".encode())


def test_a_better_threshold_is_a_better_model(db: Connection) -> None:
    db.execute(SETTING.encode())
    db.execute(TRAIN.format("boolean", "gone", 0.1).encode())
    with notices(db) as said:
        db.execute(TRAIN.format("boolean", "gone", 0.2).encode())
        assert "as good or better" in said[-1]
        found = row(db, "select deployed, score from " + TRAIN.format("boolean", "gone", 0.6)[7:])
    assert found == (True, 26 / 32)


def test_a_threshold_outlives_a_dump(cluster: Cluster, db: Connection, database: str) -> None:
    db.execute(SETTING.encode())
    db.execute(TRAIN.format("text", "label", 0.25).encode())
    copy = f"{database}_copy"
    cluster.create_database(copy)
    try:
        cluster.restore(cluster.dump(database), copy)
        with cluster.connect(copy) as other:
            check_predictions(other, "text", expected("text", 0.25))
    finally:
        cluster.drop_database(copy)


def test_a_threshold_is_chosen_and_told(db: Connection) -> None:
    db.execute(LOANS.encode())
    call = "pgml.train('seen', 'lost', metric => 'f1_macro', threshold => 'auto')"
    with notices(db) as said:
        found = row(db, f"select model_id, model from {call}")
    (note,) = [each for each in said if each.startswith("threshold 0.")]
    assert note.endswith(", chosen by f1_macro on out-of-fold predictions of the training rows")
    facts = value(db, "select metrics -> 'threshold' from pgml.models where id = %s", [found[0]])
    assert note.startswith(f"threshold {facts['value']:.6g},")
    assert facts["score"] > facts["score_at_half"]
    differing = value(
        db,
        "select count(*) from seen s where pgml.predict_label('seen', s)::boolean <> "
        "((pgml.predict_proba('seen', s))[2] >= %s)",
        [facts["value"]],
    )
    assert differing == 0
    assert value(
        db,
        "select count(*) > 0 from seen s where pgml.predict_label('seen', s)::boolean <> "
        "((pgml.predict_proba('seen', s))[2] > 0.5)",
    )


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        ("'of_boolean', 'gone', threshold => '0'", "threshold 0 is not between 0 and 1", "'auto'"),
        ("'of_boolean', 'gone', threshold => '1'", "threshold 1 is not between 0 and 1", "'0.3'"),
        ("'of_boolean', 'gone', threshold => '-0.1'", "threshold -0.1 is not between", ""),
        ("'of_boolean', 'gone', threshold => 'NaN'", "threshold NaN is not between", ""),
        ("'of_boolean', 'gone', threshold => 'inf'", "threshold inf is not between", ""),
        ("'of_boolean', 'gone', threshold => '0,3'", 'threshold "0,3" is no number', "'0.3'"),
        ("'of_boolean', 'gone', threshold => ''", 'threshold "" is no number', ""),
        ("'of_boolean', 'gone', threshold => 'Auto '", 'threshold "Auto " is no number', ""),
        ("'of_quantity', 'y', threshold => '0.3'", "the task is regression", "classification"),
        ("'p', 'clustering', 'of_quantity', threshold => '0.3'", "the task is clustering", ""),
        ("'p', 'regression', 'of_number', 'number', threshold => 'auto'", "the task is regression", ""),
        ("'of_three', 'kind', threshold => '0.3'", 'two classes, and target column "kind" has 3', ""),
        (
            "'of_boolean', 'gone', metric => 'roc_auc', threshold => 'auto'",
            'metric "roc_auc" does not depend on the threshold',
            '"f1"',
        ),
        ("'of_boolean', 'gone', metric => 'log_loss', threshold => 'auto'", "does not depend", ""),
        ("'of_boolean', 'gone', 'ridge', threshold => '0.3'", '"ridge" gives scores', '"linear"'),
        ("'of_boolean', 'gone', 'svm', threshold => '0.3'", '"svm" gives scores', "random_forest"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(
    shared: Connection, call: str, message: str, hint: str
) -> None:
    with refusal("22023", message, hint):
        shared.execute(f"select pgml.train({call})".encode())


def test_a_wrong_threshold_is_refused_before_a_row_is_read(db: Connection) -> None:
    db.execute(
        b"create function fail() returns boolean language plpgsql as "
        b"$$ begin raise 'read'; end $$; create view unread as select 1 as a, fail() as y"
    )
    for call in (
        "threshold => '2'",
        "threshold => 'x'",
        "threshold => 'auto', metric => 'roc_auc'",
        "threshold => '0.3', algorithm => 'ridge'",
        "threshold => '0.3', task => 'regression'",
    ):
        form = "'p', y_column_name => 'y', relation_name => 'unread'"
        with refusal("22023"):
            db.execute(f"select pgml.train({form}, {call})".encode())
    with refusal("P0001", "read"):
        db.execute(b"select pgml.train('unread', 'y', threshold => '0.3')")


def test_joint_training_has_no_threshold(shared: Connection) -> None:
    with refusal("42883"):
        shared.execute(
            b"select pgml.train_joint('p', null, 'of_boolean', array['a', 'gone'], threshold => '0.3')"
        )


COSTS = {
    "labels": "(actual boolean, predicted boolean) returns float8 language sql immutable"
    " return case when actual and not predicted then 20 when predicted and not actual then 1 else 0 end",
    "probabilities": "(actual boolean, predicted float8) returns float8 language sql immutable"
    " return abs(actual::int - predicted)",
}


def test_a_threshold_is_chosen_by_a_cost_in_sql(db: Connection) -> None:
    db.execute(LOANS.encode())
    db.execute(f"create function mistakes {COSTS['labels']}".encode())
    train = "select score from pgml.train('{0}', 'classification', 'seen', 'lost', cost => 'mistakes'{1})"
    plain = value(db, train.format("plain", ""))
    assert value(db, train.format("costly", ", threshold => 'auto'")) < plain / 2
    chosen = value(db, "select metrics -> 'threshold' from pgml.trained_models where project = 'costly'")
    assert chosen["metric"] == "public.mistakes(boolean, boolean)"
    assert chosen["value"] < 0.3
    assert chosen["score"] < chosen["score_at_half"]


def test_a_cost_of_probabilities_chooses_no_threshold(db: Connection) -> None:
    db.execute(LOANS.encode())
    db.execute(f"create function distance {COSTS['probabilities']}".encode())
    options = "cost => 'distance', threshold => 'auto'"
    with refusal("22023", "does not depend on the threshold"):
        db.execute(f"select pgml.train('p', 'classification', 'seen', 'lost', {options})".encode())
