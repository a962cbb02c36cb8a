"""Examples of the documentation: SQL blocks, and the output that a text block after one promises.

``python -m tests.docs.examples`` runs them on a throwaway server and writes what
came out into the pages, to be read before it is committed.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from pathlib import Path

from tests.cluster import Cluster

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"```sql\n(?P<sql>.*?)```(?:\n+```text\n(?P<output>.*?)```)?", re.DOTALL)
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
_MARK = "==next=="


@dataclass(frozen=True)
class Example:
    """A block of SQL, and what psql prints for it; None where the page shows nothing."""

    sql: str
    output: str | None


def examples(page: str) -> list[Example]:
    """Return the examples of a page, in order; they share one session."""
    return [Example(found["sql"], found["output"]) for found in _BLOCK.finditer(page)]


def run(cluster: Cluster, database: str, page: str) -> list[str]:
    """Return what psql prints for each example of a page, errors and notices included."""
    script = "".join(f"{example.sql}\n\\echo {_MARK}\n" for example in examples(page))
    options = ["-q", "-v", "ON_ERROR_STOP=0", "-v", "SHOW_CONTEXT=never"]
    result = cluster.psql(database, script, options=options, merged=True, directory=ROOT)
    return [_tidy(part) for part in result.stdout.split(_MARK + "\n")[:-1]]


def same(promised: str, printed: str) -> bool:
    """Return whether two outputs differ in nothing but the last digits of fractions."""
    one, other = ([*_numbers(text)] for text in (promised, printed))
    blank = [re.sub(r"[ -]+", " ", _NUMBER.sub("#", text)) for text in (_tidy(promised), _tidy(printed))]
    return (
        blank[0] == blank[1]
        and len(one) == len(other)
        and all(isclose(a, b, rel_tol=1e-3, abs_tol=2e-3) for a, b in zip(one, other, strict=True))
    )


def _numbers(text: str) -> Iterator[float]:
    yield from (float(found) for found in _NUMBER.findall(text))


def _tidy(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def _rewritten(page: str, outputs: list[str]) -> str:
    rest = iter(outputs)

    def block(found: re.Match[str]) -> str:
        output = next(rest)
        shown = found["output"] is not None
        return f"```sql\n{found['sql']}```" + (f"\n\n```text\n{output}```" if shown else "")

    return _BLOCK.sub(block, page)


def main() -> None:
    """Write the outputs of all pages, or of those named."""
    cluster = Cluster()
    try:
        cluster.initialise()
        for path in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
            page = path.read_text()
            path.write_text(_rewritten(page, run(cluster, cluster.database_with_pgml(), page)))
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
