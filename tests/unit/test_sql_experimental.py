"""Dialects that sqlglot writes: every statement is read again, and what cannot be written is refused."""

import pytest
import sqlglot
from threadpoolctl import threadpool_limits

from pgml import target, training
from pgml.artifact.format import Artifact, unpack
from pgml.errors import NotBuilt
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from pgml.sqlgen.dialects.experimental import REMARK, Experimental
from pgml.sqlgen.dialects.phrases import KINS, NAMES, SECONDS
from pgml.sqlgen.proof import answers, verification
from tests.sql_databases import TABLE, DuckDatabase
from tests.unit import builders
from tests.unit.test_dirty_table import data

PLAIN = ("color", "city", "amount", "epoch", "paid", "ratio", "always")
TIMES = ("day", "seen", "ratio", "color")


def fitted(name: str, features: tuple[str, ...], **hyperparams: object) -> Artifact:
    rows = data()
    recipe = Recipe(0.25, 0, features)
    spec = FitSpec("classification", ["label"], features, name, hyperparams, 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        return unpack(training.fit(spec, target.known(rows, spec.targets))[1])


@pytest.fixture(scope="module")
def models() -> dict[str, Artifact]:
    return {
        "linear": fitted("linear", PLAIN),
        "trees": fitted("xgboost", PLAIN, n_estimators=3),
        "points": fitted("svm", PLAIN),
        "times": fitted("linear", TIMES),
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["linear", "trees"])
def test_a_statement_is_read_again(models: dict[str, Artifact], model: str, name: str) -> None:
    text = compiler.to_select(
        compiler.compiled(models[model], "all"), name, "sales", ["row_id"], ["a header"]
    )
    assert text.startswith(f"-- a header\n{REMARK}\n")
    tree = sqlglot.parse_one(text, read=name)
    assert {"prediction", "probability_yes"} <= set(tree.named_selects)
    assert "pgml_" not in text.removeprefix(f"-- a header\n{REMARK}\n")
    assert "offset 0" not in text.lower()
    assert "::" not in text


@pytest.mark.parametrize("model", ["linear", "trees", "points"])
def test_what_sqlglot_writes_decides_as_the_model(models: dict[str, Artifact], model: str) -> None:
    """DuckDB is one that can be asked."""
    artifact = models[model]
    features = [each["column"]["name"] for each in artifact.encoder["encodings"]]
    rows = builders.ordered(data(), features)
    compiled = compiler.compiled(artifact, "all")
    dialect = Experimental("duckdb")
    plan = compiler.planned(compiled, dialect, ["row_id"])
    text = compiler.statement.select(plan, compiled.reading.tables, dialect, TABLE, ["row_id"])
    database = DuckDatabase()
    database.load(rows)
    found = database.answers(dialect.finished(text))
    database.close()
    assert verification.differences(found, answers.of_rows(artifact, rows, "all")) == []


@pytest.mark.parametrize("name", NAMES)
def test_times_are_said_in_the_words_of_the_database_or_refused(
    models: dict[str, Artifact], name: str
) -> None:
    compiled = compiler.compiled(models["times"])
    known = SECONDS.get(KINS.get(name, name), {})
    if {"date", "timestamp with time zone"} <= set(known):
        text = compiler.to_select(compiled, name, "sales", ["row_id"])
        assert "pgml_" not in text.removeprefix(REMARK)
        assert "seen" in text
        return
    with pytest.raises(NotBuilt, match=f"cannot be written for {name}"):
        compiler.to_select(compiled, name, "sales", ["row_id"])


def test_a_condition_is_no_column_where_it_is_no_value() -> None:
    given = (
        "with t as (select x is null as refused from s) select case when refused then 0e0 else 1e0 end from t"
    )
    text = Experimental("tsql").finished(given)
    assert "CASE WHEN x IS NULL THEN 1 ELSE 0 END AS refused" in text
    assert "refused = 1" in text


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(NotBuilt, match="cannot be written for trino"):
        Experimental("trino").finished("select from where (")


def test_phrases_are_read_by_their_database() -> None:
    for kin, phrases in SECONDS.items():
        for phrase in phrases.values():
            written = sqlglot.parse_one(phrase.format("x"), read=kin).sql(dialect=kin)
            assert sqlglot.parse_one(written, read=kin).sql(dialect=kin) == written
