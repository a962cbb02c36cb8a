"""How good a model is: stored with it, on other rows, and what each feature is worth."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from sklearn import metrics as scikit

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, notices, refusal, value

SETTING = """
select pgml.load_dataset('breast_cancer');
create view cells as
select "mean radius" as radius, "mean texture" as texture, "worst area" as area, malignant
from pgml.breast_cancer;
create view some_cells as select * from cells where radius > 14;
create table drinks as
select n as id, (n * 7919 % 1000)::float8 / 1000 as sugar, (n * 104729 % 997)::float8 / 997 as noise,
    case when n = 17 then 'rare' when n * 7919 % 1000 + n * 31 % 200 < 500 then 'dry' else 'sweet' end as kind
from generate_series(1, 600) n;
create table fresh as
select (n * 7907 % 1000)::float8 / 1000 as sugar, n % 13 / 13.0 as noise,
    case when n % 100 = 0 then 'never seen' when n % 50 = 0 then null
        when (n * 7907 % 1000) < 520 then 'dry' else 'sweet' end as kind
from generate_series(1, 1000) n;
create view named as select sugar, noise, kind from drinks;
create table prices as
select (n * 7919 % 1000)::float8 as size, (n * 104729 % 997)::float8 as noise,
    2.0 * (n * 7919 % 1000) + (n * 31 % 200) as price, n % 10 as rooms
from generate_series(1, 500) n;
create view prices_alone as select size, noise, price from prices;
select pgml.train('cells', 'malignant');
select pgml.train('margins', 'classification', 'cells', 'malignant', 'ridge');
select pgml.train('named', 'kind', 'random_forest', hyperparams => '{"n_estimators": 20}');
select pgml.train('prices_alone', 'price');
select pgml.train('groups', 'clustering', 'prices_alone', null, 'kmeans', '{"n_clusters": 4}');
select pgml.train_joint('both', null, 'prices', array['price', 'rooms'], 'random_forest');
"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with models of every task that is scored."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def scores(db: Connection, call: str) -> dict[str, Any]:
    """Return the values of pgml.evaluate by metric."""
    return dict(db.execute(f"select metric, value from {call}".encode()).fetchall())


def test_stored_metrics_are_those_of_the_training(shared: Connection) -> None:
    rows = shared.execute("select * from pgml.evaluate('cells')").fetchall()
    stored = value(shared, "select metrics from pgml.trained_models where model = 'cells_1'")
    assert {name: found for name, found, _, _ in rows} == {name: stored[name] for name, *_ in rows}
    assert [name for name, _, low, high in rows if low is not None and high is not None] == ["accuracy"]
    bounds = shared.execute(
        "select score_low, score_high from pgml.overview where project = 'cells'"
    ).fetchone()
    assert bounds == rows[0][2:]
    assert rows[0][2] < rows[0][1] < rows[0][3]
    assert shared.execute("select * from pgml.evaluate('cells_1')").fetchall() == rows
    number = value(shared, "select model_id from pgml.trained_models where model = 'cells_1'")
    assert shared.execute(f"select * from pgml.evaluate({number})".encode()).fetchall() == rows


def test_a_fresh_relation_is_scored_as_scikit_learn_scores_its_probabilities(shared: Connection) -> None:
    found = scores(shared, "pgml.evaluate('cells', 'some_cells')")
    rows = shared.execute("select malignant, pgml.predict_proba('cells', c) from some_cells c").fetchall()
    truth = [malignant for malignant, _ in rows]
    proba = np.array([each for _, each in rows])
    labels = proba.argmax(axis=1).astype(bool)
    assert found["accuracy"] == pytest.approx(scikit.accuracy_score(truth, labels))
    assert found["f1"] == pytest.approx(scikit.f1_score(truth, labels, average="weighted"))
    assert found["mcc"] == pytest.approx(scikit.matthews_corrcoef(truth, labels))
    assert found["log_loss"] == pytest.approx(scikit.log_loss(truth, proba))
    assert found["brier"] == pytest.approx(scikit.brier_score_loss(truth, proba[:, 1]))
    assert found["average_precision"] == pytest.approx(scikit.average_precision_score(truth, proba[:, 1]))


def test_roc_auc_is_of_probabilities_not_of_hard_labels(shared: Connection) -> None:
    for relation in ("some_cells", "cells"):
        found = scores(shared, f"pgml.evaluate('cells', '{relation}')")["roc_auc"]
        rows = shared.execute(
            f"select malignant, (pgml.predict_proba('cells', c))[2] from {relation} c".encode()
        ).fetchall()
        truth, proba = zip(*rows, strict=True)
        assert found == pytest.approx(scikit.roc_auc_score(truth, proba))
        hard = scikit.roc_auc_score(truth, np.array(proba) > 0.5)
        assert found > hard + 0.005


def test_a_regression_on_a_relation_is_scored_as_by_scikit_learn(shared: Connection) -> None:
    rows = shared.execute("select price, pgml.predict('prices_alone', p) from prices_alone p").fetchall()
    truth, predicted = zip(*[(float(price), found) for price, found in rows], strict=True)
    found = shared.execute("select * from pgml.evaluate('prices_alone', 'prices')").fetchall()
    by_name = {name: each for name, each, _, _ in found}
    assert by_name["r2"] == pytest.approx(scikit.r2_score(truth, predicted))
    assert by_name["mean_absolute_error"] == pytest.approx(scikit.mean_absolute_error(truth, predicted))
    assert by_name["max_error"] == pytest.approx(scikit.max_error(truth, predicted))
    assert all(low < each < high for name, each, low, high in found if name != "max_error")


def test_a_rare_class_missing_from_the_test_rows_does_not_abort(shared: Connection) -> None:
    known = column(shared, "select distinct actual from pgml.confusion_matrix('named') order by 1")
    assert known == ["dry", "rare", "sweet"]
    assert value(shared, "select sum(count) from pgml.confusion_matrix('named') where actual = 'rare'") == 0
    assert scores(shared, "pgml.evaluate('named')")["accuracy"] > 0.7
    assert column(shared, "select distinct class from pgml.roc_curve('named') order by 1") == ["dry", "sweet"]


def test_labels_the_model_does_not_know_count_as_wrong(shared: Connection) -> None:
    with notices(shared) as said:
        found = scores(shared, "pgml.evaluate('named', 'fresh')")
    assert said == ['10 row(s) with NULL in "kind" were left out']
    truth = np.array(column(shared, "select kind from fresh where kind is not null order by ctid"))
    predicted = np.array(
        column(
            shared, "select pgml.predict_label('named', f) from fresh f where kind is not null order by ctid"
        )
    )
    assert found["accuracy"] == pytest.approx(np.mean(truth == predicted))
    matrix = shared.execute("select * from pgml.confusion_matrix('named', 'fresh')").fetchall()
    assert sum(count for _, _, count in matrix) == 990
    assert sum(count for actual, _, count in matrix if actual is None) == np.sum(truth == "never seen") == 10
    right = sum(count for actual, predicted, count in matrix if actual == predicted)
    assert right / 990 == found["accuracy"]


def test_a_relation_of_one_class_or_one_row_is_scored_too(shared: Connection) -> None:
    shared.execute("create temporary view one as select * from fresh where kind = 'dry'")
    assert scores(shared, "pgml.evaluate('named', 'one')")["roc_auc"] is None
    assert scores(shared, "pgml.evaluate('named', 'one')")["accuracy"] > 0.7
    assert column(shared, "select class from pgml.roc_curve('named', 'one')") == []
    shared.execute("create temporary view single as select * from prices_alone limit 1")
    assert scores(shared, "pgml.evaluate('prices_alone', 'single')")["mean_absolute_error"] >= 0


@pytest.mark.parametrize("relation", ["", ", 'some_cells'"])
def test_curves_go_one_way_from_end_to_end(shared: Connection, relation: str) -> None:
    roc = shared.execute(f"select * from pgml.roc_curve('cells'{relation})".encode()).fetchall()
    assert {row[0] for row in roc} == {"true"}
    assert roc[0] == ("true", float("inf"), 0, 0)
    assert roc[-1][2:] == (1, 1)
    assert all(a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3] for a, b in pairwise(roc))
    curve = shared.execute(
        f"select * from pgml.precision_recall_curve('cells'{relation})".encode()
    ).fetchall()
    assert curve[-1] == ("true", float("inf"), 1, 0)
    assert all(a[1] <= b[1] and a[3] >= b[3] for a, b in pairwise(curve))
    bins = shared.execute(f"select * from pgml.calibration_curve('cells'{relation})".encode()).fetchall()
    rows = value(shared, f"select sum(count) from pgml.confusion_matrix('cells'{relation})")
    assert sum(count for *_, count in bins) == rows
    assert all(a[1] < b[1] for a, b in pairwise(bins))


def test_scores_that_are_no_probabilities_rank_but_are_not_calibrated(shared: Connection) -> None:
    for relation in ("", ", 'some_cells'"):
        points = column(shared, f"select true_positive_rate from pgml.roc_curve('margins'{relation})")
        assert points[-1] == 1
        with refusal("42804", 'model "margins_1" gives no probabilities', "Call pgml.roc_curve"):
            shared.execute(f"select * from pgml.calibration_curve('margins'{relation})".encode())


def test_a_matrix_of_too_many_classes_is_told_to_be_counted_otherwise(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "update pgml.models set evaluation = jsonb_set(evaluation, '{confusion_matrix}', 'null')"
            " where name = 'named_1'"
        )
        with refusal("54000", "tells 3 classes apart", "Join pgml.predict_table"):
            shared.execute("select * from pgml.confusion_matrix('named')")


def test_a_column_that_training_saw_missing_may_be_absent_and_arrays_keep_their_length(
    shared: Connection,
) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "create table holes as select array[n, n % 7]::int[] as pair, n % 5 as five,"
            " case when n % 3 > 0 then 'c' || n % 2 end as often, n * 2.0 as y from generate_series(1, 200) n"
        )
        shared.execute("select pgml.train('holes', 'y')")
        shared.execute("create view less as select y::real, five::numeric, pair::float8[] from holes")
        shared.execute("create view null_instead as select y, five, pair, null::varchar as often from holes")
        less = scores(shared, "pgml.evaluate('holes', 'less')")
        assert less == pytest.approx(scores(shared, "pgml.evaluate('holes', 'null_instead')"))
        assert less["r2"] > 0.99
        shared.execute("create view longer as select y, five, pair || 1 as pair, often from holes")
        with refusal("42804", 'arrays in column "pair" have 3 elements', "Give arrays"):
            shared.execute("select * from pgml.evaluate('holes', 'longer')")


@pytest.mark.parametrize("relation", ["", ", 'fresh'"])
def test_importance_finds_the_feature_that_tells(shared: Connection, relation: str) -> None:
    rows = shared.execute(f"select * from pgml.feature_importance('named'{relation})".encode()).fetchall()
    assert [name for name, *_ in rows] == ["sugar", "noise"]
    (_, high, deviation, own), (_, low, _, _) = rows
    assert high > 0.3
    assert abs(low) < 0.06
    assert 0 < deviation < 0.1
    assert own > 0.5
    assert sum(each for *_, each in rows) == pytest.approx(1, abs=1e-5)
    again = shared.execute(f"select * from pgml.feature_importance('named'{relation})".encode()).fetchall()
    assert again == rows


def test_clusterings_and_joint_models_are_measured(shared: Connection) -> None:
    stored = scores(shared, "pgml.evaluate('groups')")
    assert set(stored) == set(scores(shared, "pgml.evaluate('groups', 'prices')"))
    assert scores(shared, "pgml.evaluate('groups', 'prices')")["silhouette"] > 0.2
    importances = shared.execute("select * from pgml.feature_importance('groups')").fetchall()
    assert {name for name, *_ in importances} == {"size", "noise", "price"}
    joint = scores(shared, "pgml.evaluate('both', 'prices')")
    rows = shared.execute("select price, rooms, pgml.predict_joint('both', p) from prices p").fetchall()
    truth = [(float(price), rooms) for price, rooms, _ in rows]
    assert joint["r2"] == pytest.approx(scikit.r2_score(truth, [found for *_, found in rows]))
    assert column(shared, "select low from pgml.evaluate('both', 'prices')") == [None] * len(joint)
    assert column(shared, "select feature from pgml.feature_importance('both')") == ["size", "noise"]


MISTAKES = [
    ("evaluate(null)", "22023", "project_name must not be null", "Name the project"),
    ("evaluate(null::bigint)", "22023", "model_id must not be null", "Give the id"),
    ("evaluate('')", "22023", "project_name must not be empty", ""),
    ("evaluate('cells', '')", "22023", "relation_name must not be empty", "Name the table or view"),
    ("evaluate('cels')", "42704", 'project "cels" does not exist', 'Perhaps you meant "cells"'),
    ("evaluate(99999)", "42704", "model 99999 does not exist", "pgml.trained_models"),
    ("evaluate('cells', 'nowhere')", "42P01", 'relation "nowhere" does not exist', ""),
    ("evaluate('cells', 'fresh')", "42703", "are not given", ""),
    ("evaluate('cells', 'untold')", "42703", 'column "malignant" does not exist', "Its columns are"),
    ("evaluate('cells', 'as_text')", "42804", "has type text, the model was trained on double", "Cast it"),
    ("evaluate('named', 'by_number')", "42804", "the model predicts texts", "Cast it"),
    ("evaluate('cells', 'by_word')", "42804", "the model predicts numbers or booleans", "Cast it"),
    ("evaluate('cells', 'none')", "22023", "has no rows", ""),
    ("evaluate('named', 'unknown')", "22023", 'target column "kind" is NULL in every row', ""),
    ("evaluate('prices_alone', 'endless')", "22023", "infinite", ""),
    ("confusion_matrix('prices_alone')", "42804", "is one of regression", "Call pgml.evaluate"),
    ("roc_curve('groups', 'prices')", "42804", "is one of clustering", "Call pgml.evaluate"),
    ("calibration_curve('both')", "42804", "is one of regression", ""),
]
VIEWS = """
create temporary view untold as select radius, texture, area from cells;
create temporary view as_text as select radius::text, texture, area, malignant from cells;
create temporary view by_word as select radius, texture, area, malignant::text from cells;
create temporary view by_number as select sugar, noise, 1 as kind from fresh;
create temporary view none as select * from cells where false;
create temporary view unknown as select sugar, noise, null::text as kind from fresh;
create temporary view endless as select size, noise, 'infinity'::float8 as price from prices;
"""


@pytest.mark.parametrize(("call", "sqlstate", "message", "hint"), MISTAKES)
def test_a_mistake_is_told(shared: Connection, call: str, sqlstate: str, message: str, hint: str) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(VIEWS.encode())
        with refusal(sqlstate, message, hint):
            shared.execute(f"select * from pgml.{call}".encode())


def test_nothing_is_written(shared: Connection) -> None:
    verbs = "evaluate", "confusion_matrix", "roc_curve", "feature_importance"
    with shared.transaction(force_rollback=True):
        shared.execute("set transaction read only")
        for verb in verbs:
            assert column(shared, f"select 1 from pgml.{verb}('cells')")
            assert column(shared, f"select 1 from pgml.{verb}('cells', 'some_cells')")
        assert value(shared, "select pg_current_xact_id_if_assigned()") is None


def test_a_relation_is_found_by_the_caller_s_search_path_and_in_any_column_order(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "create schema apart; set local search_path = apart;"
            "create view cells_there as"
            " select malignant, 'x' as more, area, texture, radius from public.some_cells"
        )
        there = scores(shared, "pgml.evaluate('cells', 'cells_there')")
        assert there == scores(shared, "pgml.evaluate('cells', 'public.some_cells')")


def test_who_may_predict_measures_his_own_rows_and_sees_nothing_stored(
    cluster: Cluster, shared: Connection
) -> None:
    role = f"reader_{shared.info.dbname}"
    grant_pgml(cluster, shared.info.dbname, role)
    owner = value(shared, "select current_user")
    with cluster.connect(shared.info.dbname, role) as other:
        with refusal("42704", 'project "named" does not exist'):
            other.execute("select * from pgml.evaluate('named')")
        shared.execute("select pgml.grant('named', %s)", [role])
        other.execute(
            "create table mine as select n / 100.0::float8 as sugar, 0.5::float8 as noise,"
            " case when n < 50 then 'dry' else 'sweet' end as kind from generate_series(1, 100) n"
        )
        assert scores(other, "pgml.evaluate('named', 'mine')")["accuracy"] > 0.7
        assert column(other, "select own from pgml.feature_importance('named', 'mine')") == [None, None]
        for verb in ("evaluate", "confusion_matrix", "roc_curve", "feature_importance"):
            with refusal("42501", 'permission denied for project "named"', "'manage'"):
                other.execute(f"select * from pgml.{verb}('named')".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute("select * from pgml.evaluate('named', 'public.fresh')")
        shared.execute("select pgml.grant('named', %s, 'manage')", [role])
        assert scores(other, "pgml.evaluate('named')") == scores(shared, "pgml.evaluate('named')")
        with refusal("42501", f'of role "{owner}" is not read for others', "Give relation_name"):
            other.execute("select * from pgml.feature_importance('named')")
    shared.execute("select pgml.revoke('named', %s)", [role])
    shared.execute("select pgml.revoke('named', %s, 'manage')", [role])
    shared.execute(f"drop owned by {role} cascade".encode())
    shared.execute(f"drop role {role}".encode())


def test_a_cancel_is_heard_while_importances_are_measured(shared: Connection) -> None:
    columns = ", ".join(f"random() as x{i}" for i in range(60))
    with shared.transaction(force_rollback=True):
        shared.execute(f"create table wide as select {columns} from generate_series(1, 3000)".encode())
        shared.execute("create view wide_y as select *, x0 + x1 as y from wide")
        shared.execute("select pgml.train('wide', 'regression', 'wide_y', 'y', 'random_forest')")
        shared.execute("set local statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            shared.execute("select * from pgml.feature_importance('wide', 'wide_y')")


def test_test_rows_that_cannot_be_told_are_refused(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("drop view named")
        shared.execute("create view named as select sugar as sweetness, noise, kind from drinks")
        with refusal("55000", 'columns of model "named_1" are gone', "Give relation_name"):
            shared.execute("select * from pgml.feature_importance('named')")
