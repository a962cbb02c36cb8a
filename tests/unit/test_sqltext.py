"""Names and texts in SQL."""

import pytest

from pgml.sqltext import identifier, literal


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", '"a"'),
        ("Select", '"Select"'),
        ('a "b"', '"a ""b"""'),
        ('"', '""""'),
        ("it's \\", '"it\'s \\"'),
        ("größe 日本", '"größe 日本"'),
    ],
)
def test_a_name_is_quoted_and_its_quotes_doubled(name: str, written: str) -> None:
    assert identifier(name) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", "''"),
        ("a", "'a'"),
        ("it's", "'it''s'"),
        ("''", "''''''"),
        ('a "b"', "'a \"b\"'"),
        ("größe 日本", "'größe 日本'"),
        ("a\nb", "'a\nb'"),
        ("$1 %s {}", "'$1 %s {}'"),
    ],
)
def test_a_text_without_backslashes_is_an_ordinary_literal(text: str, written: str) -> None:
    assert literal(text) == written


@pytest.mark.parametrize(
    ("text", "written"), [("\\", r"E'\\'"), (r"\'", r"E'\\'''"), (r"a\n\\", r"E'a\\n\\\\'")]
)
def test_a_text_with_backslashes_is_a_literal_that_escapes_them(text: str, written: str) -> None:
    assert literal(text) == written
