"""A model as a function of its features, and as a view: the same answers, inlined, parallel, by an index."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, value

SETTING = """
create type mood as enum ('sad', 'fine', 'glad');
create table customers as
select n as id, 20 + n * 31 % 50 as age, (array['pro', 'free', 'team', null])[n % 4 + 1] as plan,
    case when n % 11 > 0 then (n * 7919 % 101 / 7.0)::float8 end as usage,
    timestamptz '2026-01-01 00:00:00.25+00' + n * 7 % 1000 * interval '1 hour' as since,
    (array['sad', 'fine', 'glad'])[n % 3 + 1]::mood as mood, n % 5 > 2 as trial,
    array[n % 7, n % 3]::float8[] as marks,
    ('0000000' || n % 3 || '-0000-0000-0000-000000000000')::uuid as branch,
    (array['a', 'b'])[n % 2 + 1]::char(3) as grade,
    case when n * 31 % 50 + n * 7919 % 101 + n % 29 > 90 then 'gone' else 'there' end as state,
    (n * 31 % 50 + n * 7919 % 101)::float8 as worth, (n % 7)::float8 as visits
from generate_series(1, 700) n;
alter table customers add primary key (id);
create view states as select age, plan, usage, since, mood, trial, marks, branch, grade, state from customers;
create view worths as select age, plan, usage, worth from customers;
create view numbers as select age, usage, visits from customers;
select pgml.train('states', 'classification', 'states', 'state');
select pgml.train('forest', 'classification', 'states', 'state', 'random_forest', '{"n_estimators": 20}');
select pgml.train('net', 'classification', 'states', 'state', 'mlp', '{"hidden_layer_sizes": [8]}');
select pgml.train('worths', 'regression', 'worths', 'worth', 'ridge');
select pgml.train('shape', 'decomposition', 'numbers', null, 'pca', '{"n_components": 2}');
select pgml.train_joint('both', 'regression', 'numbers', array['usage', 'visits'], 'ridge');
"""
FEATURES = "age, plan, usage, since, mood::text, trial, marks, branch, grade"


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with models of every shape of answer."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute("set jit = off")
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        connection.execute("analyze")
        yield connection
    cluster.drop_database(database)


def made(db: Connection, arguments: str) -> str:
    """Create a function and return its name with the types of its parameters."""
    found: str = value(db, f"select pgml.create_sql_function({arguments})::text")
    return found


def plan_of(db: Connection, query: str) -> str:
    return "\n".join(column(db, f"explain (verbose, costs off) {query}"))


@pytest.mark.parametrize("project", ["states", "forest", "net"])
def test_a_function_decides_as_predict_label(shared: Connection, project: str) -> None:
    made(shared, f"'{project}', '{project}_of'")
    assert value(
        shared,
        f"select count(*) from customers c"
        f" where {project}_of({FEATURES}) is distinct from pgml.predict_label('{project}', c)",
    ) == (0)
    assert value(shared, f"select count(distinct {project}_of({FEATURES})) from customers") == 2


def test_parameters_are_the_features_by_name_in_the_order_of_training(shared: Connection) -> None:
    signature = made(shared, "'states', 'named'")
    assert signature == (
        "named(integer,text,double precision,timestamp with time zone,text,boolean,double precision[],"
        "uuid,character)"
    )
    query = "select pg_get_function_arguments('named'::regproc), pg_get_function_result('named'::regproc)"
    arguments, result = row(shared, query)
    assert [each.split(" ")[0] for each in arguments.split(", ")] == [
        name.split("::")[0] for name in FEATURES.split(", ")
    ]
    assert result == "text"
    assert value(
        shared,
        "select named(grade => 'a', plan => 'pro', age => 35, usage => null, since => now(), mood => 'sad',"
        " trial => true, marks => '{1,2}', branch => null) in ('gone', 'there')",
    )


def test_a_linear_model_is_inlined(shared: Connection) -> None:
    made(shared, "'worths', 'worth_of'")
    plan = plan_of(shared, "select worth_of(age, plan, usage) from customers")
    assert "worth_of" not in plan
    assert "COALESCE" in plan
    assert value(
        shared,
        "select max(abs(worth_of(age, plan, usage) - pgml.predict('worths', c)) / worth) from customers c",
    ) == pytest.approx(0, abs=1e-12)


def test_functions_are_run_by_parallel_workers(shared: Connection) -> None:
    made(shared, "'forest', 'parallel_of'")
    with shared.transaction():
        shared.execute(
            "set local min_parallel_table_scan_size = 0; set local parallel_setup_cost = 0;"
            "set local parallel_tuple_cost = 0"
        )
        plan = plan_of(shared, f"select parallel_of({FEATURES}) from customers")
        assert re.search(r"Gather\n.*\n.*Workers Planned", plan)
        assert value(shared, f"select count(parallel_of({FEATURES})) from customers") == 700


def test_probabilities_are_one_array_in_the_order_of_classes(shared: Connection) -> None:
    made(shared, "'states', 'proba_of', output => 'probabilities'")
    query = f"select proba_of({FEATURES}), pgml.predict_proba('states', c) from customers c limit 50"
    for found, expected in shared.execute(query.encode()):
        assert found == pytest.approx(expected, rel=1e-12)


def test_components_are_one_array_as_decompose_gives_them(shared: Connection) -> None:
    made(shared, "'shape', 'shape_of'")
    query = "select shape_of(age, usage, visits), pgml.decompose('shape', c) from customers c limit 50"
    for found, expected in shared.execute(query):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_several_outputs_are_columns_of_a_row(shared: Connection) -> None:
    made(shared, "'states', 'all_of', output => 'all'")
    cursor = shared.execute(f"select a.* from customers, all_of({FEATURES}) as a limit 1".encode())
    names = [each.name for each in cursor.description or []]
    assert names == ["prediction", "probability_gone", "probability_there"]
    made(shared, "'both', 'both_of'")
    found = row(shared, "select b.* from customers c, both_of(age) as b where id = 5")
    assert list(found) == pytest.approx(
        value(shared, "select pgml.predict_joint('both', c) from customers c where id = 5"), rel=1e-12
    )


def test_a_function_is_stable_where_its_features_make_it_so_and_else_immutable(shared: Connection) -> None:
    made(shared, "'states', 'changing'")
    made(shared, "'worths', 'lasting'")
    kinds = dict(
        shared.execute(
            "select proname, provolatile::text from pg_proc where proname in ('changing', 'lasting')"
        ).fetchall()
    )
    assert kinds == {"changing": "s", "lasting": "i"}
    # What is called immutable has to be computed of immutable functions alone.
    shared.execute("create index on customers (lasting(age, plan, usage))")


def test_a_function_stays_what_it_was_whatever_operators_others_define(shared: Connection) -> None:
    made(shared, "'forest', 'exact_of'")
    expected = column(shared, f"select exact_of({FEATURES}) from customers order by id")
    with shared.transaction(force_rollback=True):
        wrong = "returns boolean language sql immutable as $$select false$$"
        shared.execute(
            f"create function lies(float8, numeric) {wrong}; create function lies(float8, int) {wrong};"
            "create operator <= (leftarg = float8, rightarg = numeric, function = lies);"
            "create operator <= (leftarg = float8, rightarg = int, function = lies);"
            "create operator > (leftarg = float8, rightarg = numeric, function = lies);"
            "create operator > (leftarg = float8, rightarg = int, function = lies)"
        )
        assert value(shared, "select 1::float8 <= 1.5") is False
        shared.execute("discard plans")
        assert column(shared, f"select exact_of({FEATURES}) from customers order by id") == expected


def test_the_comment_says_which_model_it_is(shared: Connection) -> None:
    made(shared, "'worths_1', 'noted'")
    comment = value(shared, "select obj_description('noted'::regproc)")
    assert comment.startswith("model worths_1 of project worths: ridge, regression of worth\n")
    assert "\nchecked against the model on " in comment


def test_a_function_is_made_where_search_path_or_its_name_says(shared: Connection) -> None:
    shared.execute('create schema if not exists app; create schema if not exists "Odd schema"')
    assert made(shared, "'worths', 'app.there'").startswith("app.there(")
    assert made(shared, "'worths', '\"Odd schema\".\"My model\"'").startswith('"Odd schema"."My model"(')
    with shared.transaction():
        shared.execute("set local search_path = app, public")
        assert made(shared, "'worths', 'here'").startswith("here(")
    assert (
        value(shared, "select pronamespace::regnamespace::text from pg_proc where proname = 'here'") == "app"
    )


def test_what_is_there_is_replaced_only_if_asked_to(shared: Connection) -> None:
    made(shared, "'worths', 'once'")
    with refusal("42723", "already exists", "replace => true"):
        made(shared, "'worths', 'once'")
    made(shared, "'worths', 'once', replace => true")
    view = "select pgml.create_sql_view('worths', 'twice', 'customers')"
    shared.execute(view.encode())
    with refusal("42P07", 'relation "twice" already exists', "replace => true"):
        shared.execute(view.encode())
    shared.execute(b"select pgml.create_sql_view('worths', 'twice', 'customers', replace => true)")


def test_names_that_are_none_are_refused(shared: Connection) -> None:
    for name in ("my model", "a.b.c.d", '"'):
        with refusal("22023", "is no name", "in double quotes"):
            made(shared, f"'worths', '{name}'")
    with refusal("22023", "function_name must not be null"):
        made(shared, "'worths', null")
    with refusal("3F000", 'schema "nowhere" does not exist', "Name it with a schema"):
        made(shared, "'worths', 'nowhere.f'")


def test_a_view_has_the_relations_columns_and_the_prediction(shared: Connection) -> None:
    name = value(
        shared, "select pgml.create_sql_view('forest', 'scored', 'customers', output => 'all')::text"
    )
    assert name == "scored"
    query = (
        "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum"
    )
    names, expected = (column(shared, query, [each]) for each in ("scored", "customers"))
    assert names == [*expected, "prediction", "probability_gone", "probability_there"]
    assert value(
        shared,
        "select count(*) from scored s join customers c using (id)"
        " where s.prediction is distinct from pgml.predict_label('forest', c)",
    ) == (0)
    options = value(shared, "select reloptions from pg_class where oid = 'scored'::regclass")
    assert options == ["security_invoker=true"]


def test_conditions_on_a_view_reach_the_index_of_its_table(shared: Connection) -> None:
    shared.execute("select pgml.create_sql_view('net', 'netted', 'customers')")
    with shared.transaction():
        shared.execute("set local enable_seqscan = off")
        assert "Index Cond: (given.id = 5)" in plan_of(shared, "select * from netted where id = 5")


def test_who_makes_a_heavy_view_hears_of_jit(shared: Connection) -> None:
    with shared.transaction(), notices(shared) as said:
        shared.execute("select pgml.create_sql_view('worths', 'light', 'customers')")
        shared.execute("select pgml.create_sql_view('forest', 'quiet', 'customers')")
        shared.execute("set local jit = on")
        assert said == []
        shared.execute("select pgml.create_sql_view('worths', 'light_again', 'customers')")
        shared.execute("select pgml.create_sql_view('forest', 'heavy', 'customers')")
        assert [each[:14] for each in said] == ["set jit to off"]
        assert value(shared, "select current_setting('jit')") == "on"
    assert "\n-- run it with jit set to off" in value(shared, "select pgml.to_sql('forest')")
    assert "jit" not in value(shared, "select pgml.to_sql('worths')")


def test_a_view_is_refused_over_a_relation_that_has_a_column_of_an_outputs_name(shared: Connection) -> None:
    shared.execute("create view clash as select *, 1 as prediction from customers")
    with refusal("42701", 'the relation has a column "prediction"', "without that column"):
        shared.execute("select pgml.create_sql_view('worths', 'no_view', 'clash')")


def test_features_called_like_keywords_and_variables_are_parameters(shared: Connection) -> None:
    names = ["out", "begin", "position", "found", "declare", "int", "c1", "Age", "age", 'x"; y', "step"]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    columns = ", ".join(
        f'(n * {at + 3} % 23)::float8 as "{name.replace(chr(34), 2 * chr(34))}"'
        for at, name in enumerate(names)
    )
    shared.execute(
        f'create table odd as select {columns}, n % 3 > 0 as "select" from generate_series(1, 300) n'.encode()
    )
    shared.execute(
        "select pgml.train('odd', 'select', 'mlp', hyperparams => '{\"hidden_layer_sizes\": [4]}')"
    )
    made(shared, "'odd', 'odd_of'")
    assert value(
        shared,
        f"select count(*) from odd o where odd_of({quoted}) is distinct from pgml.predict('odd', o)",
    ) == (0)
    shared.execute("select pgml.create_sql_view('odd', 'odd_scored', 'odd')")
    assert value(shared, "select count(prediction) from odd_scored") == 300


def test_every_keyword_that_cannot_be_a_parameter_is_quoted(shared: Connection) -> None:
    from pgml.sqlgen.function import word

    words = column(shared, "select word from pg_get_keywords() where catcode in ('C', 'R')")
    assert [each for each in words if not word(each).startswith('"')] == []


def test_a_model_of_too_many_features_is_no_function(shared: Connection) -> None:
    columns = ", ".join(f"n * {at + 3} % 23 as x{at}" for at in range(101))
    shared.execute(f"create table wide as select {columns}, n as y from generate_series(1, 200) n".encode())
    shared.execute("select pgml.train('wide', 'y', 'ridge')")
    with refusal("54000", "the model has 101 features, a function 100 parameters", "pgml.create_sql_view"):
        made(shared, "'wide', 'wide_of'")
    shared.execute("select pgml.create_sql_view('wide', 'wide_scored')")
    found: Any = value(shared, "select count(prediction) from wide_scored")
    assert found == 200
