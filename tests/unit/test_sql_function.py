"""The text of functions and headers, without a server."""

import pytest

from pgml.artifact.format import Artifact
from pgml.compilation import LARGEST, check_size, printed, retyped
from pgml.errors import TooLarge
from pgml.sqlgen.dialects.postgres import Exact
from pgml.sqlgen.function import Function, word
from pgml.usecases import compile as compiling

ONE = Function(
    [("age", "integer"), ("out", "character")],
    [("", "float8")],
    "sql",
    "return 1",
    volatility="immutable",
    pinned=False,
)


def test_a_line_of_comment_holds_nothing_that_ends_it() -> None:
    ends = "\n\r\x0b\x0c\x85\u2028\u2029\x00"
    assert printed(f"a{ends}c d é") == f"a{' ' * len(ends)}c d é"


def test_parameters_that_are_keywords_are_quoted() -> None:
    assert [word(each) for each in ("age", "out", "found", "Age", 'x"y', "position", "begin")] == [
        "age",
        '"out"',
        "found",
        '"Age"',
        '"x""y"',
        '"position"',
        '"begin"',
    ]


def test_a_function_is_written_with_its_parameters_and_what_it_is() -> None:
    assert ONE.created("app.f", replaced=True) == (
        'create or replace function app.f(\n    age integer,\n    "out" character\n)\nreturns float8\n'
        "language sql\nimmutable\nparallel safe\nreturn 1"
    )
    assert ONE.signature == "integer, character"


def test_a_function_is_asked_with_each_value_in_its_own_type() -> None:
    assert ONE.asked("f", ["prediction"], "rows", "n") == (
        'select n, f("age"::integer, "out"::bpchar) as "prediction" from rows'
    )


def test_a_body_sets_search_path_only_if_it_needs_to() -> None:
    bodies = [
        Function([], [("", "text")], "plpgsql", "it's", "stable", pinned).created("f", replaced=False)
        for pinned in (False, True)
    ]
    assert ["set search_path = pg_catalog, pg_temp" in body for body in bodies] == [False, True]
    assert bodies[0].endswith("as 'it''s'")


def test_exact_numbers_all_have_their_type() -> None:
    dialect = Exact()
    spelled = [dialect.number(each) for each in (1.0, -2.5, 1e300)]
    assert spelled == ["1::float8", "(-2.5::float8)", "1e+300::float8"]
    assert dialect.threshold(0.1).endswith("::float8")


def test_types_of_the_relation_take_the_place_of_those_of_training() -> None:
    plain = {"kind": "number", "column": {"name": "a", "type": "integer", "width": 1}}
    marked = {"kind": "marked", "of": {"kind": "number", "column": {"name": "b", "type": "real", "width": 1}}}
    artifact = Artifact({"dtype": "float64", "encodings": [plain, marked]}, {}, {}, b"")
    found = retyped(artifact, {"a": "numeric"}).encoder["encodings"]
    assert found[0]["column"]["type"] == "numeric"
    assert found[1]["of"]["column"]["type"] == "real"


def test_a_text_beyond_the_bound_is_refused() -> None:
    check_size(" " * LARGEST)
    with pytest.raises(TooLarge):
        check_size("é" * LARGEST)


def test_a_dotted_name_is_taken_apart_as_it_is_quoted() -> None:
    assert compiling._parts('a.b."c.d ""e"""') == ["a", "b", 'c.d "e"']
    assert compiling._parts("Old customers") == ["Old customers"]
    assert compiling._parts('"half') == []
