"""Sizes that keep a file or a function readable in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sorted(
    path for folder in ("bench", "pgml", "scripts", "tests") for path in (ROOT / folder).rglob("*.py")
)
SQL = sorted((ROOT / "sql").rglob("*.sql"))
PYTHON_LINES = 400
FUNCTION_LINES = 60
SQL_LINES = 200


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_python_files_and_their_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= PYTHON_LINES
    lengths = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions(ast.parse(text))}
    assert {f: length for f, length in lengths.items() if length > FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", SQL, ids=name)
def test_sql_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= SQL_LINES
