"""Rows as `pgml.predict` has them, handed to a statement as one parameter: JSON that is a relation there.

A number, or a point in time in epoch seconds, is a double by then, so a statement over them takes any double
and asks for no type of the relation of training.  A backend that serves a model so needs this module alone.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.preprocessing import Encoder
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.times import CyclicEncoding
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.expressions import Doubt, Feature
from pgml.sqlgen.ranges import LEAST
from pgml.sqlgen.relations import key_of
from pgml.sqltext import identifier

TYPES = {"number": "double precision", "category": "text", "array": "double precision[]"}
"""Of what is sent, by the shape of a column."""
TINY = 2.0**LEAST
OUTPUT = "output_"
"""Columns of the answer are called so, and numbered from 1: labels may be longer than a name can be."""


class Sent(Postgres):
    """PostgreSQL where the columns of the relation are of the types that are sent."""

    def feature(self, feature: Feature, source: str) -> str:
        return super().feature(_plain(feature), source)

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        # The encoder has refused infinite numbers, and takes all others.
        return super().unusable(replace(doubt, feature=_plain(doubt.feature), infinite=False), source)


def types(encoder: Encoder) -> dict[str, str]:
    """Return the types that a model's features have as they are sent.

    The circles of a point in time follow from its type, so that one stays; `Sent` reads it as the others.
    """
    found = {}
    for encoding in encoder.encodings:
        own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        if not isinstance(own, CyclicEncoding):
            found[encoding.column.name] = TYPES[encoding.column.kind.shape]
    return found


def relation(dataset: Dataset) -> str:
    """Return a relation, for a FROM clause, of what `sent` makes of such a dataset; ``$1`` is that text."""
    columns = [f"{key_of(dataset)} int4"]
    columns += [f"{identifier(each.name)} {TYPES[each.kind.shape]}" for each in dataset.columns]
    return f"json_to_recordset($1::json) as rows ({', '.join(columns)})"


def sent(dataset: Dataset) -> str:
    """Return rows as JSON, numbered from 0; shortest decimals give the very doubles back."""
    columns = [_values(dataset, column) for column in dataset.columns]
    names = [key_of(dataset), *dataset.names]
    return json.dumps(
        [dict(zip(names, row, strict=True)) for row in zip(range(len(dataset)), *columns, strict=True)]
    )


def _values(dataset: Dataset, column: Column) -> Sequence[Any]:
    if column.is_category:
        codes, texts = dataset.coded(column.name)
        return [None if code == MISSING else texts[code] for code in codes.tolist()]
    values = [[*map(_number, row)] for row in dataset.values(column.name).tolist()]
    return values if column.kind.shape == "array" else [row[0] for row in values]


def _number(value: float) -> float | None:
    """Return a double as it is sent; what statements are not made to tell from 0 is 0."""
    if value != value:
        return None
    return value if abs(value) >= TINY else 0.0


def _plain(feature: Feature) -> Feature:
    column = feature.column
    return replace(feature, column=replace(column, type=TYPES[column.kind.shape]))
