"""What ``pgml install`` runs on a server without PL/Python: the extension's own tables and views.

The text is that of ``sql/``, as in the extension.  What only an extension can say is left
out, and what is there already is completed instead of created.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pgml.sqltext import literal

FOLDERS = ("tables", "managed", "views")
_PACKAGE = Path(__file__).parents[1]
_TABLE = re.compile(r"create table pgml\.(?P<name>\w+) \((?P<body>.*)\)\Z", re.DOTALL)
_POLICY = re.compile(r"create policy (?P<name>\w+) on (?P<table>[\w.]+)")
_NAME = re.compile(r"(?:constraint\s+)?(?P<name>\w+)")
TABLE_WIDE = {"unique", "primary", "check", "foreign", "exclude"}
"""First words of constraints without a name, which no version changes."""


def folder() -> Path:
    """Return where the SQL is: inside an installed package, or beside the package in a checkout."""
    inside = _PACKAGE / "ddl"
    return inside if inside.is_dir() else _PACKAGE.parent / "sql"


def sources() -> list[str]:
    """Return the statements as the extension has them, in order, without their comments in SQL."""
    found = []
    for name in FOLDERS:
        for path in sorted((folder() / name).glob("*.sql")):
            text = re.sub(r"^\s*--.*\n", "", path.read_text(), flags=re.MULTILINE)
            found += [statement.strip() for statement in f"{text}\n".split(";\n") if statement.strip()]
    return found


def statements(present: Mapping[str, Sequence[str]], version: str) -> list[str]:
    """Return what makes a schema complete.

    Parameters
    ----------
    present : mapping of str to sequence of str
        The tables of schema pgml that are there, each with its columns.
    version : str
        Of this package, which the schema remembers.
    """
    made = [] if present else ["create schema pgml"]
    made.append(f"comment on schema pgml is {literal(f'pgml {version}, without PL/Python')}")
    made += [each for source in sources() for each in _completed(source, present)]
    body = literal(f" select {literal(version)} ")
    made.append(
        "create or replace function pgml.version()\nreturns text\nlanguage sql\nimmutable\nparallel safe\n"
        f"set search_path = pg_catalog, pg_temp\nas {body}"
    )
    made.append("comment on function pgml.version() is 'version of pgml'")
    return made


def missing(present: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the tables and columns that are not there, by name."""
    found = []
    for source in sources():
        table = _TABLE.fullmatch(source)
        if table is None:
            continue
        name = table["name"]
        if name not in present:
            found.append(f"pgml.{name}")
        else:
            found += [
                f"pgml.{name}.{each}" for each, _ in _columns(table["body"]) if each not in present[name]
            ]
    return found


def views() -> list[str]:
    """Return the names of the views, those that others read last first."""
    found = [re.match(r"create view (pgml\.\w+)", source) for source in sources()]
    return [each[1] for each in reversed(found) if each]


def tables() -> list[str]:
    """Return the names of the tables."""
    found = [_TABLE.fullmatch(source) for source in sources()]
    return [f"pgml.{each['name']}" for each in found if each]


def policies() -> list[tuple[str, str]]:
    """Return the policies, each with its table."""
    found = [_POLICY.match(source) for source in sources()]
    return [(each["name"], each["table"]) for each in found if each]


def _completed(source: str, present: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield what has the effect of a statement where some of it may be there."""
    table, policy = _TABLE.fullmatch(source), _POLICY.match(source)
    if "pg_extension_config_dump" in source:
        return
    if table is not None and table["name"] in present:
        yield from _altered(f"pgml.{table['name']}", table["body"], present[table["name"]])
        return
    if policy is not None and policy["table"].removeprefix("pgml.") in present:
        yield f"drop policy if exists {policy['name']} on {policy['table']}"
    if source.startswith("create view"):
        source = source.replace("create view", "create or replace view", 1)
    elif present and source.startswith("create index"):
        source = source.replace("create index", "create index if not exists", 1)
    yield source


def _altered(table: str, body: str, columns: Sequence[str]) -> Iterator[str]:
    for element in _elements(body):
        word, name = element.split()[0], _named(element)
        if word == "constraint":
            yield f"alter table {table} drop constraint if exists {name}"
            yield f"alter table {table} add {element}"
        elif word not in TABLE_WIDE and name not in columns:
            yield f"alter table {table} add column {element}"


def _columns(body: str) -> list[tuple[str, str]]:
    """Return the columns of a table's body, each with its definition."""
    words = ((element.split()[0], element) for element in _elements(body))
    return [(_named(each), each) for word, each in words if word not in {*TABLE_WIDE, "constraint"}]


def _named(element: str) -> str:
    found = _NAME.match(element)
    assert found is not None
    return found["name"]


def _elements(body: str) -> list[str]:
    """Return what stands between the commas that are in no parentheses."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(body[start:at])
            start = at + 1
    return [part.strip() for part in [*parts, body[start:]] if part.strip()]
