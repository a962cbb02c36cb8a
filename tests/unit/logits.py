"""Models whose features are their classes' scores, and scores that are hard to make probabilities of."""

from collections.abc import Callable, Mapping

import numpy as np

from pgml.algorithms.linear import log_sigmoid
from pgml.artifact.format import Artifact
from pgml.artifact.graph import INPUT, Graph
from pgml.dataset import Dataset
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers, verification
from tests.sql_databases import TABLE, Database
from tests.unit import builders

TINY = float(np.nextafter(0.3, 1))
LOGITS = [
    (1000.0, -1000.0, 0.0),
    (-1000.0, 1000.0, 1000.0),
    (1000.0, 1000.0, 1000.0),
    (-1000.0, -1000.0, -1000.0),
    (0.0, 0.0, 0.0),
    (-0.0, 0.0, 0.0),
    (708.0, 709.0, 710.0),
    (-745.0, -746.0, -744.0),
    (36.0, 37.0, 38.0),
    (700.0, -40.0, -746.0),
    (1e300, -1e300, 0.0),
    (1e-300, 0.0, -1e-300),
    (0.3, 0.1 + 0.2, TINY),
    (TINY, 0.3, TINY),
    (1000.0, float(np.nextafter(1000, 0)), 999.0),
    (1e15, 1e15 + 0.125, 1e15),
    (5.0, 5.0, 4.0),
    (4.0, 5.0, 5.0),
    (5.0, 4.0, 5.0),
    (100.0, -100.0, 101.0),
    (-100.5, -100.0, -101.0),
    (-16.6, 16.6, 0.5),
    (-30.3, -30.2, -30.25),
    (-34.0, -33.9, -33.95),
    (-36.1, -36.2, -36.05),
    (-36.7, -36.8, -36.75),
    (-37.5, -20.0, -38.0),
]
"""Beyond what exp can take, beyond what sigmoid tells from 0 and 1, equal, and nearly so."""


def _softmax(graph: Graph) -> str:
    return graph.apply("Softmax", INPUT, axis=1)


def _sigmoid(graph: Graph) -> str:
    return graph.two_classes(graph.apply("Sigmoid", graph.columns(INPUT, [0])))


def _one_vs_rest(graph: Graph) -> str:
    return graph.apply("Softmax", log_sigmoid(graph, INPUT), axis=1)


def _scores(graph: Graph) -> str:
    return graph.apply("Identity", INPUT)


def _distances(graph: Graph) -> str:
    return graph.apply("Abs", INPUT)


GRAPHS: Mapping[str, tuple[Callable[[Graph], str], str, int]] = {
    "softmax": (_softmax, "probabilities", 3),
    "sigmoid": (_sigmoid, "probabilities", 2),
    "one_vs_rest": (_one_vs_rest, "probabilities", 3),
    "scores": (_scores, "scores", 3),
    "distances": (_distances, "distances", 3),
}
"""What makes the outputs, what they are, and how many."""


def model(name: str) -> Artifact:
    """Return a model of three features that goes by a name in `GRAPHS`."""
    build, output, classes = GRAPHS[name]
    graph = Graph(3, "float64")
    made = graph.finish(build(graph), output, classes)
    encodings = [
        {
            "kind": "number",
            "column": {"name": each, "type": "double precision", "width": 1},
            "missing": "pass",
            "nulls": False,
            "fill": [0.0],
            "center": [0.0],
            "scale": [1.0],
        }
        for each in "abc"
    ]
    decoder = {
        "task": "classification",
        "targets": ["kind"],
        "output": output,
        "engine": "onnx",
        "rows": None,
        "labels": ["first", "second", "third"][:classes],
        "label_kind": "text",
        "parts": [{"labels": ["first", "second", "third"][:classes], "label_kind": "text"}],
        "center": [0.0],
        "divisor": None,
        "added": None,
        "dot": None,
    }
    data = made.SerializeToString(deterministic=True)
    return Artifact({"dtype": "float64", "encodings": encodings}, decoder, {}, data)


def rows(logits: list[tuple[float, float, float]]) -> Dataset:
    """Return scores as rows."""
    columns = np.array(logits, dtype=np.float64).reshape(-1, 3).T.tolist()
    return builders.numbers(**dict(zip("abc", columns, strict=True)))


def statement(name: str, dialect: str) -> str:
    """Return a model as a statement over the table of `tests.sql_databases`."""
    return compiler.to_select(compiler.compiled(model(name), "all"), dialect, TABLE, ["row_id"])


def check(name: str, database: Database, logits: list[tuple[float, float, float]]) -> None:
    """Hold a model's answers in a database against its own."""
    given = rows(logits)
    database.load(given)
    asked = answers.of_rows(model(name), given, "all")
    found = database.answers(statement(name, database.dialect))
    wrong = verification.differences(found, asked)
    assert [(each, asked.rows[each.row]) for each in wrong] == []
    assert asked.free == []


def check_keys(name: str, database: Database) -> None:
    """Give two rows each key, and expect of each row the answer it has by itself."""
    given = rows(LOGITS)
    database.load(given)
    asked = answers.of_rows(model(name), given, "all")
    text = statement(name, database.dialect)
    alone = database.answers(text)
    database.execute(f"update {TABLE} set row_id = row_id / 2")
    shared = database.answers(text)
    outputs = list(asked.answers)
    assert shared["row_id"] == [at // 2 for at in range(len(given))]
    assert _pairs(shared, outputs) == _pairs(
        {**alone, "row_id": [at // 2 for at in alone["row_id"]]}, outputs
    )


def _pairs(found: Mapping[str, list[object]], outputs: list[str]) -> list[tuple[object, ...]]:
    return sorted(zip(*(found[name] for name in ("row_id", *outputs)), strict=True), key=repr)
