"""Predict many rows: an array of them, or all of a relation, in chunks of constant memory."""

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from pgml import ahead, columns, reader, rows, store
from pgml.ahead import Ahead
from pgml.database.port import Database, DatabaseError, Row
from pgml.dataset import Dataset, Floats
from pgml.decoding import Decoder, dimensions_of_array, numbers_of_array
from pgml.errors import UnknownColumn, WrongType, name_list
from pgml.inference import Predictor
from pgml.preprocessing import Encoder, Matrix
from pgml.reader import Relation
from pgml.sqltext import identifier, literal
from pgml.target import label_text
from pgml.usecases import arguments, outcome
from pgml.usecases.predict import Predictions
from pgml.usecases.session import Session

BUILT_IN = columns.KINDS.keys() - {"enum"} | {"json", "jsonb"}
"""Types whose form in JSON is PostgreSQL's own."""
CHUNK = 10_000
"""Rows of an array that are predicted and sent back at once."""
MATRIX_BYTES = 128 << 20
"""Of the encoded rows of a chunk, of which a few numbers or a word can make very many."""
Chunk = Mapping[str, Any]
"""The fields of pgml._chunk: an outcome that is an error, or predictions as the literals of arrays."""
NOTHING: Chunk = dict.fromkeys(("outcome", "keys", "predictions", "codes", "probabilities", "labels"))
Encoded = Generator[tuple[str | None, Matrix], None, None]
"""The keys of each chunk, as the text of a JSON array, with its matrix."""
Encode = Callable[[Sequence[Row]], Matrix]
"""From rows of a relation, as they were sent, to the matrix that the model takes."""


def predict_array(
    session: Session,
    predictor: Predictor,
    features: bytes,
) -> Iterator[Chunk]:
    """Yield predictions of rows of plain numbers.

    Parameters
    ----------
    features : bytes
        A float8 array in PostgreSQL's binary form: of two or more dimensions, the first
        counting rows, or flat.

    Raises
    ------
    PgmlError
    """
    check_predicts(predictor)
    if predictor.label_kind == "text":
        raise WrongType(
            "the labels of this model are no numbers",
            hint="Call pgml.predict_table, which returns labels, or pgml.predict_label for each row.",
        )
    dimensions = dimensions_of_array(features)
    width = int(np.prod(dimensions[1:])) if len(dimensions) > 1 else None
    dataset = rows.from_matrix(predictor.encoder, numbers_of_array(features), width)

    def chunks() -> Encoded:
        step = min(CHUNK, _most_rows(predictor.encoder))
        for start in range(0, len(dataset), step):
            part = replace(dataset, numbers=dataset.numbers[start : start + step])
            yield None, predictor.encoder.encode(part)

    yield from predicted(session, predictor, chunks())


def predict_relation(
    session: Session, predictor: Predictor, given: dict[str, Any], search_path: str, predictions: Predictions
) -> Iterator[Chunk]:
    """Yield predictions of all rows of a relation that the caller can see, each with its key.

    Parameters
    ----------
    given : mapping
        ``relation_name`` and ``key``.
    search_path : str
        The caller's, in force whenever the relation is read.

    Raises
    ------
    PgmlError
    """
    check_predicts(predictor)
    database = session.database
    with reader.search_path(database, search_path):
        relation = reader.required(database, arguments.required(given, "relation_name"))
        key = key_columns(database, relation, given["key"])
    encoder = predictor.encoder
    types = dict(relation.columns)
    rows.check_given(encoder, types)
    for name in types.keys() & {column.name for column in encoder.columns}:
        relation.column(name)
    if all(columns.reads_alike(each.type, types.get(each.name, each.type)) for each in encoder.columns):
        select, source, encode = _as_columns(encoder, relation, key)
    else:
        select, source, encode = _as_json(encoder, relation, predictions)
    keys = "".join(f", {_key_sql(relation, key)} as key" for _ in key[:1])
    query = f"select {select}{keys} from {source} r"
    numbers = count(1)

    def chunks() -> Encoded:
        with closing(_chunks(database, query, search_path, relation, encoder)) as stream:
            for chunk in stream:
                found = [row["key"] for row in chunk] if key else [str(next(numbers)) for _ in chunk]
                yield f"[{','.join(found)}]", encode(chunk)

    if not key:
        note = f"{relation.name} has no primary key, so keys are row numbers: name key columns to join by"
        yield {**NOTHING, "outcome": outcome.of_notes([note])}
    yield from predicted(session, predictor, chunks())


def _most_rows(encoder: Encoder) -> int:
    """Return how many rows' matrix takes no more than `MATRIX_BYTES`."""
    return max(1, MATRIX_BYTES // (8 * max(encoder.width, 1)))


def check_predicts(predictor: Predictor) -> None:
    """Raise WrongType if a row has no one prediction."""
    if predictor.output == "components":
        raise WrongType(
            "this model takes rows apart into components, it predicts nothing",
            hint="Call pgml.decompose for each row.",
        )


def predicted(session: Session, predictor: Predictor, chunks: Encoded) -> Iterator[Chunk]:
    """Yield the answers of chunks, each computed while the next one is read and the one before is taken."""
    database = session.database
    bound = database.as_owner(lambda: store.settings(database))["batch_threads"]
    threads = min(bound or os.cpu_count() or 1, os.cpu_count() or 1)
    database.at_exit(ahead.finish)
    waiting: tuple[str | None, Ahead] | None = None

    def answer(keys: str | None, running: Ahead) -> Chunk:
        outputs = running.outputs(database.check_for_interrupts)
        return {**NOTHING, "keys": keys, **_answers(predictor, outputs)}

    with closing(chunks):
        try:
            for keys, matrix in chunks:
                before = waiting and answer(*waiting)
                waiting = keys, Ahead(predictor, matrix, threads)
                if before is not None:
                    yield before
            if waiting is not None:
                yield answer(*waiting)
        finally:
            if waiting is not None:
                waiting[1].stop()


def _chunks(
    database: Database, query: str, search_path: str, relation: Relation, encoder: Encoder
) -> Generator[Sequence[Row], None, None]:
    """Yield the rows of a query; between two chunks other SQL runs, with a search_path of its own."""
    stream = database.stream(query, min(reader.chunk_rows(encoder.columns), _most_rows(encoder)))
    with closing(stream):
        while True:
            try:
                with reader.search_path(database, search_path):
                    chunk = next(stream, None)
            except DatabaseError as error:
                raise reader.explained(error, relation, encoder.columns) from None
            if chunk is None:
                return
            yield chunk


def _as_columns(encoder: Encoder, relation: Relation, key: Sequence[str]) -> tuple[str, str, Encode]:
    """Return the select list, the source and how to encode its rows, for columns as training had them."""
    types = dict(relation.columns)
    sent = [replace(column, type=types.get(column.name, column.type)) for column in encoder.columns]
    decoder = Decoder(sent)

    def encode(chunk: Sequence[Row]) -> Matrix:
        decoder.forget()
        numbers, codes = decoder.decode(chunk)
        dataset = Dataset(encoder.columns, numbers, codes, decoder.categories)
        return encoder.encode(rows.as_trained(encoder, dataset))

    absent = [column for column in sent if column.name not in types]
    if not absent:
        return decoder.select, relation.name, encode
    nulls = ", ".join(
        f"null::{'text' if column.type == 'enum' else column.type} as {identifier(column.name)}"
        for column in absent
    )
    present = [column.name for column in sent if column.name in types]
    names = "".join(f"{identifier(name)}, " for name in dict.fromkeys([*present, *key]))
    return decoder.select, f"(select {names}{nulls} from {relation.name})", encode


def _as_json(encoder: Encoder, relation: Relation, predictions: Predictions) -> tuple[str, str, Encode]:
    """Return the same for columns of other types, each row on the way of a single prediction."""
    types = dict(relation.columns)
    names = [column.name for column in encoder.columns if column.name in types]

    def encode(chunk: Sequence[Row]) -> Matrix:
        datasets = [predictions.dataset(encoder, row["features"], "json") for row in chunk]
        return np.concatenate([encoder.encode(dataset) for dataset in datasets if dataset is not None])

    return f"{_object_sql(types, names)} as features", relation.name, encode


def _object_sql(types: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the SQL of an object of columns, as the text of JSON."""
    pairs = ", ".join(
        f"pg_catalog.concat({literal(json.dumps(name) + ':')}, {_value_sql(types[name], name)})"
        for name in names
    )
    return f"pg_catalog.concat('{{', pg_catalog.array_to_string(array[{pairs}], ','), '}}')"


def _value_sql(kind: str, name: str) -> str:
    """Return the SQL of a column as the text of JSON.

    to_json would call a cast to json that the owner of a type may define, with the rights of whoever reads.
    """
    column = f"r.{identifier(name)}"
    if kind in columns.INTEGERS:
        return f"coalesce({column}::text, 'null')"
    if kind not in BUILT_IN:
        column = f"case when {column} is not null then pg_catalog.format('%s', {column}) end"
    return f"coalesce(pg_catalog.to_json({column})::text, 'null')"


def key_columns(database: Database, relation: Relation, key: str | None) -> list[str]:
    """Return the columns that tell rows apart; none: their order does."""
    if key is None:
        return reader.primary_key(database, relation)
    names = [name for name, _ in relation.columns]
    wanted = [key] if key in names else [part.strip() for part in key.split(",")]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise UnknownColumn(
            f'key column "{unknown[0]}" does not exist in {relation.name}',
            hint=f"Its columns are {name_list(names)}.",
        )
    return wanted


def _key_sql(relation: Relation, key: Sequence[str]) -> str:
    """Return the SQL of a row's key as JSON: a value or, of several columns, an object."""
    types = dict(relation.columns)
    return _object_sql(types, key) if len(key) > 1 else _value_sql(types[key[0]], key[0])


def _answers(predictor: Predictor, outputs: Floats) -> Chunk:
    """Return what there is of predictions, codes from 1 with their labels, and probabilities."""
    if predictor.output == "value":
        return {"predictions": _array(outputs)}
    if predictor.output == "cluster":
        return {"predictions": _array(outputs[:, 0]).replace("nan", "NULL")}
    codes = predictor.codes(outputs)
    labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
    numeric = predictor.label_kind != "text"
    return {
        "predictions": _array(np.array(predictor.labels, dtype=np.float64)[codes]) if numeric else None,
        "codes": _array(codes + 1),
        "probabilities": _array(outputs[np.arange(len(codes)), codes])
        if predictor.output == "probabilities"
        else None,
        "labels": labels,
    }


def _array(values: Any) -> str:
    """Return an array's literal; PL/Python would turn each number into a text of its own."""
    return "{" + str(values.tolist())[1:-1] + "}"
