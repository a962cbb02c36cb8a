import re

import pytest

from pgml import errors
from pgml.errors import PgmlError, UnknownColumn, from_sqlstate, hint_of_names, name_list

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and PgmlError in value.__bases__ and value is not PgmlError
]
# Appendix A of PostgreSQL's documentation.
CONDITIONS = {
    "invalid_parameter_value": "22023",
    "invalid_text_representation": "22P02",
    "undefined_object": "42704",
    "undefined_table": "42P01",
    "undefined_column": "42703",
    "duplicate_column": "42701",
    "duplicate_table": "42P07",
    "datatype_mismatch": "42804",
    "insufficient_privilege": "42501",
    "feature_not_supported": "0A000",
    "object_not_in_prerequisite_state": "55000",
    "read_only_sql_transaction": "25006",
    "program_limit_exceeded": "54000",
    "data_corrupted": "XX001",
    "external_routine_exception": "38000",
    "out_of_memory": "53200",
}


@pytest.mark.parametrize("error", CLASSES)
def test_each_class_has_the_sqlstate_of_the_condition_it_names(error: type[PgmlError]) -> None:
    condition = (error.__doc__ or "").split(":")[0]
    assert error.sqlstate == CONDITIONS[condition]


def test_no_two_classes_share_a_sqlstate() -> None:
    assert len({error.sqlstate for error in CLASSES}) == len(CLASSES)


def test_an_error_carries_message_detail_and_hint() -> None:
    error = UnknownColumn('column "x" does not exist', detail="There are 2.", hint='Perhaps you meant "y".')
    assert str(error) == error.message == 'column "x" does not exist'
    assert (error.detail, error.hint) == ("There are 2.", 'Perhaps you meant "y".')
    assert (PgmlError("m").detail, PgmlError("m").hint) == ("", "")


def test_an_error_from_another_process_keeps_its_sqlstate_to_itself() -> None:
    error = from_sqlstate("57014", "canceled", "d", "h")
    assert (error.sqlstate, error.message, error.detail, error.hint) == ("57014", "canceled", "d", "h")
    assert PgmlError.sqlstate == "22023"


def test_names_are_quoted_joined_and_shortened() -> None:
    assert name_list([]) == ""
    assert name_list(name for name in ("a", 'b"c')) == '"a", "b"c"'
    assert name_list("abc", most=3) == '"a", "b", "c"'
    assert name_list("abcde", most=3) == '"a", "b", "c" and 2 more'


def test_a_hint_lists_the_valid_names_and_the_closest_first() -> None:
    assert hint_of_names("tasks", "clasification", iter(["regression", "classification"])) == (
        'Perhaps you meant "classification". The tasks are "regression", "classification".'
    )
    assert hint_of_names("tasks", "zzz", ["regression"]) == 'The tasks are "regression".'
    assert hint_of_names("tasks", "zzz", []) == ""


def test_a_hint_is_made_of_sentences() -> None:
    assert re.fullmatch(r"([A-Z][^.]*\. )*[A-Z][^.]*\.", hint_of_names("tasks", "a", ["a", "b"]))
