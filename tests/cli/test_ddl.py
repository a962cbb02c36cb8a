"""The SQL that makes the tables where there is no extension."""

from pathlib import Path

import pytest

from pgml.cli import ddl

ROOT = Path(__file__).parents[2]


def test_every_table_and_view_of_the_extension_is_made() -> None:
    text = "".join(path.read_text() for path in sorted((ROOT / "sql" / "tables").glob("*.sql")))
    made = "\n".join(ddl.statements({}, "9.9"))
    for line in text.splitlines():
        if line.startswith("create table"):
            assert line in made
    assert "pg_extension_config_dump" not in made
    assert "select '9.9' ".replace("'", "''") in made


def test_a_column_that_is_missing_is_added_and_a_named_constraint_made_anew() -> None:
    present = {name.removeprefix("pgml."): [f"{name}.x"] for name in ddl.tables()}
    present["settings"] = ["name"]
    made = ddl.statements(present, "9.9")
    assert "alter table pgml.settings add column value bigint not null check (value >= 0)" in made
    assert "alter table pgml.settings drop constraint if exists known" in made
    assert "create schema pgml" not in made
    assert not any(each.startswith(("create table", "create index pgml", "create view")) for each in made)


def test_what_is_missing_is_named() -> None:
    assert set(ddl.missing({})) == set(ddl.tables())
    present = {"settings": ["name"], **{each.removeprefix("pgml."): [] for each in ddl.tables()[:0]}}
    assert "pgml.settings.value" in ddl.missing(present)
    assert "pgml.settings" not in ddl.missing(present)


def test_the_sql_comes_with_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ddl.folder() == ROOT / "sql"
    (tmp_path / "pgml" / "ddl").mkdir(parents=True)
    monkeypatch.setattr(ddl, "_PACKAGE", tmp_path / "pgml")
    assert ddl.folder() == tmp_path / "pgml" / "ddl"
    included = (ROOT / "pyproject.toml").read_text()
    for name in ddl.FOLDERS:
        assert f'"sql/{name}" = "pgml/ddl/{name}"' in included
