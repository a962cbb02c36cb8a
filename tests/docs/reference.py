"""The reference pages: what the comments of the database's objects and the registry of algorithms say.

``python -m tests.docs.reference`` writes them, from the extension that is installed.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.cluster import Cluster

ROOT = Path(__file__).parents[2]
FUNCTIONS = """
    select p.proname as name, obj_description(p.oid) as comment, p.prokind = 'a' as aggregate,
           pg_get_function_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result
    from pg_proc p
    where p.pronamespace = 'pgml'::regnamespace and p.proname !~ '^_'
    order by p.proname collate "C", 4
"""
RELATIONS = """
    select c.relname as name, c.relkind = 'v' as view, obj_description(c.oid) as comment, a.attname as column,
           format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as said
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'pgml'::regnamespace and c.relkind in ('r', 'v') and c.relname !~ '^_'
    order by c.relname collate "C", a.attnum
"""
ALGORITHMS = 'select * from pgml.algorithms() order by algorithm collate "C"'
DEFAULT = re.compile(r" DEFAULT (NULL|'[^']*'|[^,)]+?)(?:::[a-z ]+(?:\[\])?)?(?=, |$)")
LINE = 100

REFERENCE = """# Reference

Every function, view and table, as the comments in the database have them (`\\df+ pgml.*`, `\\d+ pgml.*`).
The pages of the guide say what they do in full."""
REGISTRY = """# Algorithms and their hyperparameters

What `pgml.algorithms()` returns. `serving` is what predicts, and `sql` says that [to_sql](sql.md) writes
the model as a statement; [algorithms](about.md) has what each is fitted by."""

Row = Mapping[str, Any]


def pages(connection: psycopg.Connection) -> dict[str, str]:
    """Return the text of each page by its path."""

    def rows(query: str) -> list[dict[str, Any]]:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    return {
        "docs/reference.md": "\n".join(_reference(rows)) + "\n",
        "docs/algorithms.md": "\n".join(_algorithms(rows(ALGORITHMS))) + "\n",
    }


def _reference(rows: Callable[[str], list[dict[str, Any]]]) -> Iterator[str]:
    yield REFERENCE
    functions, relations = rows(FUNCTIONS), rows(RELATIONS)
    for title, wanted in (("Functions", False), ("Aggregates", True)):
        yield from ("", f"## {title}")
        for name, forms in _by_name(each for each in functions if each["aggregate"] == wanted):
            yield from _function(name, forms)
    for title, wanted in (("Views", True), ("Tables", False)):
        yield from ("", f"## {title}")
        for name, columns in _by_name(each for each in relations if each["view"] == wanted):
            yield from _relation(name, columns)


def _by_name(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    for name, group in groupby(rows, lambda row: str(row["name"])):
        yield name, list(group)


def _function(name: str, forms: list[Row]) -> Iterator[str]:
    yield from ("", f"### {name}", "", "```text")
    for form in forms:
        yield from _signature(name, form)
    yield "```"
    for comment in dict.fromkeys(form["comment"] for form in forms):
        yield from ("", _sentence(comment))


def _signature(name: str, form: Row) -> Iterator[str]:
    """Return a function as it is called, an argument a line where one line is too short."""
    arguments = DEFAULT.sub(lambda found: f" = {found[1].replace('NULL', 'null')}", form["arguments"])
    whole = f"{name}({arguments}) → {form['result']}"
    if len(whole) <= LINE:
        yield whole
        return
    *parts, last = re.split(r", (?=[\w\"]+ )", arguments)
    yield f"{name}("
    yield from (f"    {part}," for part in parts)
    yield f"    {last}"
    yield f") → {form['result']}"


def _relation(name: str, columns: list[Row]) -> Iterator[str]:
    yield from ("", f"### pgml.{name}", "", _sentence(columns[0]["comment"]), "")
    yield from ("| column | type | |", "|---|---|---|")
    yield from (f"| `{each['column']}` | {each['type']} | {_cell(each['said'])} |" for each in columns)


def _algorithms(rows: Iterable[Row]) -> Iterator[str]:
    yield REGISTRY
    for row in rows:
        facts = [", ".join(row["tasks"]), row["library"], f"serving: {row['serving']}"]
        yield from ("", f"## {row['algorithm']}", "", " · ".join([*facts, *(["sql"] if row["sql"] else [])]))
        tables: dict[str, list[str]] = {}
        for task, parameters in row["parameters"].items():
            if parameters:
                tables.setdefault(_table(parameters), []).append(task)
        for table, tasks in tables.items():
            yield from ("", f"For {' and '.join(tasks)}:") if len(row["tasks"]) > len(tasks) else ()
            yield from ("", table)


def _table(parameters: Mapping[str, Row]) -> str:
    lines = ["| hyperparameter | default | takes |", "|---|---|---|"]
    for name, each in sorted(parameters.items()):
        takes = _cell(each.get("range") or each["type"])
        lines.append(f"| `{name}` | `{json.dumps(each.get('default'))}` | {takes} |")
    return "\n".join(lines)


def _sentence(comment: str) -> str:
    return f"{comment[0].upper()}{comment[1:]}."


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def main() -> None:
    """Write the pages."""
    cluster = Cluster()
    try:
        cluster.initialise()
        with cluster.connect(cluster.database_with_pgml()) as connection:
            for path, text in pages(connection).items():
                (ROOT / path).write_text(text)
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
