"""What SQL functions send: complete, typed, and JSON of any size."""

import json
from typing import Any

import pytest

from pgml.errors import InvalidValue
from pgml.usecases import arguments

DEPLOY = {"project_name": "p", "strategy": None, "algorithm": None, "engine": None}


def test_complete_arguments_come_through() -> None:
    assert arguments.checked("deploy", json.dumps(DEPLOY)) == DEPLOY
    assert arguments.checked("algorithms", "{}") == {}


@pytest.mark.parametrize("verb", ["nope", "", None, "__class__"])
def test_an_unknown_verb_is_refused_with_those_there_are(verb: str | None) -> None:
    with pytest.raises(InvalidValue, match=f'verb "{verb or ""}" does not exist') as caught:
        arguments.checked(verb, "{}")
    assert '"train", "train_joint", "deploy"' in caught.value.hint


@pytest.mark.parametrize("text", [None, "null", "[]", "5", "{}", json.dumps(DEPLOY | {"more": 1})])
def test_arguments_are_all_there_and_no_others(text: str | None) -> None:
    with pytest.raises(InvalidValue, match="are not complete, or there are others") as caught:
        arguments.checked("deploy", text)
    assert caught.value.hint == "Call the function pgml.deploy, which sends them."


@pytest.mark.parametrize("verb", ["grant", "revoke"])
def test_sharing_takes_three_texts(verb: str) -> None:
    given = {"project_name": "p", "role": "r", "privilege": None}
    assert arguments.checked(verb, json.dumps(given)) == given
    for name in given:
        with pytest.raises(InvalidValue, match=f"{name} must be of type text, not 5") as caught:
            arguments.checked(verb, json.dumps(given | {name: 5}))
        assert caught.value.hint == f"Call the function pgml.{verb}, which sends them."


@pytest.mark.parametrize("value", [5, True, [], {}, 1.5])
def test_a_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match="project_name must be of type text, not"):
        arguments.checked("deploy", json.dumps(DEPLOY | {"project_name": value}))
    with pytest.raises(InvalidValue, match="nested more than 50 deep"):
        arguments.checked("deploy", f'{{"project_name": {"[" * 60}{"]" * 60}}}')


def test_several_columns_are_an_array_and_one_a_text() -> None:
    one = dict.fromkeys(arguments.SIGNATURES["train"]) | {"project_name": "p"}
    several = dict.fromkeys(arguments.SIGNATURES["train_joint"]) | {"project_name": "p"}
    both = {"y_column_name": ["a", None]}
    assert arguments.checked("train", json.dumps(one | {"y_column_name": "a"}))["y_column_name"] == "a"
    assert arguments.checked("train_joint", json.dumps(several | both)) == several | both
    with pytest.raises(InvalidValue, match="y_column_name must be of type array, not"):
        arguments.checked("train_joint", json.dumps(several | {"y_column_name": "a"}))
    with pytest.raises(InvalidValue, match="y_column_name must be of type text, not"):
        arguments.checked("train", json.dumps(one | both))


@pytest.mark.parametrize("name", ["project_name", "model_id", "role", "source"])
def test_what_is_required_is_neither_null_nor_empty(name: str) -> None:
    assert arguments.required({name: "x"}, name) == "x"
    assert arguments.required({name: 0}, name) == 0
    for missing, shown in [(None, "null"), ("", "empty")]:
        with pytest.raises(InvalidValue, match=f"{name} must not be {shown}") as caught:
            arguments.required({name: missing}, name)
        assert caught.value.hint.endswith(".")


def test_whole_numbers_of_any_length_are_read() -> None:
    assert arguments.parsed("[1, -2, 9007199254740993]") == [1, -2, 9007199254740993]
    for digits in (500, 5000, 100_000):
        assert arguments.parsed("9" * digits) == "9" * digits


@pytest.mark.parametrize("text", ["", "[1", "{'a': 1}", '"\\ud800"', '{"a": "\\u0000"}', '{"\\udfff": 1}'])
def test_what_is_no_text_of_postgresql_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        arguments.parsed(text)


def test_escapes_that_only_look_like_nul_are_read() -> None:
    assert arguments.parsed(r'["\\u0000", "\u00e9", "\ud83d\ude00", "\\\\u0000"]') == [
        "\\u0000", "é", "😀", "\\\\u0000",
    ]  # fmt: skip


def test_endless_nesting_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        arguments.parsed("[" * 100_000)
