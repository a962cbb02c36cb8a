"""What a verb reports has the fields that SQL declares."""

import json
import re
from pathlib import Path

import pytest

from pgml.errors import InvalidValue
from pgml.usecases import outcome
from pgml.usecases.outcome import Outcome

TYPES = Path(__file__).parents[2] / "sql" / "types.sql"
ERROR = InvalidValue("wrong", detail="", hint="Do it right.")


@pytest.mark.parametrize(
    "reported",
    [outcome.of_result({"a": 1}, []), outcome.of_notes(["said"]), outcome.of_error(ERROR)],
)
def test_every_outcome_has_the_fields_of_the_composite_type(reported: Outcome) -> None:
    found = re.search(r"create type pgml\._outcome as \((.*?)\n\);", TYPES.read_text(), re.DOTALL)
    assert found
    assert list(reported) == re.findall(r"^ +(\w+) ", found[1], re.MULTILINE)


def test_a_result_is_json_and_its_notes_are_one_notice() -> None:
    reported = outcome.of_result(None, ["one", "two"])
    assert (reported["result"], reported["notice"], reported["message"]) == ("null", "one; two", None)
    assert json.loads(outcome.of_result({"ä": [1.5]}, [])["result"] or "") == {"ä": [1.5]}
    assert outcome.of_result(1, [])["notice"] is None


def test_an_error_has_no_empty_texts() -> None:
    reported = outcome.of_error(ERROR)
    assert (reported["message"], reported["sqlstate"]) == ("wrong", "22023")
    assert (reported["detail"], reported["hint"]) == (None, "Do it right.")
