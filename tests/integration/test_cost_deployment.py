"""Models of a cost are compared, scored again, measured and explained by it, as whoever asks."""

from typing import Any

import pytest

from tests.cluster import Connection
from tests.costs import ABSOLUTE, train
from tests.results import column, notices, refusal, value

NAME = "app.absolute(double precision, double precision)"
LOSSES = {
    "drop function app.absolute": ("42704", "does not exist"),
    "revoke execute on function app.absolute from public": ("42501", "permission denied for cost function"),
}


def test_a_new_model_is_deployed_if_it_costs_less(app: Connection) -> None:
    app.execute(ABSOLUTE)
    assert train(app, "app.absolute", algorithm="dummy")["deployed"]
    assert train(app, "app.absolute")["deployed"]
    with notices(app) as said:
        assert not train(app, "app.absolute", algorithm="dummy")["deployed"]
    assert "as good or better" in " ".join(said)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_cost_that_is_gone_is_missed_by_name(app: Connection, db: Connection, loss: str) -> None:
    db.execute(ABSOLUTE)
    train(app, "app.absolute", algorithm="dummy")
    db.execute("insert into app.line select x, 3 * x from generate_series(241, 280) x")
    train(app, "app.absolute", automatic_deploy=False)
    importances = "select feature from pgml.feature_importance('y', 'app.line')"
    assert column(app, importances) == ["x"]
    db.execute(loss.encode())
    sqlstate, message = LOSSES[loss]
    for statement in (importances, "select pgml.deploy('y', 'best_score')"):
        with refusal(sqlstate, message):
            app.execute(statement.encode())
    assert value(app, "select value from pgml.evaluate('y') where metric = %s", [NAME]) >= 0
    assert value(app, "select pgml.predict('y', array[3.0])") > 0


def test_models_of_other_test_rows_are_scored_again_by_the_cost(app: Connection, db: Connection) -> None:
    app.execute(ABSOLUTE)
    train(app, "app.absolute", algorithm="dummy")
    db.execute("insert into app.line select x, 3 * x from generate_series(241, 280) x")
    better = train(app, "app.absolute", automatic_deploy=False)
    assert value(app, "select model from pgml.deploy('y', 'best_score')") == better["model"]


def test_a_comparison_that_fails_leaves_the_live_model_and_says_so(app: Connection) -> None:
    app.execute(ABSOLUTE)
    train(app, "app.absolute")
    app.execute(
        "create sequence app.calls;"
        "create function app.once(a float8[], p float8[]) returns float8 language plpgsql as $$ begin"
        " if nextval('app.calls') > 1 then raise exception 'only once'; end if; return 1; end $$"
    )
    with notices(app) as said:
        trained = train(app, "app.once")
    assert not trained["deployed"]
    assert 'not compared: cost function "app.once' in " ".join(said)
    assert "only once" in " ".join(said)


@pytest.mark.parametrize(
    ("task", "algorithm", "target", "sqlstate"),
    [("clustering", "kmeans", None, "42804"), ("regression", "linear", "y", "22023")],
)
def test_a_cost_is_asked_of_models_that_predict_one_column_on_rows(
    app: Connection, task: str, algorithm: str, target: Any, sqlstate: str
) -> None:
    app.execute(ABSOLUTE)
    app.execute(
        "select pgml.train('other', %s, 'app.line', %s, %s)",
        [task, target, algorithm],
    )
    relation = None if target else "app.line"
    with refusal(sqlstate, "cost is given"):
        app.execute("select * from pgml.evaluate('other', %s, 'app.absolute')", [relation])


def test_a_cost_that_another_role_chose_is_not_called_for_me(app: Connection, db: Connection) -> None:
    app.execute(
        "create function app.sly(a float8, p float8) returns float8 language plpgsql as"
        " $$begin if current_user = 'postgres' then raise 'caught'; end if; return abs(a - p); end$$"
    )
    train(app, "app.sly")
    with refusal("42501", "is not called for you", "pgml.evaluate"):
        db.execute("select * from pgml.feature_importance('y', 'app.line')")
    with refusal("P0001", "caught"):
        db.execute("select * from pgml.evaluate('y', 'app.line', cost => 'app.sly')")
    assert column(app, "select feature from pgml.feature_importance('y', 'app.line')") == ["x"]
