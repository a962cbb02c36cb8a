"""A cost written in SQL: which function it is, what it is handed, and whose rights it has."""

import json

import pytest

from tests.cluster import Connection
from tests.costs import ABSOLUTE, SMALL, train
from tests.results import column, notices, refusal, row, value

LABELS = {"flag": "boolean", "name": "text", "code": "integer"}
ROWS = "app.absolute(double precision, double precision)"
AGGREGATE = """
    create function app.step(s float8[], a float8, p float8) returns float8[] language sql
        as 'select array[coalesce(s[1], 0) + abs(a - p), coalesce(s[2], 0) + 1]';
    create function app.last(s float8[]) returns float8 language sql as 'select s[1] / s[2]';
    create aggregate app.absolute(float8, float8)
        (sfunc = app.step, stype = float8[], finalfunc = app.last{start})
"""
LISTED = """
    create function app.absolute(a {actual}[], p {predicted}[]) returns {actual} language sql
        as 'select avg(abs(x - y))::{actual} from unnest(a, p) t (x, y)'
"""
PROCEDURAL = """
    create function app.absolute(a numeric, p real) returns numeric language plpgsql
        as 'begin return abs(a - p); end'
"""
FORMS = {
    "a function in SQL": (ABSOLUTE, ROWS),
    "a function in PL/pgSQL of other numbers": (PROCEDURAL, "app.absolute(numeric, real)"),
    "a function of all rows": (
        LISTED.format(actual="float8", predicted="float8"),
        "app.absolute(double precision[], double precision[])",
    ),
    "a function of all rows, of other numbers": (
        LISTED.format(actual="numeric", predicted="real"),
        "app.absolute(numeric[], real[])",
    ),
    "an aggregate": (AGGREGATE.format(start=", initcond = '{0,0}'"), ROWS),
    "an aggregate that starts from nothing": (AGGREGATE.format(start=""), ROWS),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("algorithm", ["linear", "neural_network"])
def test_each_form_of_a_cost_is_what_a_training_is_judged_by(
    app: Connection, form: str, algorithm: str
) -> None:
    definition, name = FORMS[form]
    app.execute(definition.encode())
    hyperparams = SMALL if algorithm == "neural_network" else "{}"
    trained = train(app, "app.absolute", algorithm=algorithm, hyperparams=hyperparams)
    assert trained["metric"] == name
    assert trained["deployed"]
    own = value(app, "select value from pgml.evaluate('y') where metric = %s", [name])
    assert own == pytest.approx(trained["score"])
    query = "select value from pgml.evaluate('y', 'app.line', cost => 'app.absolute') where metric = %s"
    expected = value(app, "select avg(abs(y - pgml.predict('y', array[x]))) from app.line")
    assert value(app, query, [name]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("target", "kind"), LABELS.items())
def test_labels_are_handed_over_as_they_are(app: Connection, target: str, kind: str) -> None:
    app.execute(
        f"create function app.wrong(a {kind}, p {kind}) returns int language sql"
        f" as 'select (a is distinct from p)::int';"
        f"create function app.listed(a {kind}[], p {kind}[]) returns int language sql"
        f" as 'select count(*) from unnest(a, p) t (x, y) where x is distinct from y';".encode()
    )
    train(app, "app.wrong", target, automatic_deploy=True)
    train(app, "app.listed", target, algorithm="neural_network", hyperparams=SMALL, automatic_deploy=False)
    wrong = value(
        app,
        f"select count(*) from app.{target} where {target}::text <> pgml.predict_label(%s, array[x, z])",
        [target],
    )
    query = "select value from pgml.evaluate(%s, %s, %s) where metric like 'app.%%'"
    assert value(app, query, [target, f"app.{target}", "app.listed"]) == wrong
    assert value(app, query, [target, f"app.{target}", "app.wrong"]) == pytest.approx(wrong / 120)


@pytest.mark.parametrize(("target", "kind"), LABELS.items())
@pytest.mark.parametrize("fraction", ["float8", "numeric"])
def test_a_fraction_is_the_probability_of_the_second_class(
    app: Connection, target: str, kind: str, fraction: str
) -> None:
    second = {"flag": "true", "name": "it''s", "code": "3"}[target]
    app.execute(
        f"create function app.brier(a {kind}, p {fraction}) returns float8 language sql"
        f" as $$select ((a = '{second}')::int - p) ^ 2$$".encode()
    )
    trained = train(app, "app.brier", target)
    query = "select value from pgml.evaluate(%s, %s, 'app.brier') where metric like 'app.%%'"
    brier = f"avg((({target} = '{second}')::int - (pgml.predict_proba('{target}', array[x, z]))[2]) ^ 2)"
    expected = value(app, f"select {brier} from app.{target}")
    assert trained["metric"].startswith("app.brier(")
    assert value(app, query, [target, f"app.{target}"]) == pytest.approx(expected, rel=1e-6)
    trained = train(app, "app.brier", target, algorithm="neural_network", hyperparams=SMALL)
    assert trained["score"] > 0


def test_a_network_is_trained_by_a_swarm_unless_it_says_otherwise(app: Connection) -> None:
    app.execute(ABSOLUTE)
    with notices(app) as said:
        train(app, "app.absolute", algorithm="neural_network", hyperparams=SMALL)
    assert any("trained by a swarm" in each for each in said)
    slopes = json.dumps({"train_mode": "gradient", "epochs": 3})
    with notices(app) as said:
        trained = train(app, "app.absolute", algorithm="neural_network", hyperparams=slopes)
    assert not any("swarm" in each for each in said)
    assert trained["metric"] == "app.absolute(double precision, double precision)"


def test_a_swarm_makes_small_what_the_cost_says(app: Connection) -> None:
    app.execute(
        "create function app.over(a float8, p float8) returns float8 language sql"
        " as 'select case when p > a then 20 * (p - a) else a - p end'"
    )
    train(app, "app.over", algorithm="neural_network", hyperparams='{"hidden_layers": []}')
    above = value(app, "select avg((pgml.predict('y', array[x]) > y)::int) from app.line")
    assert above < 0.25


@pytest.mark.parametrize("search", ["grid", "random", "halving", "pso"])
def test_every_search_chooses_by_the_cost(app: Connection, db: Connection, search: str) -> None:
    app.execute(ABSOLUTE)
    args = {
        "grid": {},
        "random": {"n_iter": 3},
        "halving": {"n_iter": 3},
        "pso": {"particles": 2, "iterations": 2},
    }[search]
    space = {"alpha": [0.1, 1000.0]} if search == "grid" else {"alpha": {"log": [0.1, 1000]}}
    trained = train(
        app,
        "app.absolute",
        algorithm="ridge",
        search=search,
        search_params=json.dumps(space),
        search_args=json.dumps({"cv": 3, **args}),
    )
    trials = db.execute(
        "select (parameters->>'alpha')::float8, score, best from pgml.trials where model_id = %s"
        " and score is not null order by score",
        [trained["model_id"]],
    ).fetchall()
    assert trials[0][2], trials
    # The relation is a line: what holds its slope back costs more.
    assert trials[0][0] == min(alpha for alpha, _, _ in trials)


def test_it_is_found_by_the_callers_search_path(app: Connection) -> None:
    app.execute(ABSOLUTE)
    with refusal("42704", 'cost function "absolute" does not exist', "schema"):
        train(app, "absolute")
    app.execute("set search_path = app")
    assert train(app, "absolute", relation_name="line")["metric"].startswith("app.absolute(")


def test_the_callers_search_path_holds_inside(app: Connection) -> None:
    app.execute(
        "create table app.prices (price float8); insert into app.prices values (7);"
        "create function app.priced(a float8, p float8) returns float8 language plpgsql"
        " as 'begin return (select price from prices) * abs(a - p); end'"
    )
    app.execute("set search_path = app")
    assert train(app, "priced")["score"] > 0
    app.execute("set search_path = public")
    with refusal("42P01", 'cost function "app.priced" failed: relation "prices" does not exist'):
        train(app, "app.priced")


def test_a_signature_says_which_of_several(app: Connection) -> None:
    app.execute(ABSOLUTE)
    app.execute(
        "create function app.absolute(a float8, p numeric) returns float8 language sql"
        " as 'select abs(a - p::float8)'"
    )
    with refusal("22023", 'cost function "app.absolute" is not unique', "Give one with its types"):
        train(app, "app.absolute")
    trained = train(app, "app.absolute(float8, numeric)")
    assert trained["metric"] == "app.absolute(double precision, numeric)"


def test_the_kind_of_label_tells_two_functions_apart(app: Connection) -> None:
    app.execute(
        "create function app.wrong(a boolean, p boolean) returns int language sql as 'select (a <> p)::int';"
        "create function app.wrong(a text, p text) returns int language sql as 'select (a <> p)::int'"
    )
    assert train(app, "app.wrong", "flag")["metric"] == "app.wrong(boolean, boolean)"
    assert train(app, "app.wrong", "name")["metric"] == "app.wrong(text, text)"


@pytest.mark.parametrize(
    ("definition", "cost", "sqlstate", "message"),
    [
        ("select 1", "app.nothing", "42704", "does not exist"),
        ("select 1", "app.nothing(float8", "22P02", "cannot be looked up"),
        ("select 1", "", "22023", "cannot be looked up"),
        (
            "create function app.one(a float8) returns float8 language sql as 'select a'",
            "app.one",
            "22023",
            "does not take what regression predicts",
        ),
        (
            "create function app.bad(a float8, p float8) returns text language sql as 'select ''x'''",
            "app.bad",
            "22023",
            "does not take what regression predicts",
        ),
        (
            "create function app.bad(a text, p text) returns float8 language sql as 'select 1.0'",
            "app.bad",
            "22023",
            "does not take what regression predicts",
        ),
        (
            "create function app.bad(a float8[], p float8) returns float8 language sql as 'select 1.0'",
            "app.bad",
            "22023",
            "does not take what regression predicts",
        ),
        (
            "create function app.bad(a float8, p float8) returns setof float8 language sql as 'select 1.0'",
            "app.bad",
            "22023",
            "does not take what regression predicts",
        ),
        (
            "create procedure app.bad(a float8, p float8) language sql as 'select 1.0'",
            "app.bad",
            "22023",
            "does not take what regression predicts",
        ),
    ],
)
def test_what_is_no_cost_is_refused_with_what_was_found(
    app: Connection, definition: str, cost: str, sqlstate: str, message: str
) -> None:
    app.execute(definition.encode())
    with pytest.raises(Exception, match=message) as caught:
        train(app, cost)
    assert caught.value.sqlstate.startswith(sqlstate)  # type: ignore[attr-defined]
    assert f'cost function "{cost}"' in str(caught.value)


def test_a_probability_of_three_classes_is_refused(app: Connection) -> None:
    app.execute("create function app.sure(a text, p float8) returns float8 language sql as 'select p'")
    with refusal("22023", 'cost function "app.sure" takes a probability, and there are 3 classes'):
        train(app, "app.sure", "third")


def test_what_a_cost_does_not_go_with_is_refused(app: Connection) -> None:
    app.execute(ABSOLUTE)
    with refusal("22023", "cost and weight are given"):
        train(app, "app.absolute", weight="x")
    with refusal("22023", "cost and metric are given"):
        train(app, "app.absolute", metric="r2")
    with refusal("22023", "cost is given, and this training is clustering"):
        train(app, "app.absolute", task="clustering", algorithm="kmeans", y_column_name=None)


def test_it_runs_as_the_caller(app: Connection, db: Connection) -> None:
    role = value(app, "select current_user::text")
    app.execute(
        "create table app.callers (name text);"
        "create function app.told(a float8, p float8) returns float8 language plpgsql as"
        " 'begin insert into app.callers values (current_user); return abs(a - p); end'"
    )
    train(app, "app.told")
    assert column(app, "select distinct name from app.callers") == [role]
    db.execute("create table app.secret as select 1 as n")
    app.execute(
        "create function app.curious(a float8, p float8) returns float8 language plpgsql as"
        " 'begin perform * from app.secret; return abs(a - p); end'"
    )
    with refusal("42501", 'cost function "app.curious" failed: permission denied for table secret'):
        train(app, "app.curious")


def test_what_a_cost_writes_goes_with_the_transaction(app: Connection) -> None:
    app.execute(
        "create table app.seen (cost float8);"
        "create function app.noted(a float8[], p float8[]) returns float8 language plpgsql as $$"
        " declare found float8 := (select avg(abs(x - y)) from unnest(a, p) t (x, y));"
        " begin insert into app.seen values (found); return found; end $$"
    )
    with app.transaction(force_rollback=True):
        train(app, "app.noted", algorithm="neural_network", hyperparams=SMALL)
        assert value(app, "select count(*) from app.seen") > 24
    assert row(app, "select count(*) from app.seen") == (0,)


def test_a_cost_may_call_pgml(app: Connection) -> None:
    app.execute(ABSOLUTE)
    train(app, "app.absolute", project_name="judge")
    app.execute(
        "create function app.beside(a float8, p float8) returns float8 language plpgsql as"
        " $$begin return abs(p - pgml.predict('judge', array[a / 3])); end$$"
    )
    assert train(app, "app.beside")["score"] >= 0
    train(app, "app.beside", algorithm="neural_network", hyperparams=SMALL)


def test_without_the_right_to_execute_it_is_refused_by_name(app: Connection, db: Connection) -> None:
    db.execute(ABSOLUTE.replace("app.absolute", "app.theirs").encode())
    db.execute("revoke execute on function app.theirs from public")
    with refusal("42501", 'permission denied for cost function "app.theirs"', "grant execute"):
        train(app, "app.theirs")


def test_a_cost_of_another_schema_that_is_closed_is_refused(app: Connection, db: Connection) -> None:
    db.execute("create schema closed")
    db.execute(ABSOLUTE.replace("app.absolute", "closed.cost").encode())
    with refusal("42501", 'permission denied for cost function "closed.cost"'):
        train(app, "closed.cost")


def test_a_dear_mistake_is_made_less_often_than_by_cross_entropy(db: Connection) -> None:
    db.execute("select pgml.load_dataset('iris')")
    db.execute(
        "create view flowers as select sepal_length, sepal_width, petal_length, petal_width,"
        " target = 2 as virginica from pgml.iris"
    )
    db.execute(
        "create function dear(a boolean, p boolean) returns float8 language sql"
        " return case when p and not a then 5 when a and not p then 1 else 0 end"
    )
    wrongly = {"dear": 0, None: 0}
    for seed in range(8):
        for cost in wrongly:
            project = f"{cost} {seed}"
            db.execute(
                "select pgml.train(%s, 'classification', 'flowers', 'virginica', 'neural_network',"
                " cost => %s, seed => %s)",
                [project, cost, seed],
            )
            count = (
                "select count from pgml.confusion_matrix(%s) where not actual::boolean and predicted::boolean"
            )
            wrongly[cost] += value(db, count, [project])
    assert wrongly["dear"] < wrongly[None]
