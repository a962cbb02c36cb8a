"""Somebody who means harm: SQL in arguments, shadowed names, private functions, altered bytes."""

import json
from collections.abc import Iterator
from hashlib import sha256

import psycopg
import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import notices, refusal, row, value

LINE = "select n::float8 as a, n % 7 as b, 2.0 * n as y from generate_series(1, 200) n"
PREDICT = "select pgml.predict('line', array[10.0, 3.0])"
INJECTIONS = (
    "'; drop table canary; --", '"; drop table canary; --', "canary; drop table canary",
    "$$; drop table canary", "\\'; drop table canary; --", "line where pg_sleep(9) is null",
    "(select 1) x", "line' or '1'='1",
    "%s", "{0}", 'line"', "line.", ".", "$1", "../../etc/passwd", "é" * 300,
)  # fmt: skip


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database where an ordinary role has a model of a line."""
    database = cluster.database_with_pgml()
    role = f"mallory_{database}"
    grant_pgml(cluster, database, role)
    with cluster.connect(database, role) as mallory:
        mallory.execute(f"create table line as {LINE}; create table canary (a int)".encode())
        mallory.execute("select pgml.train('line', 'y')")
    with cluster.connect(database) as db:
        yield db
    cluster.drop_database(database)
    cluster.drop_role(role)


@pytest.fixture
def mallory(cluster: Cluster, shared: Connection) -> Iterator[Connection]:
    """A new session of that role."""
    with cluster.connect(shared.info.dbname, f"mallory_{shared.info.dbname}") as connection:
        yield connection


CALLS = (
    "train(%s, 'y')",
    "train('p', %s, 'line', 'y')",
    "train('p', null, %s, 'y')",
    "train('p', null, 'line', %s)",
    "train('p', null, 'line', 'y', %s)",
    "train('line', 'y', %s)",
    "train('p', null, 'line', 'y', split_by => %s)",
    "train('p', null, 'line', 'y', runtime => %s)",
    "train('p', null, 'line', 'y', test_sampling => %s)",
    "train('p', null, 'line', 'y', search => %s)",
    "train('p', null, 'line', 'y', hyperparams => jsonb_build_object(%s::text, 1))",
    "deploy(%s)",
    "deploy('line', %s)",
    "deploy('line', 'best_score', %s)",
    "drop_project(%s)",
    "load_dataset(%s)",
    "load_dataset('iris', %s)",
    "load_dataset('iris', kwargs => jsonb_build_object('schema', %s::text))",
    "load_dataset('iris', kwargs => jsonb_build_object(%s::text, 1))",
    "predict(%s, array[1.0, 2.0])",
    "predict('line', %s)",
    "predict_label('line', %s)",
    "score(%s, '1')",
)


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_an_argument_is_only_a_name(mallory: Connection, shared: Connection, text: str) -> None:
    before = value(shared, "select count(*) from pgml.models")
    for call in CALLS:
        with pytest.raises(psycopg.Error) as caught:
            mallory.execute(f"select pgml.{call}".encode(), [text])
        assert (caught.value.sqlstate or "")[:2] in {"22", "42", "3F", "0A"}, (call, caught.value)
    assert value(mallory, "select count(*) from canary") == 0
    assert value(shared, "select count(*) from pgml.models") == before
    assert value(mallory, PREDICT) == pytest.approx(20)


def test_sql_in_a_hyperparameter_is_only_a_value(mallory: Connection) -> None:
    given = json.dumps({"criterion": "'; drop table canary; --"})
    with refusal("22023", 'hyperparameter "criterion" must be one of "absolute_error"', '"squared_error"'):
        mallory.execute("select pgml.train('line', 'y', 'random_forest', hyperparams => %s)", [given])
    assert value(mallory, "select count(*) from canary") == 0


def test_a_project_may_have_any_name(mallory: Connection) -> None:
    for name in ("'; drop table canary; --", 'a "b" %s {} \\ 😀', "tab\tand\nline"):
        trained = row(mallory, "select project, model from pgml.train(%s, null, 'line', 'y')", [name])
        assert trained == (name, f"{name}_1")
        for reference in trained:
            got = value(mallory, "select pgml.predict(%s, array[10.0, 3.0])", [reference])
            assert got == pytest.approx(20)
        assert value(mallory, "select model from pgml.deploy(%s, 'specific')", [f"{name}_1"]) == f"{name}_1"
        mallory.execute("select pgml.drop_project(%s)", [name])
    assert value(mallory, "select count(*) from canary") == 0


BUILTINS = {
    "to_jsonb(anyelement)": ("jsonb", "pg_catalog.to_jsonb($1)"),
    "current_setting(text)": ("text", "pg_catalog.current_setting($1)"),
    "set_config(text, text, boolean)": ("text", "pg_catalog.set_config($1, $2, $3)"),
    "pg_current_snapshot()": ("pg_snapshot", "pg_catalog.pg_current_snapshot()"),
    "pg_has_role(name, oid, text)": ("boolean", "pg_catalog.pg_has_role($1, $2, $3)"),
    "quote_ident(text)": ("text", "pg_catalog.quote_ident($1)"),
    "to_regclass(text)": ("regclass", "pg_catalog.to_regclass($1)"),
    "array_send(anyarray)": ("bytea", "pg_catalog.array_send($1)"),
    "cardinality(anyarray)": ("int", "pg_catalog.cardinality($1)"),
    "max(bigint)": ("bigint", "$1"),
    "jsonb_populate_record(anyelement, jsonb)": ("anyelement", "pg_catalog.jsonb_populate_record($1, $2)"),
    "format_type(oid, int)": ("text", "pg_catalog.format_type($1, $2)"),
    "extract(text, date)": ("numeric", "1.0"),
    "now()": ("timestamptz", "pg_catalog.now()"),
}
OPERATORS = {
    ("||", "text", "text"): ("text", "pg_catalog.textcat($1, $2)"),
    ("||", "jsonb", "jsonb"): ("jsonb", "pg_catalog.jsonb_concat($1, $2)"),
    ("->>", "jsonb", "text"): ("text", "pg_catalog.jsonb_object_field_text($1, $2)"),
    ("#>>", "jsonb", "text[]"): ("text", "pg_catalog.jsonb_extract_path_text($1, variadic $2)"),
    ("=", "name", "name"): ("boolean", "pg_catalog.nameeq($1, $2)"),
    ("=", "name", "text"): ("boolean", "true"),
    ("=", "text", "text"): ("boolean", "pg_catalog.texteq($1, $2)"),
    ("=", "bigint", "bigint"): ("boolean", "pg_catalog.int8eq($1, $2)"),
    ("=", "oid", "oid"): ("boolean", "pg_catalog.oideq($1, $2)"),
}
DOMAINS = ("text", "float8", "jsonb", "bytea", "name", "int8", "int4", "date", "oid", "bool", "numeric")
RELATIONS = """
    create table evil.pg_roles as
        select 'x'::pg_catalog.name as rolname, true as rolsuper, 10::pg_catalog.oid as oid;
    create table evil.pg_extension as select 'pgml'::pg_catalog.text as extname, '../../evil' as extversion;
    create table evil.pg_class (x int);
    create table evil.settings (name pg_catalog.text, value bigint)
"""


def shadow(db: Connection) -> None:
    """Make a schema that hides what pgml uses, and notes who runs it."""
    db.execute(
        "create schema evil; create table evil.ran (who pg_catalog.name, what pg_catalog.text);"
        "create function evil.note(what text) returns boolean language plpgsql as"
        " $$ begin insert into evil.ran values (current_user, what); return true; end $$"
    )
    for signature, (result, body) in BUILTINS.items():
        db.execute(
            f"create function evil.{signature} returns {result} language sql volatile"
            f" as $$ select evil.note('{signature}'); select {body} $$".encode()
        )
    for number, ((name, left, right), (result, body)) in enumerate(OPERATORS.items()):
        db.execute(
            f"create function evil.op{number}({left}, {right}) returns {result} language sql volatile"
            f" as $$ select evil.note('{name}'); select {body} $$; create operator evil.{name}"
            f" (leftarg = {left}, rightarg = {right}, function = evil.op{number})".encode()
        )
    for name in DOMAINS:
        db.execute(
            f"create domain evil.{name} as pg_catalog.{name} check (evil.note('domain {name}'))".encode()
        )
    db.execute(RELATIONS)


def test_shadowed_names_never_run_as_the_owner(mallory: Connection, shared: Connection) -> None:
    shared.execute(f"grant create on database {shared.info.dbname} to {mallory.info.user}".encode())
    shadow(mallory)
    own = mallory.info.user
    for path in (f"evil, pg_catalog, {own}", f"pg_temp, evil, pg_catalog, pgml, {own}"):
        mallory.execute(f"set search_path = {path}".encode())
        for call in (
            "train('shadowed', null, 'line', 'y')",
            "train('line', 'y', 'xgboost', automatic_deploy => false)",
            "deploy('shadowed')",
            "deploy('line', 'most_recent')",
            "deploy('line', 'rollback')",
            "drop_project('shadowed')",
            """load_dataset('iris', kwargs => '{"schema": "pg_temp"}')""",
            "algorithms()",
            "package_versions()",
            "python_version()",
            "version()",
        ):
            mallory.execute(f"select * from pgml.{call}".encode())
        for given in ("array[10.0, 3.0]", "array[10, 3]", "'{10, 3}'", "'[10, 3]'", "row(10, 3)", "x"):
            asked = f"select pgml.predict('line', {given}) from (select 10 as a, 3 as b) x"
            assert value(mallory, asked) == pytest.approx(20)
        assert value(mallory, "select pgml.score('line', 10.0)") is not None
    ran = shared.execute("select distinct who, what from evil.ran").fetchall()
    assert {who for who, _ in ran} == {own}
    # What pgml calls by itself is qualified: only the reader's casts follow the caller's path, as the caller.
    assert {what for _, what in ran} <= {"=", *(f"domain {name}" for name in DOMAINS)}


def test_an_event_trigger_of_ones_own_is_not_possible(mallory: Connection) -> None:
    with refusal("42501"):
        mallory.execute(
            "create function f() returns event_trigger language plpgsql as $$ begin end $$;"
            "create event trigger t on ddl_command_start execute function f()"
        )


INSIDE = {
    "owner": "pgml._write_as_owner()",
    "bootstrap": "pgml._bootstrap()",
    "training": "pgml.train('inner', null, 'line', 'y')",
    "predicting": "pgml.predict('line', array[1.0, 2.0])",
    "path": "set_config('search_path', 'evil, pg_catalog', true)",
    "altering": "pgml.drop_project('line')",
}


@pytest.mark.parametrize("what", INSIDE)
def test_what_a_view_does_while_it_is_read(mallory: Connection, what: str) -> None:
    own = mallory.info.user
    mallory.execute(
        f"create function inside(x float8) returns float8 language plpgsql set search_path = {own} as"
        f" $$ begin if x = 100 then perform {INSIDE[what]}; end if; return x; end $$;"
        f"create view busy as select {own}.inside(a) as a, b, y from line".encode()
    )
    mallory.execute("begin")
    try:
        if what == "owner":
            with refusal("42501", "called by other functions of pgml only"):
                mallory.execute("select pgml.train('busy', 'y')")
        else:
            assert value(mallory, "select score from pgml.train('busy', 'y')") == pytest.approx(1)
            assert value(mallory, "select pgml.predict('busy', array[10.0, 3.0])") == pytest.approx(20)
    finally:
        mallory.execute("rollback; drop view busy; drop function inside")
    assert value(mallory, PREDICT) == pytest.approx(20)


TRAIN = {
    "project_name": "p", "task": None, "relation_name": "line", "y_column_name": "y", "algorithm": None,
    "hyperparams": {}, "search": None, "search_params": {}, "search_args": {}, "test_size": None,
    "test_sampling": None, "runtime": None, "automatic_deploy": True, "materialize_snapshot": False,
    "preprocess": {}, "seed": None, "split_by": None, "metric": None, "weight": None,
}  # fmt: skip
FURTHER = dict.fromkeys(("cost", "threshold", "base_model", "freeze", "time_limit"))
WRONG_ARGUMENTS = {
    "project_name": 5, "task": ["a"], "relation_name": {}, "y_column_name": True, "algorithm": [1],
    "search": {}, "test_size": "x", "test_sampling": [], "runtime": 1.5, "automatic_deploy": "x",
    "materialize_snapshot": 1, "seed": 1.5, "split_by": 5, "metric": 1, "weight": [],
    "cost": 1, "threshold": 0.5, "base_model": 1.5, "freeze": "x", "time_limit": "x",
}  # fmt: skip


def outcome(db: Connection, verb: str | None, arguments: str | None) -> tuple[str, str, str]:
    query = "select sqlstate, message, hint from pgml._call(%s, %s::jsonb, 'public')"
    found: tuple[str, str, str] = row(db, query, [verb, arguments])  # type: ignore[assignment]
    return found


def test_broken_calls_of_the_private_function_are_clean_errors(mallory: Connection) -> None:
    for verb in ("nope", "", None, "__init__", "run_pending", "call"):
        for arguments in ("{}", None, "[]", "5"):
            sqlstate, message, hint = outcome(mallory, verb, arguments)
            assert (sqlstate, message) == ("22023", f'verb "{verb or ""}" does not exist')
            assert '"train", "train_joint", "deploy"' in hint
    verbs = ("train", "train_joint", "deploy", "deploy_model", "drop_model", "drop_project", "load_dataset")
    for verb in verbs:
        for arguments in ("{}", None, "[]", "5", '"x"', "null", '{"x": 1}'):
            sqlstate, message, hint = outcome(mallory, verb, arguments)
            assert sqlstate == "22023"
            assert "are not complete, or there are others" in message
            assert hint.startswith(
                f"Call the function pgml.{verb.removesuffix('_model') if verb != 'drop_model' else verb}"
            )
    for name, wrong in WRONG_ARGUMENTS.items():
        sqlstate, message, _ = outcome(mallory, "train", json.dumps(TRAIN | FURTHER | {name: wrong}))
        assert sqlstate == "22023"
        assert message.startswith(f"{name} must be of type ")
    for number in ("1.5", '"1"', "true"):
        assert outcome(mallory, "deploy_model", f'{{"model_id": {number}}}')[0] == "22023"
    for number in ("99999999999999999999", "1" + "0" * 5000):
        assert outcome(mallory, "drop_model", f'{{"model_id": {number}}}')[0] in ("22003", "22023")
    relation = f"{mallory.info.user}.line"
    large = json.dumps(TRAIN | FURTHER | {"relation_name": relation, "seed": 10**30})
    assert outcome(mallory, "train", large)[1] == f"seed {10**30} is out of range"
    for wrong in ([5], [{}], [["y"]]):
        given = {"relation_name": relation, "y_column_name": wrong, "base_model": None, "freeze": None}
        arguments = json.dumps(TRAIN | given)
        assert outcome(mallory, "train_joint", arguments)[1] == "y_column_name has more than one dimension"
    with refusal("22023", "are not complete"):
        mallory.execute("select pgml._do('train', '{}')")
    for path in (None, "", '"', "no such schema"):
        mallory.execute("select pgml._call('python_version', '{}', %s)", [path])


def test_odd_calls_of_the_other_private_functions(mallory: Connection) -> None:
    value(mallory, PREDICT)
    for function in ("_read_as_owner", "_write_as_owner"):
        with refusal("42501", "called by other functions of pgml only"):
            mallory.execute(f"select pgml.{function}()".encode())
    mallory.execute("select pgml._bootstrap(), pgml._library_path()")
    for function in (
        "_predict_json",
        "_predict_text",
        "_label_json",
        "_label_text",
        "_score_json",
        "_score_text",
    ):
        assert value(mallory, f"select pgml.{function}(null, null, null, null)") is None
        assert value(mallory, f"select pgml.{function}(null, null, '5', 'x')") is None
        for snapshot in ("x", "", "z" * 100_000):
            with refusal("42704", "does not exist"):
                mallory.execute(f"select pgml.{function}('nope', null, '5', %s)".encode(), [snapshot])
            with refusal("42704", "model -1 does not exist"):
                mallory.execute(f"select pgml.{function}('line', -1, '5', %s)".encode(), [snapshot])
    for raised in (
        "null",
        "row(null, null, null, null, null, null)",
        "row(null, null, 'm', 'nonsense', '', '')",
    ):
        with pytest.raises(psycopg.Error, match=r"cannot be null|unrecognized exception"):
            mallory.execute(f"select pgml._raise({raised}::pgml._outcome)".encode())
    assert value(mallory, PREDICT) == pytest.approx(20)


def test_a_model_in_anothers_project_is_announced(mallory: Connection, shared: Connection) -> None:
    """A superuser who takes a name that is taken trains for the role that has it."""
    with notices(shared) as said:
        relation = f"{mallory.info.user}.line"
        model = value(shared, "select model_id from pgml.train('line', null, %s, 'y')", [relation])
    assert f'project "line" belongs to role "{mallory.info.user}"' in said[0]
    with notices(mallory) as said:
        mallory.execute("select pgml.train('line')")
    assert "belongs to" not in said[0]
    mallory.execute("select pgml.drop_model(%s)", [model])


ALTERED = {
    "one byte": "update pgml.models set artifact = set_byte(artifact, 100, get_byte(artifact, 100) # 1)",
    "a byte more": "update pgml.models set artifact = artifact || '\\x00'",
    "nothing left": "update pgml.models set artifact = ''",
    "a part more": "insert into pgml.model_parts select id, 2, '\\x00' from pgml.models",
    "another sha256": "update pgml.models set sha256 = repeat('0', 64)",
}


@pytest.mark.parametrize("what", ALTERED)
def test_altered_bytes_are_never_served(cluster: Cluster, shared: Connection, what: str) -> None:
    shared.execute(f"create view bytes as {LINE}; select pgml.train('bytes', 'y')".encode())
    shared.execute(f"{ALTERED[what]} where name = 'bytes_1'".encode())
    try:
        with cluster.connect(shared.info.dbname) as fresh:
            for call in (
                "predict('bytes', array[10.0, 3.0])",
                "predict('bytes_1', '[10, 3]')",
                "score('bytes', 10.0)",
            ):
                with refusal("XX001", 'stored bytes of model "bytes_1" are damaged', "Deploy another model"):
                    fresh.execute(f"select pgml.{call}".encode())
            assert value(fresh, "select 1") == 1
            with notices(fresh) as said:
                assert value(fresh, "select deployed from pgml.train('bytes', 'y')") is True
            assert 'the live model "bytes_1" is damaged and was replaced' in said[0]
            assert value(fresh, "select pgml.predict('bytes', array[10.0, 3.0])") == pytest.approx(20)
    finally:
        shared.execute("select pgml.drop_project('bytes'); drop view bytes")


def test_forged_bytes_are_damaged_too(cluster: Cluster, shared: Connection) -> None:
    shared.execute(f"create view forged as {LINE}; select pgml.train('forged', 'y')".encode())
    whole = bytes(value(shared, "select artifact from pgml.models where name = 'forged_1'"))
    for forged in (
        b"",
        b"pgml",
        b"x" * 100,
        whole[:40],
        whole[:-200],
        b"PGML" + whole[4:],
        whole[:16] + b"\xff" * 900,
    ):
        update = "update pgml.models set artifact = %s, sha256 = %s where name = 'forged_1'"
        shared.execute(update, [forged, sha256(forged).hexdigest()])
        with cluster.connect(shared.info.dbname) as fresh, refusal("XX001"):
            fresh.execute("select pgml.predict('forged', array[10.0, 3.0])")
    shared.execute("select pgml.drop_project('forged')")


def test_a_cast_that_an_enums_owner_defined_is_not_run(cluster: Cluster, shared: Connection) -> None:
    with cluster.connect(shared.info.dbname, f"mallory_{shared.info.dbname}") as mallory:
        schema = value(mallory, "select current_schema()")
        mallory.execute(
            "create table trap (); create type mood as enum ('fine', 'foul');"
            "create function betray(mood) returns text language plpgsql as"
            f" $$ begin drop table {schema}.trap; return 'x'; end $$;"
            "create cast (mood as text) with function betray(mood);"
            "create table moods as"
            " select (array['fine', 'foul'])[1 + n % 2]::mood as m, n as a, n % 2 + n as y"
            " from generate_series(1, 200) n".encode()
        )
    train = f"select deployed from pgml.train('moods', 'regression', '{schema}.moods', 'y')"
    assert value(shared, train) is True
    assert value(shared, f"select to_regclass('{schema}.trap') is not null") is True
