"""A page about a model: complete, escaped, and without anything from elsewhere."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from pgml.reports.facts import Facts
from pgml.reports.page import page
from tests.pictures.gallery import HOSTILE
from tests.pictures.pages import facts, hostile

VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Collects the elements, and sees that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(found: Facts) -> Reader:
    reader = Reader()
    reader.feed(page(found))
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("found", [facts(), hostile(), replace(facts(), data=None, pictures=())])
def test_a_page_asks_nobody_for_anything_and_runs_nothing(found: Facts) -> None:
    reader = read(found)
    assert not reader.names & {"script", "img", "link", "iframe", "object", "embed", "a", "form", "base"}
    assert not {name for name in reader.attributes if name.startswith("on") or name in ("src", "href")}
    assert "url(" not in page(found)
    assert "default-src 'none'" in page(found).replace("&#x27;", "'")


def test_what_a_reader_wants_to_know_is_there() -> None:
    text = read(facts()).text
    for wanted in (
        "cells_3",
        "random_forest",
        "accuracy",
        "0.936",
        "0.879 to 0.967",
        "app.cells",
        "d41d8cd98f00b204",
        "stratified",
        "25 % of the rows",
        "radius",
        "double precision",
        "56 %",
        "max_depth",
        "best",
        "rollback",
        "scikit-learn",
        "1.5.2",
        "live",
        "select * from pgml.train(",
        "pgml.predict_table('cells_3'",
        "2026-11-22 10:00 UTC",
        "426",
        "Before you rely on it",
    ):
        assert wanted in text, wanted


def test_labels_are_text_on_a_page() -> None:
    text = read(hostile()).text
    assert "<script>window.hacked = 1</script>" in text
    assert "\x00" not in page(hostile())
    assert "\u202e" not in page(hostile())


def test_the_training_is_written_as_it_was_called() -> None:
    text = read(facts()).text
    assert "relation_name => 'app.cells'" in text
    assert """hyperparams => '{"max_depth": 5, "n_estimators": 100}'""" in text
    quoted = replace(facts(), project={**facts().project, "name": "it's"})
    assert "project_name => 'it''s'" in read(quoted).text
    joint = replace(facts(), project={**facts().project, "targets": ["a", "b"]})
    assert "train_joint" in read(joint).text
    assert "y_column_name => array['a', 'b']" in read(joint).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measured": {"train_rows": 90, "test_rows": 30}}, "Only 30 rows were held back"),
        ({"measured": {"train_rows": 90, "test_rows": 0}}, "No rows were held back"),
        ({"data": None}, "nobody knows which rows would test it"),
        ({"models": [facts().models[0]] * 12}, "12 models of this project were measured"),
        ({"measured": {"by_class": {"rare": {"support": 3}}}}, 'fewer than 20 rows were tested: "rare"'),
    ],
)
def test_limits_are_told(change: dict[str, Any], said: str) -> None:
    assert said in read(replace(facts(), **change)).text


def test_numbers_that_are_not_there_are_dashes() -> None:
    bare = replace(
        facts(),
        scores=[{"metric": "accuracy", "value": None, "low": None, "high": None}],
        measured={},
        importances={},
        trials=(),
        models=(),
        deployments=(),
        pictures=(),
    )
    assert "\u2013" in read(bare).text


def test_every_hostile_label_is_drawn() -> None:
    assert len(hostile().model["columns"]) == len(HOSTILE)
