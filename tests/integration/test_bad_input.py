"""Bad arguments and bad data: an error that says what to do, nothing stored, and the session goes on."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, refusal, row, value

TABLES = ("projects", "snapshots", "models", "model_parts", "deployments")
ROWS = 200
GOOD = "n::float8 as a, n % 7 as b, 2.0 * n as y, (array['x', 'y', 'z'])[1 + n % 3] as label"
TASKS = (
    'The tasks are "regression", "classification", "clustering", "decomposition", "anomaly", "autoencoder".'
)
COLUMNS = '"a", "b", "y", "label"'


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with a table, and a project trained on it."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        db.execute(f"create table good as select {GOOD} from generate_series(1, {ROWS}) n".encode())
        db.execute(
            "create table grouped as select a, b, y, b as g from good;"
            "select pgml.train('known', 'regression', 'good', 'y', test_size => 0.3);"
            "select pgml.train('by_group', 'regression', 'grouped', 'y', split_by => 'g')"
        )
        yield db
    cluster.drop_database(database)


def stored(db: Connection) -> list[int]:
    return [value(db, f"select count(*) from pgml.{table}") for table in TABLES]


def refused(db: Connection, call: str, sqlstate: str, message: str, hint: str, *given: Any) -> str:
    """Expect an error in PostgreSQL's style that leaves nothing behind; return its detail."""
    before = stored(db)
    with pytest.raises(psycopg.Error) as caught:
        db.execute(call.encode(), given or None)
    said = caught.value.diag
    primary = said.message_primary or ""
    assert caught.value.sqlstate == sqlstate, primary
    assert message in primary
    assert hint in (said.message_hint or ""), said.message_hint
    assert not primary.endswith(".")
    assert "Error" not in primary
    assert not primary[:1].isupper()
    assert (said.message_hint or "Sentence.")[-1] in ".)"
    assert stored(db) == before
    return said.message_detail or ""


def refused_data(db: Connection, columns: str, sqlstate: str, message: str, hint: str, **options: Any) -> str:
    """Expect training on a view with these columns to be refused."""
    rows = options.pop("rows", ROWS)
    extra = "".join(f", {name} => '{given}'" for name, given in options.items())
    db.execute(f"create view bad as select {columns} from generate_series(1, {rows}) n".encode())
    try:
        return refused(db, f"select pgml.train('bad', 'y'{extra})", sqlstate, message, hint)
    finally:
        db.execute("drop view bad")


UNKNOWN = {
    "'nope', 'y'": ("42P01", 'relation "nope" does not exist', TASKS),
    "'nope', 'y', 'linear'": ("42P01", 'relation "nope" does not exist', "Give a table or view"),
    "'nope'": ("42P01", '"nope" is neither a project to be trained again nor a table', "select pgml.train("),
    "'p', 'regression', 'nope', 'y'": ("42P01", 'relation "nope" does not exist', "Give a table or view"),
    "'p', 'regression', 'a.b.c.d', 'y'": ("42P01", 'relation "a.b.c.d" does not exist', "table or view"),
    "'p', 'regression', 'good', 'nope'": ("42703", 'column "nope" does not exist', COLUMNS),
    "'good', 'nope'": ("42703", '"nope" is neither a column of public.good nor a task', COLUMNS),
    "'good'": ("22023", "the column to predict is not given", COLUMNS),
    "'p', 'regresion', 'good', 'y'": ("22023", 'task "regresion" does not exist', '"regression"'),
    "'good', 'regresion'": ("42703", '"regresion" is neither a column', TASKS),
    "'known', 'nope'": ("22023", 'task "nope" does not exist', TASKS),
    "'p', null, 'good', 'y', 'forest'": ("22023", 'algorithm "forest" does not exist', '"random_forest"? '),
    "'good', 'y', 'kmeans'": ("22023", 'algorithm "kmeans" cannot do regression', '"linear", "ridge"'),
    "'p', null, 'good', 'y', split_by => 'nope'": ("42703", 'column "nope" does not exist', COLUMNS),
    "'p', null, 'good', 'y', split_by => 'y'": ("22023", "split_by is the target", "another column"),
    "'p', null, 'good', 'y', runtime => 'spark'": ("22023", 'runtime "spark" does not exist', '"local"'),
    "'p', null, 'good', 'y', test_sampling => 'x'": ("22023", 'test_sampling "x" does not exist', '"hash"'),
    "'p', null, 'good', 'y', test_sampling => 'time'": ("22023", '"time" needs split_by', COLUMNS),
    "'p', null, 'good', 'y', test_sampling => 'group'": ("22023", '"group" needs split_by', COLUMNS),
    "'p', null, 'good', 'y', test_sampling => 'time', split_by => 'label'": (
        "42804", 'split_by column "label" has type text, which does not tell before from after', "timestamp",
    ),
    "'p', null, 'good', 'y', test_sampling => 'last', split_by => 'a'": (
        "22023", 'test_sampling "last" takes no split_by', "'group' or 'time'",
    ),
    "'p', null, 'good', 'y', test_sampling => 'random', test_size => 2.5": (
        "22023", "test_size 2.5 is no whole number of rows", "how many",
    ),
    "'p', null, 'good', 'y', test_sampling => 'random', test_size => 1000000": (
        "22023", "test_size 1000000 leaves too few rows to train on", "Give at most",
    ),
    "'p', 'regression', 'good', 'y', test_sampling => 'stratified'": (
        "22023", '"stratified" keeps the shares of classes', "'random'",
    ),
    "'good', 'y', 'linear', algorithm => 'xgboost'": (
        "22023", 'algorithm is given twice, as "linear" and as "xgboost"', "third argument is the algorithm",
    ),
    "'', 'y'": ("22023", "project_name must not be empty", "Name the project"),
    "null, 'y'": ("22023", "project_name must not be null", "Name the project"),
    "repeat('é', 501), null, 'good', 'y'": ("22023", "project_name has 1002 bytes", "shorter"),
    "'pg_class_oid_index', null, 'pg_class_oid_index', 'y'": ("22023", "no table or view", "Give a table"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", UNKNOWN)
def test_what_does_not_exist_is_named_with_what_does(shared: Connection, arguments: str) -> None:
    sqlstate, message, hint = UNKNOWN[arguments]
    refused(shared, f"select pgml.train({arguments})", sqlstate, message, hint.removesuffix("? "))


@pytest.mark.parametrize("task", ["clustering", "decomposition", "anomaly", "autoencoder"])
def test_tasks_without_a_target_take_none(shared: Connection, task: str) -> None:
    call = f"select pgml.train('p', '{task}', 'good', 'y')"
    refused(shared, call, "22023", f'{task} has no column to predict, and y_column_name is "y"', "Leave")


HYPERPARAMS = {
    "linear alpha 1": ('hyperparameter "alpha" does not exist for linear regression', '"fit_intercept"'),
    'xgboost max_dept 1': ('hyperparameter "max_dept" does not exist', 'Perhaps you meant "max_depth".'),
    'linear fit_intercept "no"': ('fit_intercept" must be of type boolean, not "no"', "The default is true."),
    'random_forest n_estimators "many"': ('must be of type integer, not "many"', "The default is 100."),
    "random_forest n_estimators 1.5": ("must be of type integer, not 1.5", "The default is 100."),
    "random_forest n_estimators null": ("must be of type integer, not", "The default is 100."),
    f"random_forest n_estimators {'9' * 5000}": ("must be of type integer, not", "The default is 100."),
    "linear tol 1e999": ("must be of type number", "The default is"),
    "random_forest n_estimators -5": ("must be an integer at least 1, not -5", "The default is 100."),
    "xgboost max_depth -5": ('"max_depth" must be at least 0, not -5', "pgml.algorithms()"),
    "linear fit_intercept [[[[1]]]]": ("must be of type boolean", "The default is true."),
}  # fmt: skip


@pytest.mark.parametrize("case", HYPERPARAMS)
def test_hyperparameters_are_checked_by_name_type_and_value(shared: Connection, case: str) -> None:
    algorithm, name, written = case.split(" ", 2)
    message, hint = HYPERPARAMS[case]
    call = f"""select pgml.train('p', null, 'good', 'y', '{algorithm}',
        hyperparams => '{{"{name}": {written}}}')"""
    refused(shared, call, "22023", message, hint)


@pytest.mark.parametrize("written", ["[]", "5", '"x"', "true", "[1]"])
def test_hyperparams_are_an_object(shared: Connection, written: str) -> None:
    call = f"select pgml.train('p', null, 'good', 'y', hyperparams => '{written}')"
    refused(shared, call, "22023", "hyperparams is no JSON object", "Write hyperparams =>")


def test_hyperparams_are_not_nested_without_end(shared: Connection) -> None:
    for depth in (60, 5000):
        nested = f"""('{{"monotone_constraints": {"[" * depth}{"]" * depth}}}')"""
        call = f"select pgml.train('p', null, 'good', 'y', 'xgboost', hyperparams => {nested})"
        refused(shared, call, "22023", "nested", "flat JSON objects")


@pytest.mark.parametrize(
    ("size", "shown"),
    [("0", "0"), ("1", "1"), ("-1", "-1"), ("1.5", "1.5"), ("'NaN'", "nan"), ("'Infinity'", "inf"),
     ("'-Infinity'", "-inf"), ("1e-30", "0"), ("0.99999999", "1")],
)  # fmt: skip
def test_a_test_size_is_a_share(shared: Connection, size: str, shown: str) -> None:
    call = f"select pgml.train('p', null, 'good', 'y', test_size => {size})"
    refused(shared, call, "22023", f"test_size {shown} is not between 0 and 1", "such as 0.25")


def test_a_count_of_test_rows_is_not_for_the_hash(shared: Connection) -> None:
    call = "select pgml.train('p', null, 'good', 'y', test_size => 50)"
    refused(shared, call, "22023", "test_size 50 is a count of rows", "such as 0.25")


@pytest.mark.parametrize("seed", [-1, -(2**31)])
def test_a_seed_is_not_negative(shared: Connection, seed: int) -> None:
    call = f"select pgml.train('p', null, 'good', 'label', seed => {seed})"
    refused(shared, call, "22023", f"seed {seed} is out of range", "from 0 to 2147483647")


CHANGES = {
    "'known', 'classification', 'good', 'y'": 'has task "regression", not "classification"',
    "'known', 'regression', 'good', 'a'": 'has target "y", not "a"',
    "'known', seed => 5": "has seed 0, not 5",
    "'known', test_size => 0.25": "has test_size 0.3, not 0.25",
    "'known', test_sampling => 'last'": 'has test_sampling "hash", not "last"',
    "'known', split_by => 'b'": 'has split_by none, not "b"',
    "'by_group', split_by => 'b'": 'has split_by "g", not "b"',
}


@pytest.mark.parametrize("arguments", CHANGES)
def test_a_project_never_changes(shared: Connection, arguments: str) -> None:
    hint = "Give another project_name, or call pgml.drop_project first."
    refused(shared, f"select pgml.train({arguments})", "22023", CHANGES[arguments], hint)


TYPES = {
    "'{}'::jsonb": ("jsonb", "doc ->> 'price'"),
    "'{}'::json": ("json", "doc ->> 'price'"),
    "'x'::bytea": ("bytea", "float8[]"),
    "'(1,2)'::point": ("point", "cast it to a number"),
    "'10:00+01'::timetz": ("time with time zone", "Cast it to time"),
    "'<a/>'::xml": ("xml", "Leave it out of the view"),
    "'{a}'::text[]": ("text[]", "Leave it out of the view"),
    "'{t}'::boolean[]": ("boolean[]", "Leave it out of the view"),
    "1::money": ("money", "Cast it to numeric"),
    "row(1, 'x')": ("record", "Leave it out of the view"),
    "null::pg_class": ("pg_class", "Name its fields"),
    "'[1,2)'::int4range": ("int4range", "Leave it out of the view"),
}


@pytest.mark.parametrize("expression", TYPES)
def test_a_type_no_model_reads_says_what_to_do(shared: Connection, expression: str) -> None:
    name, hint = TYPES[expression]
    message = f'column "bad" has type {name}, which no model can read'
    if expression.startswith("row("):
        # A view has no column of that type; a composite stands for it.
        shared.execute("create type pair as (a int, b text)")
        expression, message = "row(1, 'x')::pair", 'column "bad" has type pair'
        hint = "Name its fields in a view, such as (address).city."
    refused_data(shared, f"n as a, {expression} as bad, n as y", "42804", message, hint)
    refused_data(shared, f"n as a, {expression} as y", "42804", 'column "y" has type', ".")


TARGETS = {
    "current_date + n": ("42804", "has type date, which cannot be predicted", "extract(epoch"),
    "n * interval '1 day'": ("42804", "has type interval, which cannot be predicted", "extract(epoch"),
    "now() + n * interval '1 day'": ("42804", "has type timestamp with time zone", "extract(epoch"),
    "array[n, 1]": ("42804", "has type integer[], which cannot be predicted", "column of its own"),
    "'x'::text": ("22023", 'target column "y" has one value only', "choose another target"),
    "true": ("22023", 'target column "y" has one value only', "choose another target"),
    "3.5": ("22023", 'target column "y" has one value only', "choose another target"),
    "case n % 2 when 0 then '-0.0'::float8 else 0 end": ("22023", "has one value only", "another target"),
    "null::float8": ("22023", 'target column "y" is NULL in every row', "choose another target"),
    "null::text": ("22023", 'target column "y" is NULL in every row', "choose another target"),
    "'NaN'::float8": ("22023", 'target column "y" is NULL in every row', "choose another target"),
    "case n when 7 then 'infinity' else n * 1.5 end::float8": ("22023", "holds infinite values", "NULL"),
    "1e38 * n": ("22023", 'target column "y" holds numbers beyond 1e+37', "smaller unit"),
}


@pytest.mark.parametrize("expression", TARGETS)
def test_a_target_that_cannot_be_learnt(shared: Connection, expression: str) -> None:
    refused_data(shared, f"n as a, {expression} as y", *TARGETS[expression])


def test_a_text_is_not_for_regression(shared: Connection) -> None:
    call = "select pgml.train('p', 'regression', 'good', 'label')"
    refused(shared, call, "42804", "regression wants a number", "task => 'classification'")


FEATURES = {
    "null::float8": ('feature column "bad" is NULL in every row', "Leave it out"),
    "null::text": ('feature column "bad" is NULL in every row', "Leave it out"),
    "'{NULL, NULL}'::float8[]": ('feature column "bad" is NULL in every row', "Leave it out"),
    "case n when 7 then '-infinity' else n::float8 end": ('column "bad" holds infinite values', "NULL"),
    "case n when 7 then 'infinity'::numeric else n end": ('column "bad" holds infinite values', "NULL"),
    "case n when 7 then 'infinity' else current_date end": ('column "bad" holds infinite values', "NULL"),
    "case n when 7 then '-infinity' else now()::timestamp end": ("holds infinite values", "NULL"),
    "array[1, case n when 7 then 'infinity'::float8 end]": ('"bad" holds infinite values', "NULL"),
    "array_fill(1, array[1 + n % 3])": ('arrays in column "bad" differ in length', "Pad them"),
    "case when n > 1 then '{}'::int[] else '{1}' end": ('"bad" differ in length', "Pad them"),
    "'{}'::float8[]": ('arrays in column "bad" are empty', "Leave the column out"),
}


@pytest.mark.parametrize("expression", FEATURES)
def test_a_feature_that_cannot_be_used(shared: Connection, expression: str) -> None:
    refused_data(shared, f"n as a, {expression} as bad, n as y", "22023", *FEATURES[expression])


def test_a_number_too_large_for_a_float(shared: Connection) -> None:
    for expression in ("'1e400'::numeric", "array[n, '-1e400'::numeric]"):
        message, hint = "is out of range for type double precision", 'Where "bad" of type numeric holds'
        refused_data(shared, f"n as a, {expression} as bad, n as y", "22003", message, hint)


def test_too_little_to_learn_from(shared: Connection) -> None:
    line = "n as a, 2.0 * n as y"
    refused_data(shared, line, "22023", 'relation "public.bad" has no rows', "row-level security", rows=0)
    refused_data(shared, line, "22023", "has one row with a known target", "more rows", rows=1)
    late = "n as a, case when n > 199 then 1.0 end as y"
    refused_data(shared, late, "22023", "has one row with a known target", "more rows")
    detail = refused_data(
        shared, "n as a, n::text as y", "22023", "too few rows", "two of each class", rows=2
    )
    assert detail == "There are 2 usable rows."
    refused_data(shared, "n * 2.0 as y", "22023", "no column to predict from", "Add columns")
    refused_data(shared, "n as s, n * 2.0 as y", "22023", "no column to predict from", "Add", split_by="s")
    with refusal("42703", '"y" is neither a column', TASKS):
        shared.execute("create table no_columns (); select pgml.train('no_columns', 'y')")


def test_an_error_inside_the_view_is_postgresqls_own(shared: Connection) -> None:
    refused_data(shared, "1 / (n - 7) as a, n as y", "22012", "division by zero", "")
    refused_data(
        shared, "n as a, (n::text || 'x')::int as y", "22P02", "invalid input syntax for type integer", ""
    )


OTHER_VERBS = {
    "deploy('nope')": ("42704", 'project "nope" does not exist', '"known"'),
    "deploy(null::text)": ("22023", "project_name must not be null", "Name the project"),
    "deploy('')": ("22023", "project_name must not be empty", "Name the project"),
    "deploy('known', 'nope')": ("22023", 'strategy "nope" does not exist', '"best_score", "most_recent"'),
    "deploy('known', '')": ("22023", 'strategy "" does not exist', '"best_score", "most_recent"'),
    "deploy('known', algorithm => 'nope')": ("42704", 'has no model of algorithm "nope"', '"linear"'),
    "deploy('known', 'specific')": ("22023", "wants the name of a model", "known_1"),
    "deploy('known', 'rollback')": ("55000", "no earlier deployment", "pgml.deployed_models"),
    "deploy('known', 'rollback', 'linear')": ("22023", "rollback takes no algorithm", "Leave algorithm out."),
    "deploy(999)": ("42704", "model 999 does not exist", "pgml.trained_models"),
    "deploy(null::bigint)": ("22023", "model_id must not be null", "pgml.train"),
    "drop_project('nope')": ("42704", 'project "nope" does not exist', '"known"'),
    "drop_project('known_1')": ("42704", 'project "known_1" does not exist', '"known"'),
    "drop_project(null)": ("22023", "project_name must not be null", "Name the project"),
    "drop_model(-1)": ("42704", "model -1 does not exist", "pgml.trained_models"),
    "drop_model(null)": ("22023", "model_id must not be null", "pgml.train"),
    "load_dataset('boston')": ("22023", 'dataset "boston" does not exist', '"diabetes", "iris"'),
    "load_dataset(null)": ("22023", "source must not be null", '"diabetes", "iris"'),
    "load_dataset('iris', 'part')": ("22023", 'dataset "iris" has no subsets', "Leave subset out."),
    "load_dataset('iris', \"limit\" => 0)": ("22023", "limit 0 is less than 1", "most rows"),
    "load_dataset('iris', kwargs => '[]')": ("22023", "kwargs is no JSON object", '{"schema": "name"}'),
    "load_dataset('iris', kwargs => '{\"x\": 1}')": ("22023", 'option "x" of kwargs does not', "schema"),
    "load_dataset('iris', kwargs => '{\"schema\": 1}')": ("22023", '"schema" of kwargs is no name', "schema"),
    "load_dataset('iris', kwargs => '{\"schema\": \"x\"}')": ("3F000", 'schema "x" does not exist', "Name a"),
}  # fmt: skip


@pytest.mark.parametrize("call", OTHER_VERBS)
def test_the_other_verbs_say_what_is_wrong_too(shared: Connection, call: str) -> None:
    refused(shared, f"select pgml.{call}", *OTHER_VERBS[call])


def test_a_dataset_is_not_poured_into_something_else(shared: Connection) -> None:
    shared.execute("create view wine as select 1 as x; create sequence digits")
    for name in ("wine", "digits"):
        call = f"""select pgml.load_dataset('{name}', kwargs => '{{"schema": "public"}}')"""
        refused(shared, call, "42P07", f"public.{name} exists and has other columns", "another schema")


def test_without_rights(cluster: Cluster, shared: Connection) -> None:
    role = f"poor_{shared.info.dbname}"
    grant_pgml(cluster, shared.info.dbname, role)
    shared.execute("create schema closed; create table closed.t as select * from good")
    try:
        with cluster.connect(shared.info.dbname, role) as poor:
            select = "ask for select on them, or train on a view of fewer"
            poor.execute("create view over as select * from public.good")
            for call, message, hint in [
                ("train('public.good', 'y')", "permission denied for table good", select),
                ("train('p', null, 'public.good', 'y')", "permission denied for table good", select),
                ("train('over', 'y')", "permission denied for table good", select),
                ("train('closed.t', 'y')", "permission denied for schema closed", "usage on the schema"),
                ("load_dataset('iris')", "permission denied for schema pgml", "kwargs"),
            ]:
                with refusal("42501", message, hint):
                    poor.execute(f"select pgml.{call}".encode())
            assert value(poor, "select 1") == 1
        assert column(shared, "select owner::text from pgml.projects") == ["postgres", "postgres"]
    finally:
        shared.execute(f"drop owned by {role} cascade; drop role {role}; drop schema closed cascade".encode())


def test_a_failed_training_is_caught_like_any_error(shared: Connection) -> None:
    before = stored(shared)
    shared.execute(
        "do $$ begin perform pgml.train('good', 'nope'); exception when undefined_column then end $$"
    )
    shared.execute("begin; savepoint s")
    with refusal("22023", "no rows"):
        shared.execute("create view empty as select * from good where false; select pgml.train('empty', 'y')")
    shared.execute("rollback to s")
    assert row(shared, "select project, deployed from pgml.train('again', null, 'good', 'y')") == (
        "again",
        True,
    )
    shared.execute("rollback")
    assert stored(shared) == before
