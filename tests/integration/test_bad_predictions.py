"""Features no model can take: an error that says what to do, and the session goes on."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, value

VIEWS = {
    "mixed": ("y", "n as a, 'b' || n % 3 as b, date '2020-01-01' + n as d, n % 2 = 0 as k, n * 2.0 as y"),
    "numbers": ("y", "n::float8 as a, n * n as f1, n * 2.0 as y"),
    "one": ("y", "n::float8 as a, n * 2.0 as y"),
    "arrays": ("y", "array[n, n * 2, n % 3]::float8[] as v, n::float8 as a, n * 2.0 as y"),
    "times": (
        "y",
        "timestamptz '2020-01-01' + n * interval '1 h' as t, n * interval '1 h' as i, n * 2.0 as y",
    ),
    "labels": ("label", "n::float8 as a, (array['x', 'y'])[1 + n % 2] as label"),
    "truths": ("label", "n::float8 as a, n % 2 = 0 as label"),
}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with a model of each view, named as the view."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        for name, (target, columns) in VIEWS.items():
            db.execute(f"create view {name} as select {columns} from generate_series(1, 200) n".encode())
            db.execute("select pgml.train(%s, %s)", [name, target])
        yield db
    cluster.drop_database(database)


def refused(db: Connection, call: str, sqlstate: str, message: str, hint: str = "", *given: Any) -> None:
    """Expect an error of the predict family, in PostgreSQL's style."""
    with pytest.raises(psycopg.Error) as caught:
        db.execute(f"select pgml.{call}".encode(), given or None)
    said = caught.value.diag
    primary = (said.message_primary or "").removeprefix("pgml: ")
    assert caught.value.sqlstate == sqlstate, primary
    assert message in primary
    assert hint in (said.message_hint or ""), said.message_hint
    assert not primary.removesuffix("...").endswith(".")
    assert not primary[:1].isupper()
    assert "Error" not in primary
    assert value(db, "select pgml.predict('one', '5')") == pytest.approx(10)


COUNTS = [
    ("numbers", "array[1.0]", "has 2 features, 1 were given"),
    ("numbers", "array[1.0, 2, 3]", "has 2 features, 3 were given"),
    ("numbers", "array[]::float8[]", "has 2 features, 0 were given"),
    ("numbers", "'{}'::int[]", "has 2 features, 0 were given"),
    ("numbers", "array[[1.0, 2], [3, 4]]", "has 2 features, 4 were given"),
    ("numbers", "'[1]'", "has 2 features, 1 were given"),
    ("numbers", "'5'", "has 2 features, 1 were given"),
    ("numbers", "5", "has 2 features, 1 were given"),
    ("numbers", "'hello'", "has 2 features, 1 were given"),
    ("numbers", "''", "has 2 features, 1 were given"),
    ("numbers", "array_fill(1.0::float8, array[300000])", "has 2 features, 300000 were given"),
    ("numbers", "to_jsonb(array_fill(1.0::float8, array[300000]))", "has 2 features, 300000 were given"),
    ("numbers", "array_fill(1.0::float8, array[300000])::text", "has 2 features, 300000 were given"),
]


@pytest.mark.parametrize(("model", "features", "message"), COUNTS)
def test_a_wrong_count_names_the_features(
    shared: Connection, model: str, features: str, message: str
) -> None:
    hint = 'The features are "a", "f1", in this order.'
    refused(shared, f"predict('{model}', {features})", "22023", message, hint)


NAMES = {
    "'{}'::jsonb": '"a", "f1"',
    "'{}'": '"a", "f1"',
    "row()": '"a", "f1"',
    """'{"a": 1}'::jsonb""": '"f1"',
    """'{"A": 1, "f1": 2}'""": '"a"',
    # Training had a column f1, so the fields that row() makes go by name.
    "row(1, 2)": '"a"',
    "row(1)": '"a"',
    """'{"f1": 1, "f2": 2}'::jsonb""": '"a"',
}


@pytest.mark.parametrize("features", NAMES)
def test_a_feature_that_is_not_given_is_named(shared: Connection, features: str) -> None:
    message, hint = f"feature(s) {NAMES[features]} are not given", "as NULL where they are not known."
    refused(shared, f"predict('numbers', {features})", "42703", message, hint)
    assert value(shared, f"select pgml.score('numbers', {features})") is not None


def test_fields_of_a_row_go_by_position_when_they_are_f1_to_fn(shared: Connection) -> None:
    for ok in ("row(5.0)", """'{"f1": 5}'""", """'{"f1": "5"}'::jsonb"""):
        assert value(shared, f"select pgml.predict('one', {ok})") == pytest.approx(10)
    for wrong in (
        '{"f2": 5}',
        '{"f0": 5}',
        '{"F1": 5}',
        '{"f01": 5}',
        '{"f1": 5, "x": 5}',
        '{"f1": 5, "f3": 5}',
    ):
        refused(shared, f"predict('one', '{wrong}')", "42703", 'feature(s) "a" are not given')
    refused(shared, "predict('one', jsonb_build_object('f' || repeat('9', 5000), 1))", "42703", '"a"')
    refused(shared, "predict('one', row(5, 6))", "22023", "2 were given", '"a"')


WRONG_TYPES = [
    ("numbers", {"a": 1, "f1": "x"}, 'feature "f1" wants a number, not "x"'),
    ("numbers", {"a": [1], "f1": 2}, 'feature "a" wants a number, not [1]'),
    ("numbers", {"a": 1, "f1": {}}, 'feature "f1" wants a number, not {}'),
    ("numbers", {"a": "", "f1": 1}, 'feature "a" wants a number, not ""'),
    ("numbers", {"a": "1_000", "f1": 1}, 'feature "a" wants a number, not "1_000"'),
    ("numbers", {"a": "0x10", "f1": 1}, 'feature "a" wants a number, not "0x10"'),
    ("numbers", {"a": "\u0665", "f1": 1}, 'feature "a" wants a number'),
    ("numbers", {"a": "x" * 100000, "f1": 1}, 'feature "a" wants a number, not "xxx'),
    ("numbers", {"a": "Infinity", "f1": 1}, 'feature "a" is infinite'),
    ("numbers", {"a": "-inf", "f1": 1}, 'feature "a" is infinite'),
    ("numbers", {"a": 10**400, "f1": 1}, 'feature "a" is infinite'),
    ("numbers", {"a": "9" * 6000, "f1": 1}, 'feature "a" is infinite'),
    ("mixed", {"a": 1, "b": ["x"], "d": "2020-01-01", "k": True}, 'feature "b" wants a text'),
    ("mixed", {"a": 1, "b": {"x": 1}, "d": "2020-01-01", "k": True}, 'feature "b" wants a text'),
    ("mixed", {"a": 1, "b": "x", "d": ["2020-01-01"], "k": True}, 'feature "d" wants a'),
    ("mixed", {"a": 1, "b": "x", "d": "2020-01-01", "k": "maybe"}, 'feature "k" wants a'),
    ("mixed", {"a": 1, "b": "x", "d": "infinity", "k": True}, 'feature "d" is infinite'),
    ("arrays", {"v": [1, 2], "a": 1}, 'feature "v" wants 3 numbers, 2 were given'),
    ("arrays", {"v": [1, 2, 3, 4], "a": 1}, 'feature "v" wants 3 numbers, 4 were given'),
    ("arrays", {"v": [], "a": 1}, 'feature "v" wants 3 numbers, 0 were given'),
    ("arrays", {"v": 5, "a": 1}, 'feature "v" wants 3 numbers, 1 were given'),
    ("arrays", {"v": "{1,2,3}", "a": 1}, 'feature "v" wants 3 numbers, 1 were given'),
    ("arrays", {"v": [1, "x", 3], "a": 1}, 'feature "v" wants a number, not "x"'),
    ("arrays", {"v": [1, {}, 3], "a": 1}, 'feature "v" wants a number, not {}'),
]


@pytest.mark.parametrize(("model", "features", "message"), WRONG_TYPES)
@pytest.mark.parametrize("form", ["jsonb", "text"])
def test_a_wrong_type_in_json_names_the_feature(
    shared: Connection, form: str, model: str, features: dict[str, Any], message: str
) -> None:
    # Python refuses to write whole numbers of more than 4300 digits, and SQL does not.
    written = json.dumps(features)
    refused(shared, f"predict('{model}', %s::{form})", "22023", message, "", written)


@pytest.mark.parametrize("digits", [5000, 100000])
def test_a_number_of_thousands_of_digits_is_infinite(shared: Connection, digits: int) -> None:
    number = f"('1' || repeat('0', {digits}))::numeric"
    refused(shared, f"predict('one', {number})", "22023", 'feature "a" is infinite', "finite number")
    refused(shared, f"predict('one', jsonb_build_object('a', {number}))", "22023", "is infinite")
    as_text = f"jsonb_build_object('a', 1, 'b', {number}, 'd', '2020-01-01', 'k', true)"
    assert value(shared, f"select pgml.predict('mixed', {as_text})") is not None
    refused(shared, f"predict('one', array[{number}])", "22003", "out of range for type double precision")


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [("garbage", "22007"), ("", "22007"), ("2020-02-30", "22008"), ("'; drop table x; --", "22007"),
     ("10000-01-01 BCE", "22"), ("2020-01-01'::date); select 1; --", "22007")],
)  # fmt: skip
def test_a_malformed_date_says_how_to_write_it(shared: Connection, text: str, sqlstate: str) -> None:
    features = json.dumps({"a": 1, "b": "x", "d": text, "k": True})
    with pytest.raises(psycopg.DataError) as caught:
        shared.execute("select pgml.predict('mixed', %s::jsonb)", [features])
    assert (caught.value.sqlstate or "").startswith(sqlstate)
    assert caught.value.diag.message_hint == 'Write "d" as date, or as epoch seconds.'
    call = "predict('times', %s)"
    hint = 'Write "t" as timestamp with time zone and "i" as interval, or as epoch seconds.'
    refused(shared, call, "22007", "invalid input syntax", hint, json.dumps({"t": "garbage", "i": "1 h"}))
    refused(shared, call, "22007", "invalid input syntax", hint, json.dumps({"t": "2020-01-01", "i": "soon"}))


MALFORMED = [
    "[1, 2", "{1, 2", "{1,{2}", "{{1},{2,3}}", '{"a": 1,}', "{", "[1, 2]]",
    '{"a": "\\ud800"}', '["\\u0000"]', '{"a": "\\u0000"}',
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_text_says_how_to_write_it(shared: Connection, text: str) -> None:
    hint = """Write '{"age": 35}', '[35, 1.5]' or '{35, 1.5}'."""
    refused(shared, "predict('numbers', %s::text)", "22P02", "features are neither JSON nor", hint, text)


@pytest.mark.parametrize("depth", [900, 3000, 100000])
def test_deep_nesting_is_refused(shared: Connection, depth: int) -> None:
    nested = f"repeat('[', {depth}) || '5' || repeat(']', {depth})"
    refused(shared, f"predict('one', {nested})", "22023", "features are nested too deeply", "flat")
    inside = f"""'{{"a": 1, "d": 0, "k": true, "b": ' || {nested} || '}}'"""
    refused(shared, f"predict('mixed', {inside})", "22023", "", "")
    if depth < 10000:
        refused(shared, f"predict('one', ({nested})::jsonb)", "22023", "nested too deeply", "flat")


def test_text_labels_are_not_numbers(shared: Connection) -> None:
    hint = "Call pgml.predict_label instead."
    for call in ("predict('labels', array[1.0])", "predict('labels', row(1.0))", "predict('labels', '5')",
                 "score('labels', 1.0)", "score('labels', row())", "predict('labels_1', 5)"):  # fmt: skip
        refused(shared, call, "42804", "the labels of this model are no numbers", hint)
    refused(
        shared, "predict_label('one', array[1.0])", "42804", "it has no labels", "Call pgml.predict instead."
    )
    assert value(shared, "select pgml.predict_label('labels', '5')") in ("x", "y")
    assert value(shared, "select pgml.predict_label('truths', '5')") in ("true", "false")
    assert value(shared, "select pgml.predict('truths', '5')") in (0, 1)


def test_texts_do_not_fit_into_an_array(shared: Connection) -> None:
    hint = "Give a row"
    refused(shared, "predict('mixed', array[1.0, 2])", "22023", 'the text feature(s) "b"', hint)
    refused(shared, "predict('mixed', array[]::int[])", "22023", 'the text feature(s) "b"', hint)


def test_what_is_no_model(shared: Connection) -> None:
    for name in ("nope", "one_2", "one ", "ONE", "one; drop table x", ""):
        refused(shared, "predict(%s, '5')", "42704", f'project "{name}" does not exist', '"one"', name)
        refused(shared, "predict(%s, array[5.0])", "42704", f'project "{name}" does not', '"one"', name)
        refused(shared, "predict_label(%s, '5')", "42704", f'project "{name}" does not', '"one"', name)
        refused(shared, "score(%s, 5.0)", "42704", f'project "{name}" does not exist', '"one"', name)
    for call in ("predict(-1, '5')", "predict(999::bigint, 5)", "predict_label(999, row(5))"):
        refused(shared, call, "42704", "does not exist", "pgml.trained_models")


def test_values_of_other_types_are_refused_by_name(shared: Connection) -> None:
    for features in (
        "date '2020-01-01'",
        r"'\x00'::bytea",
        "point '(1,2)'",
        "'{a}'::text[]",
        "'10.0.0.1'::inet",
    ):
        refused(shared, f"predict('one', {features})", "22023", 'feature "a" wants a number, not "')
    for null in ("null::xml", "null", "null::point", "null::one"):
        assert value(shared, f"select pgml.predict('one', {null})") is None


def test_odd_numbers_predict(shared: Connection) -> None:
    for odd in (
        "'-0.0'",
        "'1e-320'",
        "1e-320::float8",
        "'1e300'",
        "' 5\t'",
        "'NaN'",
        "'{{{5}}}'",
        "'[[[5]]]'",
        "'true'",
    ):
        assert value(shared, f"select pgml.predict('one', {odd})") is not None
    assert value(shared, "select pgml.predict('one', '-0.0') = pgml.predict('one', 0)") is True
    asked = "predict('one', array['infinity'::float8])"
    refused(shared, asked, "22023", 'feature "a" is infinite', "Give a finite number, or NULL.")


def test_score_takes_less_but_never_more(shared: Connection) -> None:
    refused(shared, "score('numbers', 1, 2, 3)", "22023", "has 2 features, 3 were given", '"a", "f1"')
    refused(shared, "score('one', row('x'))", "22023", 'feature "a" wants a number, not "x"')
    refused(shared, "score('arrays', row(array[1.0]))", "22023", 'feature "v" wants 3 numbers, 1 were given')
    refused(shared, "score('arrays', row(array[1, 2, 3, 4, 5, 6]))", "22023", "6 were given")
    assert value(shared, "select pgml.score('numbers', variadic array[]::float8[])") is not None


def test_columns_by_any_name(shared: Connection) -> None:
    names = [
        'say "hi"', "100%", "%s {0} {}", "back\\slash", "l'été", "naïve 😀", "numbers", "a0", "t0", "$1",
        "x" * 63, "select", "tab\there", "line\nbreak", "; drop table one; --", "ctid_", "F1", "ünï" * 10,
    ]  # fmt: skip
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    texts = quoted[::5]
    columns = ", ".join(
        f"'c' || n % {i + 2} as {name}" if name in texts else f"n % {i + 2} as {name}"
        for i, name in enumerate(quoted)
    )
    shared.execute(
        f"create view named as select {columns}, n * 2.0 as \"'y'\" from generate_series(1, 200) n".encode()
    )
    shared.execute("select pgml.train('named', %s, 'xgboost')", ["'y'"])
    there = column(shared, "select pgml.predict('named', x) from named x")
    here = column(shared, "select pgml.predict('named', to_jsonb(x)::text) from named x")
    assert there == here
    assert len(set(there)) > 10
    asked = "select columns from pgml.models where name = 'named_1'"
    assert [each["name"] for each in value(shared, asked)] == names
    with refusal("42703", 'feature(s) "say "hi"", "100%"'):
        shared.execute("select pgml.predict('named', '{}')")


def test_categories_of_any_text(shared: Connection) -> None:
    texts = [
        "", " ", "null", "NaN", "it's", 'a "quoted" one', "\\", "\\u0000", "\x01\x1f\x7f", "😀", "e\u0301",
        "\u202e", "x" * 100_000, "'; drop table one; --", "{1,2}", "[]", "%s{}", "\ufeff", "\U0010ffff",
        "a\nb",
    ]  # fmt: skip
    shared.execute("create table texts (c text, y float8)")
    for number, text in enumerate(texts):
        shared.execute(
            "insert into texts select %s, %s + n / 100.0 from generate_series(1, 10) n", [text, number * 10]
        )
    shared.execute("select pgml.train('texts', 'y')")
    for number, text in enumerate(texts):
        for form in ("jsonb", "text"):
            got = value(
                shared, f"select pgml.predict('texts', jsonb_build_object('c', %s::text)::{form})", [text]
            )
            assert got == pytest.approx(number * 10, abs=2), text[:20]
    labels = "create view labelled as select y as a, c as label from texts"
    shared.execute(labels.encode())
    shared.execute("select pgml.train('labelled', 'label', 'random_forest')")
    right = "select avg((pgml.predict_label('labelled', x) = label)::int) from labelled x"
    assert value(shared, right) > 0.8


def test_a_table_of_1500_columns(shared: Connection) -> None:
    columns = ", ".join(f"hashint4(n * {i}) % 1000 as c{i}" for i in range(1, 1500))
    shared.execute(f"create table wide as select {columns}, n as y from generate_series(1, 250) n".encode())
    shared.execute("select pgml.train('wide', 'y')")
    by_row = column(shared, "select pgml.predict('wide', x) from wide x limit 3")
    by_text = column(shared, "select pgml.predict('wide', to_jsonb(x)::text) from wide x limit 3")
    assert by_text == pytest.approx(by_row, rel=1e-12)
    with refusal("22023", "the model has 1499 features, 1 were given", "and 1399 more, in this order."):
        shared.execute("select pgml.predict('wide', array[1.0])")
    with refusal("42703", '"c100" and 1399 more are not given'):
        shared.execute("select pgml.predict('wide', '{}')")
