"""What is printed, for people and for machines."""

import pytest

from pgml.cli import output


def test_a_table_aligns_numbers_to_the_right_and_texts_to_the_left() -> None:
    rows = [{"name": "a", "n": 10}, {"name": "long", "n": None}, {"name": "é", "n": 2.5}]
    assert output.table(rows, ("name", "n")) == "name |   n\n-----+----\na    |  10\nlong |\né    | 2.5\n"


def test_pairs_leave_out_what_is_not_there() -> None:
    assert output.pairs({"model": "a_1", "score": None, "deployed": False}) == "model     a_1\ndeployed  no\n"


def test_an_error_reads_as_in_psql() -> None:
    assert output.report("no such thing", hint="Make one.") == "ERROR:  no such thing\nHINT:  Make one."


class Terminal:
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.coloured("error", Terminal()) == "\033[31merror\033[0m"  # type: ignore[arg-type]
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.coloured("error", Terminal()) == "error"  # type: ignore[arg-type]
