"""Copies of relations: by themselves, and as what a model was trained on."""

import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, notices, refusal, row, value

SNAPSHOT = "select relation, row_count, data_hash from pgml.snapshot"
KEEP = "select model_id from pgml.train('p', 'regression', %s, 'y', materialize_snapshot => true)"
LINE = (
    "select n::float8 as a, n % 7 as b, 'c' || n % 3 as c, 2.0 * n + n % 7 as y"
    " from generate_series(1, 300) n"
)
HASHES = "select data_hash from pgml.snapshots order by id"


def lined(db: Connection) -> Connection:
    db.execute(f"create table line as {LINE}".encode())
    return db


def owner(db: Connection, table: str) -> str:
    found: str = value(db, "select relowner::regrole::text from pg_class where oid = %s::regclass", [table])
    return found


def test_columns_keep_their_names_types_and_rows(db: Connection) -> None:
    db.execute(
        "create domain positive as int check (value > 0); create type mood as enum ('sad', 'glad');"
        'create table odd (id int primary key, "Say ""hi""" numeric(10, 2) not null, d positive, m mood,'
        ' v varchar(7), c char(3), j jsonb, gone int, p point, t timestamptz(0), a text[] collate "C");'
        "alter table odd drop column gone;"
        "insert into odd values (1, 1.5, 2, 'glad', 'x', 'y', '{}', '(1,2)', now(), '{a}');"
        "insert into odd values (2, 0)"
    )
    with notices(db) as said:
        copied = row(db, f"{SNAPSHOT}('odd')")
    assert copied[:2] == ("pgml.snapshot_1", 2)
    assert said == ['data_hash leaves out "j", "p", "a", which no model can read']
    shape = (
        "select array_agg(row(attname, format_type(atttypid, atttypmod), attcollation)::text order by attnum)"
        " from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
    )
    assert value(db, shape, ["pgml.snapshot_1"]) == value(db, shape, ["odd"])
    rows = "select array_agg(o::text order by id) from {} o"
    assert value(db, rows.format("pgml.snapshot_1")) == value(db, rows.format("odd"))


def test_a_snapshot_has_the_hash_of_a_training_on_the_same_rows(db: Connection) -> None:
    lined(db).execute(
        "create view v as select c, y, a, b, now() - '2020-01-01' as age from line order by a desc"
    )
    trained = "select pgml.train('p', 'regression', '{}', 'y')"
    db.execute(trained.format("v").encode())
    copied = row(db, f"{SNAPSHOT}('v', 'copy')")
    assert copied[:2] == ("public.copy", 300)
    db.execute(trained.format("copy").encode())
    assert column(db, HASHES) == [copied[2]] * 2
    db.execute("update line set a = a + 1 where a = 7")
    assert row(db, f"{SNAPSHOT}('v')")[2] != copied[2]


def test_a_view_that_changes_with_time_stands_still_in_its_copy(db: Connection) -> None:
    db.execute("create view v as select clock_timestamp() as t, random() as r from generate_series(1, 50)")
    table = value(db, "select relation from pgml.snapshot('v')")
    rows = f"select md5(string_agg(s::text, ',' order by t)) from {table} s"
    assert value(db, rows) == value(db, rows)
    assert value(db, "select data_hash from pgml.snapshot(%s)", [table]) == value(
        db, "select data_hash from pgml.snapshot(%s)", [table]
    )


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("pgml.snapshot_1", "create table hard (x) as select '{}'::jsonb"),
        ("pgml.snapshot_1", "create table hard (x) as select '1 day'::interval"),
        ("pgml.snapshot_1", "create table hard (x) as select array[1, 2] union all select array[1]"),
        ("pgml.snapshot_1", "create table hard (x) as select 1e400::numeric"),
        ("pgml.snapshot_1", "create table hard (); insert into hard default values"),
    ],
)
def test_rows_that_no_model_can_read_are_copied_without_a_hash(
    db: Connection, table: str, query: str
) -> None:
    db.execute(query.encode())
    count = value(db, "select count(*) from hard")
    assert row(db, f"{SNAPSHOT}('hard')") == (table, count, None)
    assert value(db, f"select count(*) from {table}") == count


def test_an_empty_relation_is_copied(db: Connection) -> None:
    lined(db).execute("truncate line")
    assert row(db, f"{SNAPSHOT}('line')")[:2] == ("pgml.snapshot_1", 0)
    assert value(db, "select data_hash from pgml.snapshot('line')") is not None


NAMES = {
    "kept": "public.kept",
    "KEPT": "public.kept",
    '"Kept rows"': 'public."Kept rows"',
    'app."say ""hi"""': 'app."say ""hi"""',
    '"Other App".select': '"Other App"."select"',
    " app . kept ": "app.kept",
    "pg_temp.kept": "pg_temp.kept",
    "x" * 70: "public." + "x" * 63,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_name_is_read_as_sql_reads_it(db: Connection, name: str) -> None:
    lined(db).execute('create schema app; create schema "Other App"; alter table line rename to "My Line"')
    with notices(db) as said:
        copied = row(db, f"{SNAPSHOT}('public.\"My Line\"', %s)", [name])
    assert copied[:2] == (NAMES[name], 300)
    assert said == []
    assert value(db, f"select count(*) from {NAMES[name]}") == 300
    with refusal("42P07", "already exists", "Give another table_name"):
        db.execute(f"{SNAPSHOT}('\"My Line\"', %s)".encode(), [name])


@pytest.mark.parametrize("taken", ["table", "view", "sequence", "index"])
def test_whatever_has_the_name_is_left_alone(db: Connection, taken: str) -> None:
    kinds = {"table": "table {} ()", "view": "view {} as select 1", "sequence": "sequence {}"}
    for name in ("pgml.snapshot_1", "kept"):
        definition = kinds.get(taken, "index snapshot_1 on pgml.models (id)").format(name)
        if taken == "index" and name == "kept":
            definition = "index kept on line (a)"
        if taken == "index" and name == "kept":
            lined(db)
        db.execute(f"create {definition}".encode())
    if taken != "index":
        lined(db)
    with refusal("42P07", "already exists", "Give another table_name"):
        db.execute(f"{SNAPSHOT}('line', 'kept')".encode())
    assert row(db, f"{SNAPSHOT}('line')")[0] == "pgml.snapshot_2"


WRONG = {
    "'nope'": ("42P01", 'relation "nope" does not exist', "Give a table or view"),
    "null": ("22023", "relation_name must not be null", "Name the table or view to read."),
    "''": ("22023", "relation_name must not be empty", "Name the table or view to read."),
    "'line', ''": ("22023", "table_name must not be empty", "leave table_name out"),
    "'line', 'my kept'": ("22023", 'table_name "my kept" is no name of a table', "Write it as SQL does"),
    "'line', '\"open'": ("22023", "is no name of a table", "Write it as SQL does"),
    "'line', '\"\"'": ("22023", "is no name of a table", "Write it as SQL does"),
    "'line', 'x; drop table line'": ("22023", "is no name of a table", "Write it as SQL does"),
    "'line', 'nope.kept'": ("3F000", 'schema "nope" does not exist', "Give pgml.snapshot a table_name"),
    "'line', 'nope.public.kept'": ("0A000", "cross-database references are not implemented", ""),
    "'line', 'pg_catalog.kept'": ("42501", 'permission denied to create "pg_catalog.kept"', ""),
    "'pgml.models_id_seq'": ("22023", '"models_id_seq" is no table or view', "Give a table or a view."),
    "'broken'": ("22012", "division by zero", ""),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_mistakes_say_what_to_do_and_leave_nothing(db: Connection, arguments: str) -> None:
    lined(db).execute("create view broken as select 1 / (a - 7) as x from line")
    tables = "select count(*) from pg_class where relkind = 'r'"
    before = value(db, tables)
    with refusal(*WRONG[arguments]):
        db.execute(f"{SNAPSHOT}({arguments})".encode())
    assert value(db, tables) == before


def test_without_a_search_path_a_name_needs_its_schema(db: Connection) -> None:
    lined(db).execute("set search_path = ''")
    with refusal("3F000", "no schema has been selected to create in", "in a schema where you may create"):
        db.execute(f"{SNAPSHOT}('public.line', 'kept')".encode())
    assert row(db, f"{SNAPSHOT}('public.line', 'public.kept')")[0] == "public.kept"


def test_a_plain_roles_copy_is_its_own_in_its_own_schema(plain: Connection, db: Connection) -> None:
    role = plain.info.user
    assert row(lined(plain), f"{SNAPSHOT}('line')")[0] == f"{role}.snapshot_1"
    assert owner(db, f"{role}.snapshot_1") == role
    with refusal("42501", "permission denied for schema pgml", "in a schema where you may create"):
        plain.execute(f"{SNAPSHOT}('line', 'pgml.kept')".encode())
    db.execute(f"grant create on schema pgml to {role}".encode())
    plain.execute("set search_path = pg_temp, pg_catalog, public")
    assert row(plain, f"{SNAPSHOT}('{role}.line')")[0] == "pgml.snapshot_2"
    assert row(plain, f"{SNAPSHOT}('{role}.line', 'kept')")[0] == "pg_temp.kept"
    db.execute(f"revoke create on schema pgml from {role}".encode())
    for path in ("public, pg_temp", "pg_temp, pg_catalog, nope"):
        plain.execute(f"set search_path = {path}".encode())
        with refusal(
            "42501", f'role "{role}" may create tables neither in schema "pgml" nor', "ask for create"
        ):
            plain.execute(f"{SNAPSHOT}('{role}.line')".encode())
    assert row(plain, f"{SNAPSHOT}('{role}.line', '{role}.kept')")[0] == f"{role}.kept"


def test_what_the_caller_may_not_read_is_not_copied(plain: Connection, db: Connection) -> None:
    lined(db).execute(
        "create schema private; create table private.t as table line; grant select (a) on line to public"
    )
    for name, what in (("public.line", "table line"), ("private.t", "schema private")):
        with refusal("42501", f"permission denied for {what}", "sk for"):
            plain.execute(f"{SNAPSHOT}('{name}')".encode())
    with refusal("42501", "permission denied for table line", "All of public.line is read: ask for select"):
        plain.execute(f"{SNAPSHOT}('public.line')".encode())


def test_row_level_security_of_the_caller_holds(plain: Connection, db: Connection) -> None:
    lined(db).execute(
        "grant select on line to public; alter table line enable row level security;"
        "create policy few on line using (b < 2)"
    )
    seen = value(plain, "select count(*) from public.line")
    assert 0 < seen < 300
    table, rows, few = row(plain, f"{SNAPSHOT}('public.line')")
    assert rows == seen == value(plain, f"select count(*) from {table} where b < 2")
    assert row(db, f"{SNAPSHOT}('line')")[1] == 300
    db.execute("create view two as select * from line where b < 2")
    assert value(db, "select data_hash from pgml.snapshot('two')") == few


def test_a_views_functions_are_found_in_the_callers_search_path(plain: Connection) -> None:
    lined(plain).execute(
        "create function inner_half(x float8) returns float8 language sql as 'select x / 2';"
        "create function half(x float8) returns float8 language plpgsql as 'begin return inner_half(x); end';"
        "create view halves as select half(a) as a, y from line"
    )
    table, rows, _ = row(plain, f"{SNAPSHOT}('halves')")
    assert (rows, value(plain, f"select max(a) from {table}")) == (300, 150)
    assert value(plain, "show search_path") == '"$user", public'


def test_the_role_that_was_set_owns_the_copy(plain: Connection, db: Connection) -> None:
    lined(db).execute(f"set role {plain.info.user}")
    with refusal("42501"):
        db.execute(f"{SNAPSHOT}('line')".encode())
    db.execute(f"reset role; grant select on line to {plain.info.user}; set role {plain.info.user}")
    table = row(db, f"{SNAPSHOT}('line')")[0]
    assert owner(db, table) == plain.info.user


def test_a_temporary_relation_is_copied_into_a_table_that_stays(
    cluster: Cluster, db: Connection, database: str
) -> None:
    db.execute(f"create temp table line as {LINE}; create temp view v as select * from line".encode())
    for name in ("line", "v", "pg_temp.v"):
        table = row(db, f"{SNAPSHOT}(%s)", [name])[0]
        with cluster.connect(database) as other:
            assert value(other, f"select count(*) from {table}") == 300


def test_a_read_only_transaction_makes_no_copy(db: Connection) -> None:
    lined(db).execute("begin read only; savepoint s")
    for call in (f"{SNAPSHOT}('line')", f"{SNAPSHOT}('line', 'kept')", KEEP.replace("%s", "'line'")):
        with refusal("25006", "in a read-only transaction"):
            db.execute(call.encode())
        db.execute("rollback to s")
    db.execute("rollback")


def test_a_rollback_takes_the_copy_back(db: Connection) -> None:
    lined(db).execute("begin")
    table = row(db, f"{SNAPSHOT}('line')")[0]
    db.execute(KEEP.encode(), ["line"])
    db.execute("rollback")
    assert row(db, "select to_regclass(%s), to_regclass('pgml.snapshot_2')", [table]) == (None, None)
    assert column(db, "select id from pgml.snapshots") == []


def test_a_model_is_trained_on_exactly_the_rows_that_are_kept(db: Connection) -> None:
    lined(db).execute(
        "create view v as select a, b, y + random() as y from line; create view o as select 1 as x"
    )
    db.execute(SNAPSHOT.encode() + b"('o')")
    with notices(db) as said:
        model = value(db, KEEP, ["v"])
    assert said == ["the rows are kept in pgml.snapshot_2"]
    kept = "id, materialized, relation_name, row_count"
    assert row(db, f"select {kept} from pgml.snapshots") == (2, "pgml.snapshot_2", "public.v", 300)
    assert value(db, "select relation_name from pgml.projects") == "public.v"
    assert row(db, "select model_id, materialized from pgml.trained_models") == (model, "pgml.snapshot_2")
    db.execute("select pgml.train('again', 'regression', 'pgml.snapshot_2', 'y')")
    assert len(set(column(db, HASHES))) == 1
    predictions = "select pgml.predict('{}', l) from line l order by a"
    assert column(db, predictions.format("p")) == column(db, predictions.format("again"))
    assert value(db, "select count(distinct score) from pgml.models") == 1
    assert value(db, "select materialized from pgml.trained_models where project = 'again'") is None


def test_a_later_training_reads_the_relation_and_not_the_copy(db: Connection) -> None:
    lined(db).execute(KEEP.encode(), ["line"])
    db.execute("insert into line select a + 1000, b, c, y + 2000 from line")
    with notices(db) as said:
        trained = row(db, "select model, deployed from pgml.train('p', materialize_snapshot => true)")
    assert trained == ("p_2", False)
    assert len(said) == 1
    assert said[0].startswith('the rows are kept in pgml.snapshot_2; not deployed, as the live model "p_1"')
    assert value(db, "select array_agg(row_count order by id) from pgml.snapshots") == [300, 600]
    assert value(db, "select count(*) from pgml.snapshot_2") == 600
    assert value(db, "select strategy from pgml.deploy('p', 'best_score')") == "best_score"


def test_a_training_that_fails_keeps_nothing(db: Connection) -> None:
    lined(db).execute("create view zero as select a, y from line where a < 0")
    for relation, sqlstate in (("zero", "22023"), ("nope", "42P01")):
        with refusal(sqlstate):
            db.execute(KEEP.encode(), [relation])
    db.execute("alter table line add j jsonb")
    with refusal("42804", 'column "j" has type jsonb'):
        db.execute(KEEP.encode(), ["line"])
    assert column(db, "select relname::text from pg_class where relname like 'snapshot\\_%'") == []


def test_dropping_names_the_tables_that_stay(db: Connection) -> None:
    lined(db).execute(KEEP.encode(), ["line"])
    train = "select model_id from pgml.train('p', algorithm => 'random_forest', automatic_deploy => false{})"
    kept = value(db, train.format(", materialize_snapshot => true"))
    bare = value(db, train.format(""))
    for model, expected in ((bare, []), (kept, ["the rows it was trained on stay in pgml.snapshot_2"])):
        with notices(db) as said:
            db.execute("select pgml.drop_model(%s)", [model])
        assert said == expected
    value(db, train.format(", materialize_snapshot => true"))
    db.execute("drop table pgml.snapshot_2")
    with notices(db) as said:
        db.execute("select pgml.drop_project('p')")
    assert said == ["the rows it was trained on stay in pgml.snapshot_1, pgml.snapshot_4"]
    assert value(db, "select count(*) from pgml.snapshot_1") == 300


def test_ordinary_roles_may_keep_what_they_train_on(plain: Connection) -> None:
    lined(plain)
    with notices(plain) as said:
        plain.execute(KEEP.encode(), ["line"])
    assert said == [f"the rows are kept in {plain.info.user}.snapshot_1"]
    assert value(plain, "select pgml.predict('p', l) from line l where a = 10") == pytest.approx(23)
    plain.execute("set search_path = public")
    with refusal("42501", 'may create tables neither in schema "pgml" nor in its search_path'):
        plain.execute(KEEP.encode(), [f"{plain.info.user}.line"])


def test_a_copy_in_pgml_is_dumped_and_restored(cluster: Cluster, db: Connection, database: str) -> None:
    lined(db).execute(KEEP.encode(), ["line"])
    restored = f"{database}_restored"
    cluster.create_database(restored)
    try:
        cluster.restore(cluster.dump(database), restored)
        with cluster.connect(restored) as other:
            assert value(other, "select count(*) from pgml.snapshot_1") == 300
            assert value(other, "select materialized from pgml.trained_models") == "pgml.snapshot_1"
            assert row(other, f"{SNAPSHOT}('line')")[0] == "pgml.snapshot_2"
    finally:
        cluster.drop_database(restored)


def test_each_role_copies_what_it_sees(cluster: Cluster, plain: Connection, database: str) -> None:
    other = f"other_{database}"
    grant_pgml(cluster, database, other)
    try:
        lined(plain).execute("create view mine as select a, y, current_user::text as who from line")
        plain.execute(f"grant usage on schema {plain.info.user} to {other}; grant select on mine to {other}")
        with cluster.connect(database, other) as session:
            table = row(session, f"{SNAPSHOT}('{plain.info.user}.mine')")[0]
            assert table == f"{other}.snapshot_1"
            assert column(session, f"select distinct who from {table}") == [other]
    finally:
        cluster.drop_database(database)
        cluster.drop_role(other)
