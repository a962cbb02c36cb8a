"""What both adapters must do alike; each case takes a session and raises if it does not.

The file is run as it stands inside a backend too, so it imports pgml alone.
"""

import math
from collections.abc import Callable
from contextlib import suppress

from pgml.database.port import Database, DatabaseError


def values_have_one_python_type(db: Database) -> None:
    (row,) = db.query(
        "select 1::bigint as i, 1.5::float8 as f, true as b, 'é'::text as t,"
        " '\\x00ff'::bytea as y, null::text as n"
    )
    assert dict(row) == {"i": 1, "f": 1.5, "b": True, "t": "é", "y": b"\x00\xff", "n": None}
    assert [type(row[name]) for name in "ifbty"] == [int, float, bool, str, bytes]


def arguments_come_back(db: Database) -> None:
    text = 'it\'s "quoted" $1 %s {} \\ \n é'
    (row,) = db.query(
        "select $1::text as t, $2::bigint as i, $3::float8 as f, $4::boolean as b, $5 as y, $6::text as n",
        text,
        2**62,
        0.1,
        2 < 1,
        bytes(range(256)),
        None,
    )
    assert dict(row) == {"t": text, "i": 2**62, "f": 0.1, "b": False, "y": bytes(range(256)), "n": None}
    (row,) = db.query("select $1::float8 as nan, $2::float8 as inf", math.nan, -math.inf)
    assert math.isnan(row["nan"])
    assert row["inf"] == -math.inf


def an_argument_can_be_used_twice(db: Database) -> None:
    assert db.query("select $1::text || $1::text as t", "x")[0]["t"] == "xx"


def statements_without_rows_give_none(db: Database) -> None:
    assert list(db.query("create temporary table contract (x int)")) == []
    assert list(db.query("insert into contract values (1)")) == []
    assert list(db.query("select * from contract where x > $1::int", 5)) == []
    assert list(db.query("drop table contract")) == []


def a_prepared_statement_runs_again_and_again_with_other_arguments(db: Database) -> None:
    add = db.prepared("select ($1::int + $2::int)::bigint as n")
    assert [add(str(at), "2")[0]["n"] for at in range(10)] == list(range(2, 12))
    with suppress(DatabaseError):
        add("x", "2")
        raise AssertionError
    assert add("1", "2")[0]["n"] == 3


def errors_keep_what_postgresql_says(db: Database) -> None:
    error = failure(db, "select 1 / $1::int", 0)
    assert (error.sqlstate, error.message) == ("22012", "division by zero")
    error = failure(db, "select * from no_such_table")
    assert (error.sqlstate, error.message) == ("42P01", 'relation "no_such_table" does not exist')
    error = failure(db, "do $$ begin raise 'm' using detail = 'd', hint = 'h', errcode = '42501'; end $$")
    assert (error.sqlstate, error.message, error.detail, error.hint) == ("42501", "m", "d", "h")
    assert not error.is_interrupt
    error = failure(db, "do $$ begin raise 'm' using errcode = 'ZX9A0'; end $$")
    assert (error.sqlstate, error.message) == ("ZX9A0", "m")


def the_session_goes_on_after_an_error(db: Database) -> None:
    db.query("create temporary table contract as select 1::bigint as x")
    failure(db, "insert into contract select 1 / 0")
    assert db.query("select count(*) as n from contract")[0]["n"] == 1
    db.query("drop table contract")


def a_stream_comes_in_chunks_and_in_order(db: Database) -> None:
    chunks = list(db.stream("select n::bigint as n, n::text as t from generate_series(1, 25) n", 10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    rows = [(row["n"], row["t"]) for chunk in chunks for row in chunk]
    assert rows == [(n, str(n)) for n in range(1, 26)]
    assert list(db.stream("select 1 where false", 10)) == []


def a_stream_sends_bytes(db: Database) -> None:
    (chunk,) = db.stream("select int4send(n) as b, null::bytea as n from generate_series(1, 2) n", 10)
    assert [(row["b"], row["n"]) for row in chunk] == [(b"\0\0\0\1", None), (b"\0\0\0\2", None)]


def a_stream_fails_like_a_query(db: Database) -> None:
    error = raised(lambda: list(db.stream("select 1 / (n - 15) from generate_series(1, 20) n", 10)))
    assert error.sqlstate == "22012"
    assert db.query("select 1::bigint as one")[0]["one"] == 1


def the_owners_rights_give_the_result_back(db: Database) -> None:
    assert db.as_owner(lambda: db.query("select 7::bigint as x")[0]["x"]) == 7
    error = raised(lambda: db.as_owner(lambda: db.query("select 1 / 0")))
    assert error.sqlstate == "22012"


def failure(db: Database, sql: str, *arguments: int) -> DatabaseError:
    return raised(lambda: db.query(sql, *arguments))


def raised(work: Callable[[], object]) -> DatabaseError:
    try:
        work()
    except DatabaseError as error:
        return error
    raise AssertionError("no error")


CASES = [
    values_have_one_python_type,
    arguments_come_back,
    an_argument_can_be_used_twice,
    statements_without_rows_give_none,
    a_prepared_statement_runs_again_and_again_with_other_arguments,
    errors_keep_what_postgresql_says,
    the_session_goes_on_after_an_error,
    a_stream_comes_in_chunks_and_in_order,
    a_stream_sends_bytes,
    a_stream_fails_like_a_query,
    the_owners_rights_give_the_result_back,
]
