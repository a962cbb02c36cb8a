"""Whatever can be selected from can be trained on: under any name, as the caller sees it, in one snapshot."""

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import refusal, row, value

ROWS = 300
LINE = f"select n::float8 as a, n % 7 as b, 2.0 * n + n % 7 as y from generate_series(1, {ROWS}) n"


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database for the relations of all tests here."""
    with cluster.connect(cluster.database_with_pgml()) as db:
        db.execute(f"create table line as {LINE}".encode())
        yield db


def train(db: Connection, project: str, relation: str) -> int:
    """Train on a relation that holds `LINE`, predict one of its rows, and return how many were read."""
    trained = row(db, "select model, score from pgml.train(%s, 'regression', %s, 'y')", [project, relation])
    assert trained[1] == pytest.approx(1)
    assert value(db, "select pgml.predict(%s, row(10, 3))", [project]) == pytest.approx(23)
    rows: int = value(db, "select row_count from pgml.trained_models where model = %s", trained[:1])
    return rows


KINDS = {
    "view": "create view {0} as select * from line",
    "matview": "create materialized view {0} as select * from line",
    "partitioned": """
        create table {0} (a float8, b int, y numeric) partition by list (b);
        create table {0}_odd partition of {0} for values in (1, 3, 5);
        create table {0}_even partition of {0} default;
        insert into {0} select * from line""",
    "parent": """
        create table {0} (a float8, b int, y numeric);
        create table {0}_child (more text) inherits ({0});
        insert into {0} select * from line where b < 3;
        insert into {0}_child select * from line where b >= 3""",
    "temporary": "create temp table {0} as select * from line",
    "unlogged": "create unlogged table {0} as select * from line",
    "trimmed": """
        create table {0} (gone jsonb, a float8, gone_too bytea, b int, y float8);
        insert into {0} select null, a, null, b, y from line;
        alter table {0} drop column gone, drop column gone_too""",
    "widened": """
        create table {0} as select a, y from line;
        alter table {0} add b int default 0;
        update {0} set b = a::int % 7;
        create view {0}_view as select a, b, y from {0}""",
    "generated": """
        create table {0} (a float8, b int generated always as (a::int % 7) stored, y float8);
        insert into {0} (a, y) select a, y from line""",
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_relations(shared: Connection, kind: str) -> None:
    shared.execute(KINDS[kind].format(kind).encode())
    assert train(shared, f"of_{kind}", f"{kind}_view" if kind == "widened" else kind) == ROWS


def test_a_foreign_table(shared: Connection, cluster: Cluster) -> None:
    path = cluster.directory / "line.csv"
    path.write_text("".join(f"{n},{n % 7},{2 * n + n % 7}\n" for n in range(1, ROWS + 1)))
    path.chmod(0o644)
    shared.execute(
        "create extension file_fdw; create server files foreign data wrapper file_fdw;"
        f"create foreign table elsewhere (a float8, b int, y float8) server files"
        f" options (filename '{path}', format 'csv')".encode()
    )
    assert train(shared, "of_elsewhere", "elsewhere") == ROWS


def test_another_servers_table(shared: Connection, cluster: Cluster) -> None:
    options = f"host '{cluster.socket}', dbname '{shared.info.dbname}'"
    shared.execute(
        "create extension postgres_fdw;"
        f"create server itself foreign data wrapper postgres_fdw options ({options});"
        "create user mapping for current_user server itself;"
        "create foreign table remote (a float8, b int, y float8)"
        " server itself options (table_name 'line')".encode()
    )
    assert train(shared, "of_remote", "remote") == ROWS


NAMES = {
    "My Table": ("public", "My Table"),
    '"My Table"': ("public", "My Table"),
    'public."My Table"': ("public", "My Table"),
    'app."say ""hi"" now"': ("app", 'say "hi" now'),
    '"Other App".things': ("Other App", "things"),
    '"Other App"."T.h"': ("Other App", "T.h"),
    "  line ": ("public", "line"),
    "LINE": ("public", "line"),
    "select": ("public", "select"),
    "naïve": ("public", "naïve"),
}


@pytest.fixture(scope="module")
def named(shared: Connection) -> Connection:
    """Tables of all the names above."""
    shared.execute('create schema app; create schema "Other App"')
    for schema, table in sorted(set(NAMES.values())):
        quoted = table.replace('"', '""')
        shared.execute(f'create table if not exists "{schema}"."{quoted}" as select * from line'.encode())
    return shared


@pytest.mark.parametrize("name", NAMES)
def test_names_of_relations(named: Connection, name: str) -> None:
    project = f"by name: {name}; -- 'x' \\ %s"
    assert train(named, project, name) == ROWS
    schema, table = NAMES[name]
    stored = value(named, "select relation_name from pgml.projects where name = %s", [project])
    assert value(
        named,
        "select %s::regclass = format('%%I.%%I', %s::text, %s::text)::regclass",
        [stored, schema, table],
    )


def test_a_project_is_named_after_the_relation_as_it_was_written(named: Connection) -> None:
    made = row(named, "select project, model from pgml.train('\"Other App\".things', 'y')")
    assert made == ('"Other App".things', '"Other App".things_1')
    assert value(named, "select pgml.predict('\"Other App\".things', row(10, 3))") == pytest.approx(23)


def test_the_search_path_decides(shared: Connection) -> None:
    shared.execute(
        "create schema one; create schema two;"
        "create table one.here as select a, a as y from line;"
        "create table two.here as select a, -a as y from line"
    )
    try:
        for path, expected in [("one, two", 10), ("two, one", -10)]:
            shared.execute(f"set search_path to {path}".encode())
            shared.execute(f"select pgml.train('{path}', 'regression', 'here', 'y')".encode())
            assert value(shared, f"select pgml.predict('{path}', array[10.0])") == pytest.approx(expected)
        again = row(shared, "select model, score from pgml.train('one, two')")
        assert (
            value(shared, "select relation_name from pgml.trained_models where model = %s", again[:1])
            == "one.here"
        )
        assert value(shared, "show search_path") == "two, one"
    finally:
        shared.execute("reset search_path")


def test_a_view_may_call_functions_by_bare_names(shared: Connection) -> None:
    shared.execute(
        "create schema tools;"
        "create function tools.doubled(float8) returns float8 language sql as 'select $1 * 2';"
        "create function tools.outer_one(float8) returns float8 language plpgsql as"
        " 'begin return doubled($1); end';"
        "create view calling as select a, b, tools.outer_one(a) + b as y from line"
    )
    with refusal("42883", "doubled"):
        shared.execute("select pgml.train('calling', 'y')")
    shared.execute("set search_path to public, tools")
    try:
        assert train(shared, "calls", "calling") == ROWS
    finally:
        shared.execute("reset search_path")


def test_a_view_may_predict_with_another_model(shared: Connection) -> None:
    shared.execute("select pgml.train('first stage', 'regression', 'line', 'y')")
    shared.execute(
        "create view stacked as select a, pgml.predict('first stage', row(a, b)) as guess, y - b as y"
        " from line"
    )
    assert value(shared, "select score from pgml.train('stacked', 'y')") == pytest.approx(1)
    assert value(shared, "select avg(abs(pgml.predict('stacked', s) - y)) from stacked s") < 1e-6


def test_row_security_is_the_readers(shared: Connection, cluster: Cluster) -> None:
    shared.execute(
        "create table tenants as select *,"
        " case when b < 4 then 'rls_reader' else 'other' end::name as tenant from line;"
        "alter table tenants enable row level security;"
        "create policy own on tenants using (tenant = current_user);"
        "create view mine with (security_invoker) as select a, b, y from tenants;"
        "create view everyones as select a, b, y from tenants"
    )
    grant_pgml(cluster, shared.info.dbname, "rls_reader")
    shared.execute(
        "grant select on tenants, mine, everyones to rls_reader; grant select on pgml.snapshots to rls_reader"
    )
    with cluster.connect(shared.info.dbname, "rls_reader") as reader:
        own = value(reader, "select count(*) from mine")
        assert 0 < own < ROWS
        for relation, expected in [("mine", own), ("everyones", ROWS), ("tenants", own)]:
            reader.execute(f"select pgml.train('{relation}', 'y')".encode())
            stored = "select row_count from pgml.snapshots where relation_name = %s"
            assert value(shared, stored, [f"public.{relation}"]) == expected
        reader.execute("set row_security to off")
        with refusal("42501", "row-level security"):
            reader.execute("select pgml.train('mine')")


def test_one_snapshot_while_another_session_writes(shared: Connection, cluster: Cluster) -> None:
    """In the midst of the read another session changes every row, and commits."""
    session = f"host={cluster.socket} dbname={shared.info.dbname}"
    shared.execute(
        "create extension dblink;"
        "create table busy as select n, n::float8 as a, n * 2.0 as y from generate_series(1, 25000) n;"
        "create function meanwhile(n int) returns float8 language plpgsql as $$ begin"
        f" if n = 12000 then perform dblink_exec('{session}', 'update busy set y = y + 1e6'); end if;"
        " return 0; end $$;"
        "create view slowly as select a, y + meanwhile(n) as y from busy".encode()
    )
    assert value(shared, "select score from pgml.train('slowly', 'y')") == pytest.approx(1)
    assert value(shared, "select min(y) from busy") == 1e6 + 2
    assert value(shared, "select pgml.predict('slowly', array[10.0])") == pytest.approx(20)


def test_a_repeatable_read_transaction_trains_on_what_it_sees(shared: Connection, cluster: Cluster) -> None:
    shared.execute("create table settled as select a, b, y from line")
    shared.execute("begin isolation level repeatable read")
    try:
        assert value(shared, "select count(*) from settled") == ROWS
        with cluster.connect(shared.info.dbname) as other:
            other.execute("insert into settled select a + 1000, b, -y from line")
        assert train(shared, "of_settled", "settled") == ROWS
        shared.execute("commit")
    finally:
        shared.execute("rollback")


@pytest.mark.parametrize(
    ("name", "sqlstate", "message"),
    [
        ("nothing", "42P01", 'relation "nothing" does not exist'),
        ("app.nothing", "42P01", 'relation "app.nothing" does not exist'),
        ("nowhere.line", "42P01", 'relation "nowhere.line" does not exist'),
        ("a.b.c.d", "42P01", "does not exist"),
        ('"line', "42P01", "does not exist"),
        ("", "42P01", "does not exist"),
        ("line; drop table line", "42P01", "does not exist"),
        ("models_name_idx", "42P01", "does not exist"),
        ("pgml.models_name_idx", "22023", "is no table or view"),
        ("pgml.models_id_seq", "22023", "is no table or view"),
    ],
)
def test_what_is_no_relation(shared: Connection, name: str, sqlstate: str, message: str) -> None:
    with refusal(sqlstate, message):
        shared.execute("select pgml.train('none', 'regression', %s, 'y')", [name])
    assert value(shared, "select count(*) from pgml.projects where name = 'none'") == 0
