"""Free texts as SQL: words are told apart and counted as in training, whatever the locale of the database."""

from collections.abc import Sequence

import numpy as np
import pytest

from pgml import preprocessing
from pgml.dataset import Dataset
from pgml.errors import NotBuilt
from pgml.preprocessing import Encoder, checked
from tests.cluster import Connection
from tests.sql_databases import Database, DuckDatabase, PostgresDatabase
from tests.unit import builders
from tests.unit.test_sql_features import FILLING, select

WORDS = [
    "Hello",
    "world",
    "HELLO",
    "hello_world",
    "ÉCOLE",
    "école",
    "Straße",
    "STRASSE",
    "İstanbul",
    "K2",
    "x²",
]
WORDS += [
    "don't",
    "don",
    "t",
    "42",
    "中文",
    "中",
    "ПРИВЕТ",
    "привет",
    "Ⅷ",
    "ⅷ",
    "naïve",
    "i",
    "I",
    "null",
    "a",
]
BETWEEN = [" ", "  ", ", ", "-", "\n", ".", "'", "\\", "\u00a0", "😀", "\u0307", "½", "\u200d", "٣", "__"]


def texts(words: Sequence[str], count: int) -> Dataset:
    random = np.random.default_rng(3)
    found: list[str | None] = []
    for _ in range(count):
        size = int(random.integers(0, 9))
        parts = [str(random.choice(each)) for _ in range(size) for each in (words, BETWEEN)]
        found.append("".join(parts[int(random.integers(2)) :]))
    every = [
        "".join(chr(code) + "a" for code in range(at, at + 4000) if chr(code).isprintable()) for at in SOME
    ]
    return builders.dataset({"remark": ("text", [*found, *every, None, "", " ", "Hello" * 3])})


SOME = (0x20, 0x2000, 0xA000, 0x1D000, 0x1F100)


def fitted(rows: Dataset, most: int) -> Encoder:
    plan = checked({"remark": {"encode": {"tfidf": {"max_features": most}}}}, rows.columns, ())
    return preprocessing.fit(rows, rows.columns, FILLING, plan, None, 0)[0]


def assert_alike(database: Database, most: int) -> None:
    rows = texts(WORDS, 300)
    encoder = fitted(rows.take(np.arange(300)), most)
    database.load(rows, "rows")
    found = database.answers(select(encoder, database.dialect))
    given = np.array([found[f"c{at}"] for at in range(encoder.width)]).T
    wanted = encoder.encode(rows)
    np.testing.assert_array_equal(given == 0, wanted == 0)
    np.testing.assert_allclose(given, wanted, rtol=1e-14)


@pytest.mark.parametrize("most", [1, 5, 256])
def test_words_are_counted_in_postgresql_as_in_training(db: Connection, most: int) -> None:
    assert_alike(PostgresDatabase(db), most)


def test_words_are_counted_in_duckdb_as_in_training() -> None:
    assert_alike(DuckDatabase(), 256)


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_a_dialect_without_regular_expressions_says_what_it_cannot_write(dialect: str) -> None:
    with pytest.raises(NotBuilt, match=f'encoding "tfidf" cannot be written for {dialect}'):
        select(fitted(texts(WORDS, 50), 5), dialect)


def test_greek_words_are_refused_as_their_sigma_depends_on_its_place() -> None:
    with pytest.raises(NotBuilt, match="Greek"):
        select(fitted(texts(["ΟΔΟΣ"], 50), 5), "postgres")
