"""Files of pgml.export_model: all that is sound comes in, and nothing else does."""

import json
import random
import struct
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, target, training
from pgml.artifact import format as stored
from pgml.errors import PgmlError
from pgml.exchange import archive, bundle
from pgml.exchange.archive import Archive
from pgml.exchange.audit import model as audit
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.integration.test_every_algorithm_as_sql import SMALL
from tests.unit import mutations, test_dirty_table

MOST = 64 << 20
pytestmark = pytest.mark.timeout(1800)
"""With PGML_FULL=1 some take minutes."""
TARGETS = {"classification": ["label"], "regression": ["amount"]}
MUTATED = ("random_forest", "linear", "knn", "dbscan")


@cache
def fitted(name: str, task: str) -> Archive:
    """Return a model of the dirty table as it is exported."""
    rows = test_dirty_table.data()
    targets = TARGETS.get(task, [])
    features = ["ratio"] if name == "isotonic" else [each for each in rows.names if each not in targets]
    if name == "nmf":
        features = ["color", "city"]
    recipe = Recipe(0.25, 0, tuple(features))
    spec = FitSpec(task, targets, features, name, SMALL.get(name, {}), 0, recipe, MOST, 1)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        report, data = training.fit(spec, target.known(rows, targets) if targets else rows)
    project = {
        "name": "p", "task": task, "targets": targets, "test_sampling": "hash", "test_size": 0.25, "seed": 0,
        "split_by": None,
    }  # fmt: skip
    metrics = {key: value for key, value in report["metrics"].items() if key != "search_results"}
    model = {
        "name": "p_1", "algorithm": name, "hyperparams": report["hyperparams"], "seed": 0,
        "split": report["recipe"], "metrics": metrics, "metric": None, "score": None, "columns": [],
        "versions": report["versions"], "evaluation": report["evaluation"], "data_hash": report["data_hash"],
        "created_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return Archive(project, model, data)


def cases() -> Iterator[tuple[str, str]]:
    for name, known in algorithms.ALGORITHMS.items():
        yield from ((name, task) for task in known.tasks)


@pytest.mark.parametrize(("name", "task"), list(cases()))
def test_what_is_exported_comes_in_as_it_was(name: str, task: str) -> None:
    given = fitted(name, task)
    found = bundle.read(archive.pack(given), MOST)
    assert (found.project, {**found.model, "columns": []}) == (given.project, given.model)
    made, original = stored.unpack(found.data), stored.unpack(given.data)
    assert (made.encoder, made.golden, made.graph) == (original.encoder, original.golden, original.graph)
    assert {**made.decoder, "rows": None} == {**original.decoder, "rows": None}


def signed(held: Archive, chance: random.Random) -> bytes:
    """Return a file whose sums are right, but in which something else is not."""
    match chance.randrange(4):
        case 0:
            return archive.pack(Archive(held.project, mutations.of_json(held.model, chance), held.data))
        case 1:
            return archive.pack(Archive(mutations.of_json(held.project, chance), held.model, held.data))
        case 2:
            return archive.pack(Archive(held.project, held.model, mutated_model(held.data, chance)))
        case _:
            return mutations.of_bytes(archive.pack(held), chance)


def mutated_model(data: bytes, chance: random.Random) -> bytes:
    made = stored.unpack(data)
    parts: dict[str, Any] = {"encoder": made.encoder, "decoder": made.decoder, "golden": made.golden}
    graph = made.graph
    if chance.random() < 0.4:
        graph = mutations.of_bytes(graph, chance)
    else:
        parts = mutations.of_json(parts, chance)
    text = json.dumps(parts).encode()
    return struct.pack("<4sIQ", stored.MAGIC, stored.FORMAT, len(text)) + text + graph


def test_a_file_that_was_changed_is_refused_or_sound() -> None:
    """In the process that imports run in, which may die of a file but must not take anything with it."""
    chance = random.Random(0)
    held = [fitted(name, algorithms.ALGORITHMS[name].tasks[0]) for name in MUTATED]
    files = (({}, signed(chance.choice(held), chance)) for _ in range(mutations.COUNT))
    found = mutations.imported("import_model", files)
    assert len(found) > mutations.COUNT // 2
    assert sum(error.sqlstate == "38000" for error in found) < mutations.COUNT // 100


def test_every_part_of_a_model_is_looked_at() -> None:
    made = stored.unpack(fitted("random_forest", "classification").data)
    column = made.encoder["encodings"][0]["column"]

    def refused(message: str, **parts: Any) -> None:
        whole = {"encoder": made.encoder, "decoder": made.decoder, "golden": made.golden} | parts
        text = json.dumps(whole).encode()
        data = struct.pack("<4sIQ", stored.MAGIC, stored.FORMAT, len(text)) + text + made.graph
        with pytest.raises(PgmlError) as caught:
            audit.checked(data)
        assert caught.value.sqlstate in ("22P02", "54000")
        assert message in caught.value.message + caught.value.detail

    def encoder(**changes: Any) -> dict[str, Any]:
        first = {**made.encoder["encodings"][0], **changes}
        return {**made.encoder, "encodings": [first, *made.encoder["encodings"][1:]]}

    refused("an encoding is", encoder=encoder(fill=[]))
    refused("of no kind", encoder=encoder(kind="pickle"))
    refused("is none", encoder=encoder(column={**column, "type": "json"}))
    refused("is none", encoder=encoder(column={**column, "width": 1 << 40}))
    refused("a column is", encoder=encoder(column={**column, "width": 1.5}))
    refused("Two features", encoder={**made.encoder, "encodings": [made.encoder["encodings"][0]] * 2})
    refused("no feature", encoder={**made.encoder, "encodings": []})
    refused("the decoder is", decoder={**made.decoder, "engine": "pickle"})
    refused("the decoder is", decoder={**made.decoder, "labels": [{}]})
    refused("labels are not of their kind", decoder={**made.decoder, "label_kind": "number"})
    refused("Two of its labels", decoder={**made.decoder, "labels": made.decoder["labels"][:1] * 3})
    refused("not of their kind", decoder={**made.decoder, "label_kind": "boolean", "labels": [0.0, 1.0, 2.0]})
    refused("Its outputs are none of", decoder={**made.decoder, "output": "distances"})
    refused("Its outputs are none of", decoder={**made.decoder, "task": "regression"})
    refused("tells no anomalies", decoder={**made.decoder, "task": "anomaly", "output": "anomaly"})
    part = {"labels": [], "label_kind": "text"}
    refused("Its targets are none", decoder={**made.decoder, "parts": [part, part]})
    refused("A target has no labels", decoder={**made.decoder, "parts": [part]})
    refused("It gives", decoder={**made.decoder, "labels": made.decoder["labels"][:-1]})
    refused("takes no rows", decoder={**made.decoder, "rows": 0})
    refused(
        "predicts otherwise", golden={**made.golden, "outputs": [[0.5] * 3] * len(made.golden["outputs"])}
    )


def test_a_model_that_takes_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_SECONDS", -1.0)
    with pytest.raises(PgmlError, match="seconds for a row") as caught:
        audit.checked(fitted("nmf", "decomposition").data)
    assert caught.value.sqlstate == "54000"


def test_a_curve_with_points_that_are_incomplete_is_refused() -> None:
    held = fitted("random_forest", "classification")
    curve = {"class": 0, "threshold": [0.5], "false_positive_rate": [0.0, 1.0], "true_positive_rate": []}
    evaluation = {"labels": ["a", "b"], "roc_curve": [curve]}
    with pytest.raises(PgmlError, match="holds no model") as caught:
        bundle.read(
            archive.pack(Archive(held.project, {**held.model, "evaluation": evaluation}, held.data)), MOST
        )
    assert "points that are incomplete" in caught.value.detail
