"""predict_batch and predict_table: the answers of predict, row for row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, refusal, row, value

SETTING = """
select setseed(0.5);
create table houses (
    id bigint primary key, area float8, rooms int, built date, garden boolean, town text, kind varchar(9),
    price float8, sold boolean, class text, code int
);
insert into houses
select i, case when i % 13 = 0 then null else 40 + random() * 200 end, 1 + i % 6,
    date '1900-01-01' + i * 11, case when i % 17 = 0 then null else i % 3 = 0 end,
    case when i % 19 = 0 then null else 'town ' || i % 90 end,
    (array['flat', 'house', 'hut'])[1 + i % 3], 0, false, '', 0
from generate_series(1, 3000) i;
update houses set
    price = coalesce(area, 100) * 3 + rooms * 20 + length(kind) * 5 + random(),
    sold = coalesce(area, 100) + rooms * 10 + random() * 20 > 150,
    class = case when rooms < 3 then 'small' when coalesce(area, 0) > 140 then 'large' else 'mid''s' end,
    code = 10 * (rooms % 3);
create view numbers as
select area, rooms, garden::int as garden, built - date '1900-01-01' as days, price from houses;
create view prices as select area, rooms, built, garden, town, kind, price from houses;
create view sales as select area, rooms, built, garden, town, kind, sold from houses;
create view classes as select area, rooms, town, kind, class from houses;
create view codes as select area, rooms, town, code from houses;
select pgml.train('numbers', 'price', 'linear');
select pgml.train('numbers_tree', 'regression', 'numbers', 'price', 'xgboost');
select pgml.train('prices', 'price', 'linear');
select pgml.train('prices_tree', 'regression', 'prices', 'price', 'xgboost');
select pgml.train('sales', 'sold', 'random_forest');
select pgml.train('sales_linear', 'classification', 'sales', 'sold', 'linear');
select pgml.train('classes', 'class', 'xgboost');
select pgml.train('codes', 'code', 'xgboost');
"""
REGRESSIONS = ("prices", "prices_tree")
CLASSIFIERS = ("sales", "sales_linear", "classes", "codes")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with one project of each kind."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute("set client_min_messages = warning")
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def table(db: Connection, call: str) -> list[tuple[Any, ...]]:
    return db.execute(f"select key, prediction, label, probability from {call}".encode()).fetchall()


@pytest.mark.parametrize("project", REGRESSIONS)
def test_a_table_of_numbers_is_predicted_as_row_by_row(shared: Connection, project: str) -> None:
    found = table(shared, f"pgml.predict_table('{project}', 'houses')")
    rows = shared.execute(f"select id, pgml.predict('{project}', h) from houses h".encode()).fetchall()
    assert [key for key, *_ in found] == [key for key, _ in rows]
    assert [each[1] for each in found] == pytest.approx([answer for _, answer in rows], rel=1e-12)
    assert {each[2:] for each in found} == {(None, None)}


@pytest.mark.parametrize("project", CLASSIFIERS)
def test_a_table_of_labels_is_predicted_as_row_by_row(shared: Connection, project: str) -> None:
    found = table(shared, f"pgml.predict_table('{project}', 'houses', 'id') order by key::bigint")
    rows = shared.execute(
        f"select to_jsonb(id), pgml.predict_label('{project}', h), pgml.predict_proba('{project}', h)"
        " from houses h order by id".encode()
    ).fetchall()
    assert [(key, label) for key, _, label, _ in found] == [(key, label) for key, label, _ in rows]
    assert [each[3] for each in found] == pytest.approx([max(each[2]) for each in rows], rel=1e-12)
    if project == "classes":
        assert {each[1] for each in found} == {None}
    else:
        numbers = column(shared, f"select pgml.predict('{project}', h) from houses h order by id")
        assert [each[1] for each in found] == numbers


@pytest.mark.parametrize("project", ["numbers", "numbers_tree"])
def test_a_batch_is_predicted_as_row_by_row(shared: Connection, project: str) -> None:
    features = "array[area, rooms, garden, days]"
    rows = column(shared, f"select pgml.predict('{project}', {features}::float8[]) from numbers")
    nested = column(
        shared,
        f"select pgml.predict_batch('{project}', (select array_agg({features}::float8[]) from numbers))",
    )
    flat = column(
        shared,
        f"select p from pgml.predict_batch('{project}_1', (select array_agg(x) from numbers,"
        f" unnest({features}::float8[]) x)) p",
    )
    by_id = value(shared, f"select model_id from pgml.overview where project = '{project}'")
    by_model = column(
        shared, f"select pgml.predict_batch({by_id}, (select array_agg({features}::float8[]) from numbers))"
    )
    assert len(rows) == 3000
    assert nested == flat == by_model == pytest.approx(rows, rel=1e-12)
    assert table(shared, f"pgml.predict_table({by_id}, 'numbers')")[:2] == [
        (1, pytest.approx(rows[0], rel=1e-12), None, None),
        (2, pytest.approx(rows[1], rel=1e-12), None, None),
    ]


def test_a_batch_takes_arrays_of_any_numbers_and_dimensions(shared: Connection) -> None:
    one = value(shared, "select pgml.predict('numbers_tree', array[100, 3, 1, 5000])")
    for given in (
        "array[100, 3, 1, 5000]",
        "array[[100, 3, 1, 5000]]",
        "array[[[100, 3], [1, 5000]]]",
        "array[100, 3, 1, 5000]::real[]",
        "array[100, 3, 1, 5000]::numeric[]",
        "'{100, 3, 1, 5000}'",
        "'[0:3]={100, 3, 1, 5000}'",
    ):
        assert column(shared, f"select pgml.predict_batch('numbers_tree', {given})") == [one], given
    missing = value(shared, "select pgml.predict('numbers_tree', array[null, 3, null, 5000])")
    given = "array[array[100, 3, 1, 5000], array[null, 3, null, 5000]]"
    assert column(shared, f"select pgml.predict_batch('numbers_tree', {given})") == [one, missing]
    given = "array[array[100, 3, 1, 5000], array['NaN', 3, null, 5000]::float8[]]"
    assert column(shared, f"select pgml.predict_batch('numbers_tree', {given})") == [one, missing]


def test_no_rows_give_no_rows(shared: Connection) -> None:
    shared.execute("create temporary table nothing as select * from houses limit 0")
    for call in (
        "pgml.predict_batch('numbers', '{}')",
        "pgml.predict_batch('numbers', null)",
        "pgml.predict_batch(null::text, array[1.0])",
        "pgml.predict_table('prices', 'nothing')",
        "pgml.predict_table('prices', 'nothing', 'id')",
        "pgml.predict_table('prices', null)",
        "pgml.predict_table(null::text, 'houses')",
    ):
        assert shared.execute(f"select * from {call}".encode()).fetchall() == [], call


@pytest.mark.parametrize(
    ("call", "sqlstate", "message", "hint"),
    [
        (
            "predict_batch('numbers', array[1, 2, 3])",
            "22023",
            "has 4 features, 3 were given",
            '"area", "rooms"',
        ),
        (
            "predict_batch('numbers', array[[1, 2], [3, 4]])",
            "22023",
            "4 features, 2 were given",
            "in this order",
        ),
        (
            "predict_batch('numbers', array[1, 2, 3, float8 'infinity'])",
            "22023",
            '"days" is infinite',
            "or NULL",
        ),
        ("predict_batch('prices', array[1, 2, 3])", "22023", '"town", "kind"', "Give a row"),
        (
            "predict_batch('classes', array[1, 2])",
            "42804",
            "labels of this model are no numbers",
            "predict_table",
        ),
        ("predict_batch('nobody', array[1])", "42704", 'project "nobody" does not exist', ""),
        ("predict_table('nobody', 'houses')", "42704", 'project "nobody" does not exist', ""),
        ("predict_table('prices', 'nowhere')", "42P01", 'relation "nowhere" does not exist', "table or view"),
        ("predict_table('prices', '')", "22023", "relation_name must not be empty", "table or view"),
        (
            "predict_table('prices', 'houses', 'idd')",
            "42703",
            '"idd" does not exist in public.houses',
            '"id"',
        ),
        ("predict_table('prices', 'houses_pkey')", "22023", "is no table or view", ""),
        ("predict_table('numbers', 'houses')", "42703", 'feature(s) "days" are not given', "Add them"),
        ("predict_table(-1, 'houses')", "42704", "model -1 does not exist", "trained_models"),
    ],
)
def test_a_mistake_is_told(shared: Connection, call: str, sqlstate: str, message: str, hint: str) -> None:
    with refusal(sqlstate, message, hint):
        shared.execute(f"select * from pgml.{call}".encode())
    assert value(shared, "select 1") == 1


def test_a_row_in_the_middle_that_cannot_be_predicted_is_told(shared: Connection) -> None:
    shared.execute(
        "create or replace temporary view far as select n::float8 as area, 1 as rooms, 1 as garden,"
        " case when n = 25000 then float8 'infinity' else n end as days from generate_series(1, 30000) n"
    )
    with refusal("22023", 'feature "days" is infinite', "Give a finite number"):
        shared.execute("select count(*) from pgml.predict_table('numbers', 'far')")
    shared.execute(
        "create or replace temporary view broken as select n::float8 as area, 1 as rooms, 1 as garden,"
        " 1 / (n - 25000) as days from generate_series(1, 30000) n"
    )
    with refusal("22012", "division by zero"):
        shared.execute("select count(*) from pgml.predict_table('numbers', 'broken')")


def test_columns_are_found_by_name_and_others_are_ignored(shared: Connection) -> None:
    shared.execute(
        "create or replace temporary view turned as"
        " select price, '{}'::jsonb as other, kind, town, garden, built, rooms, area from houses"
    )
    found = table(shared, "pgml.predict_table('prices', 'turned')")
    assert [each[1:] for each in found] == [
        each[1:] for each in table(shared, "pgml.predict_table('prices', 'houses')")
    ]
    assert [each[0] for each in found] == list(range(1, 3001))


def test_a_column_that_training_saw_missing_may_be_absent(shared: Connection) -> None:
    shared.execute("create temporary view bare as select rooms, built, kind from houses")
    expected = column(
        shared, "select pgml.predict('prices_tree', row_to_json(b)::jsonb) from bare b order by rooms, built"
    )
    found = column(
        shared,
        "select prediction from pgml.predict_table('prices_tree', 'bare')"
        " join (select *, row_number() over () as n from bare) b on n = key::bigint order by rooms, built",
    )
    assert found == expected


@pytest.mark.parametrize(
    "columns",
    [
        "area::text, rooms::smallint, built::timestamp, garden, town::name, kind",
        "area::numeric, rooms::float8, built, garden, town::char(9), kind::text",
        "area::real, rooms::text, built::text, garden::text, town, kind",
        "area, to_jsonb(rooms) as rooms, built, garden::int, town, kind",
    ],
)
@pytest.mark.parametrize("project", REGRESSIONS)
def test_columns_of_other_types_are_read_as_predict_reads_them(
    shared: Connection, project: str, columns: str
) -> None:
    shared.execute(
        f"create or replace temporary view other{abs(hash(columns))} as select {columns} from houses".encode()
    )
    name = f"other{abs(hash(columns))}"
    if "to_jsonb" in columns:
        with refusal("42804", "no model can read"):
            shared.execute(f"select * from pgml.predict_table('{project}', '{name}')".encode())
        return
    found = column(shared, f"select prediction from pgml.predict_table('{project}', '{name}')")
    expected = column(shared, f"select pgml.predict('{project}', x) from {name} x")
    assert found == pytest.approx(expected, rel=1e-12)


def test_keys_of_every_type_and_number(shared: Connection) -> None:
    shared.execute(
        'create temporary table "Ke""ys" as'
        ' select id, rooms as "Ro oms", town, built, area, kind, garden, rooms,'
        " gen_random_uuid() as u, id::numeric / 7 as n, null::int as nothing from houses where id <= 40"
    )
    shared.execute('alter table "Ke""ys" add primary key ("Ro oms", built)')
    name = '"Ke""ys"'
    pairs = {
        None: "jsonb_build_object('Ro oms', \"Ro oms\", 'built', built)",
        "u": "to_jsonb(u)",
        "town": "to_jsonb(town)",
        "built": "to_jsonb(built)",
        "n": "to_jsonb(n)",
        "Ro oms": 'to_jsonb("Ro oms")',
        "nothing": "to_jsonb(nothing)",
        "id, Ro oms": "jsonb_build_object('id', id, 'Ro oms', \"Ro oms\")",
    }
    for key, expected in pairs.items():
        given = "null" if key is None else f"'{key}'"
        found = column(shared, f"select key from pgml.predict_table('prices', '{name}', {given})")
        assert found == column(shared, f"select {expected} from {name}"), key
    assert len(column(shared, f"select key from pgml.predict_table('prices', '{name}', 'rooms')")) == 40


def test_a_view_has_no_key_but_its_order(shared: Connection) -> None:
    assert [key for key, *_ in table(shared, "pgml.predict_table('prices', 'prices')")] == list(
        range(1, 3001)
    )


def test_many_chunks_stay_in_order(shared: Connection) -> None:
    shared.execute(
        "create temporary view wide as select n % 251 as area, n % 7 as rooms, 1 as garden, n as days"
        " from generate_series(1, 45001) n"
    )
    found = table(shared, "pgml.predict_table('numbers', 'wide')")
    assert [key for key, *_ in found] == list(range(1, 45002))
    expected = column(
        shared, "select pgml.predict('numbers', array[area, rooms, garden, days]::float8[]) from wide"
    )
    assert [each[1] for each in found] == pytest.approx(expected, rel=1e-9)
    batch = column(
        shared,
        "select pgml.predict_batch('numbers', array_agg(array[area, rooms, garden, days]::float8[]))"
        " from wide",
    )
    assert batch == [each[1] for each in found]


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_threads_change_nothing_and_end(shared: Connection, threads: int) -> None:
    expected = table(shared, "pgml.predict_table('prices_tree', 'houses')")
    tasks = Path(f"/proc/{shared.info.backend_pid}/task")
    before = len(list(tasks.iterdir()))
    shared.execute("insert into pgml.settings values ('batch_threads', %s)", [threads])
    try:
        found = table(shared, "pgml.predict_table('prices_tree', 'houses')")
        after = len(list(tasks.iterdir()))
    finally:
        shared.execute("delete from pgml.settings")
    assert found == expected
    assert after == before


def test_a_plain_role_predicts_only_what_it_may_read(cluster: Cluster, shared: Connection) -> None:
    database = shared.info.dbname
    role = f"reader_{database}"
    grant_pgml(cluster, database, role)
    shared.execute(f'grant select on houses to "{role}"'.encode())
    shared.execute("alter table houses enable row level security")
    shared.execute("create policy few on houses using (id <= 200)")
    try:
        with cluster.connect(database, role) as connection:
            connection.execute(f'create view "{role}".mine as select area, rooms, price from houses'.encode())
            connection.execute("select pgml.train('mine', 'price')")
            rows = column(connection, "select key from pgml.predict_table('mine', 'houses')")
            assert rows == list(range(1, 201))
            with refusal("42501", "permission denied", "select"):
                connection.execute("select * from pgml.predict_table('mine', 'prices')")
            with refusal("42704", 'project "prices" does not exist'):
                connection.execute("select * from pgml.predict_table('prices', 'houses')")
            connection.execute("begin read only")
            assert len(column(connection, "select key from pgml.predict_table('mine', 'houses')")) == 200
            connection.execute("rollback")
    finally:
        shared.execute("drop policy few on houses")
        shared.execute("alter table houses disable row level security")
        shared.execute(f'drop owned by "{role}" cascade'.encode())
        cluster.drop_role(role)


def test_the_caller_s_search_path_holds_for_the_whole_read(shared: Connection) -> None:
    shared.execute("create schema if not exists tools")
    shared.execute(
        "create or replace function tools.doubled(x float8) returns float8 immutable"
        " language plpgsql as 'begin return 2 * x; end'"
    )
    shared.execute(
        "create or replace function tools.later(x float8) returns float8 stable"
        " language plpgsql as 'begin return doubled(x); end'"
    )
    shared.execute("set search_path = public, tools")
    try:
        shared.execute(
            "create or replace view called as select later(n) as area, 1 as rooms, 1 as garden,"
            " 3 as days from generate_series(1, 25000) n"
        )
        found = table(shared, "pgml.predict_table('numbers', 'called')")
        assert len(found) == 25000
        assert value(shared, "show search_path") == "public, tools"
    finally:
        shared.execute("reset search_path")
    assert found[1][1] == pytest.approx(value(shared, "select pgml.predict('numbers', array[4, 1, 1, 3])"))


def test_a_limit_and_a_cursor_leave_nothing_open(shared: Connection) -> None:
    assert len(shared.execute("select * from pgml.predict_table('prices', 'houses') limit 3").fetchall()) == 3
    assert len(column(shared, "select pgml.predict_batch('numbers', array[1,1,1,1,2,2,2,2]) limit 1")) == 1
    with shared.transaction():
        shared.execute("declare every cursor for select * from pgml.predict_table('prices', 'houses')")
        assert len(shared.execute("fetch 5 from every").fetchall()) == 5
    assert value(shared, "select count(*) from pg_cursors") == 0


def test_predictions_are_written_into_a_table(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("create table scored as select * from pgml.predict_table('sales', 'houses')")
        shared.execute(
            "update houses h set code = -1 from pgml.predict_table('sales', 'houses') p"
            " where h.id = p.key::bigint and p.label = 'true'"
        )
        counts = row(
            shared,
            "select (select count(*) from houses where code = -1),"
            " (select count(*) from scored where prediction = 1)",
        )
        assert counts[0] == counts[1] > 0
