"""One row as SQL sends it (array, JSON, text) to the features of a model.

The result is a `Dataset` of one row, so that the encoder that training used is
the one that prediction uses.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from pgml import columns
from pgml.columns import Column
from pgml.dataset import MISSING, Dataset, Floats
from pgml.errors import InvalidValue, PgmlError, UnknownColumn, name_list
from pgml.preprocessing import Encoder

Epochs = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""PostgreSQL's reading of (type, text) pairs of points in time and durations, in epoch seconds."""
Values = list[Any]
"""One value a column; that of an array column is a list of its numbers."""


def from_numbers(encoder: Encoder, numbers: Any) -> Values:
    """Return the values of a plain array, matched by position.

    Raises
    ------
    InvalidValue
        A feature is a text, or the count of numbers is not that of the features.
    """
    _refuse_texts(encoder)
    return _by_position(encoder, _flat(numbers), imputes=False, nested=False)


def from_matrix(encoder: Encoder, numbers: Floats, count: int | None) -> Dataset:
    """Return many rows of plain numbers, matched by position.

    Parameters
    ----------
    numbers : float64 array of shape (n,)
        One row after another; NaN is missing.
    count : int or None
        Numbers in a row, where that is known.

    Raises
    ------
    InvalidValue
        A feature is a text, a number is infinite, or the count of numbers is not that of the features.
    """
    _refuse_texts(encoder)
    expected = sum(column.width for column in encoder.columns)
    if count not in (None, expected) or numbers.size % expected:
        raise _wrong_count(encoder, expected, f"{numbers.size if count is None else count} were given")
    dataset = Dataset(encoder.columns, numbers.reshape(-1, expected), np.empty((0, 0), np.int32), [])
    return as_trained(encoder, dataset)


def as_trained(encoder: Encoder, dataset: Dataset) -> Dataset:
    """Return a dataset with numbers as the columns of training hold them.

    Raises
    ------
    InvalidValue
        One is infinite.
    """
    for column in encoder.columns:
        if column.is_category:
            continue
        values = dataset.values(column.name)
        if column.type.startswith("real"):
            with np.errstate(over="ignore"):
                values[:] = values.astype(np.float32)
        if np.isinf(values).any():
            columns.finite(column, np.inf)
    return dataset


def _refuse_texts(encoder: Encoder) -> None:
    texts = [column.name for column in encoder.columns if column.is_category]
    if texts:
        raise InvalidValue(
            f"an array cannot hold the text feature(s) {name_list(texts)}",
            hint="Give a row, such as row(…) or a row of a table, or jsonb.",
        )


def _wrong_count(encoder: Encoder, expected: int, given: str) -> InvalidValue:
    names = [name for column in encoder.columns for name in column.feature_names]
    return InvalidValue(
        f"the model has {expected} features, {given}",
        hint=f"The features are {name_list(names)}, in this order.",
    )


def from_json(encoder: Encoder, value: Any, *, imputes: bool) -> Values:
    """Return the values of a JSON object by name, of an array or a scalar by position.

    Parameters
    ----------
    imputes : bool
        Features that are not given are taken for what missing ones are, or would be, filled with.

    Raises
    ------
    UnknownColumn
        Features that training never saw missing are not given.
    InvalidValue
        A value does not fit its feature, or their count is wrong.
    """
    if isinstance(value, Mapping):
        if not _is_anonymous(encoder, value):
            return _by_name(encoder, value, imputes)
        fields = [value[f"f{i}"] for i in range(1, len(value) + 1)]
        return _by_position(encoder, fields, imputes, nested=True)
    given = value if isinstance(value, list) else [value]
    values = _by_position(encoder, given, imputes, nested=any(isinstance(each, list) for each in given))
    if isinstance(value, list) and not any(isinstance(each, str) for each in _flat(value)):
        _refuse_numbers(encoder, values)
    return values


def as_dataset(encoder: Encoder, values: Values, epochs: Epochs) -> Dataset:
    """Return values, one a column, as a dataset of one row."""
    numbers: list[float] = []
    codes: list[int] = []
    categories: list[list[str]] = []
    times: list[tuple[int, Column, str]] = []
    for column, value in zip(encoder.columns, values, strict=True):
        if column.is_category:
            text = columns.category(column, value)
            codes.append(MISSING if text is None else 0)
            categories.append([] if text is None else [text])
        elif column.kind.temporal and isinstance(value, str):
            times.append((len(numbers), column, value))
            numbers.append(0.0)
        elif column.kind.shape == "array":
            numbers += _elements(column, value)
        else:
            numbers.append(columns.number(column, value))
    if times:
        read = _read_times(times, epochs)
        for (position, column, _), epoch in zip(times, read, strict=True):
            numbers[position] = columns.finite(column, epoch)
    return Dataset(
        encoder.columns,
        np.array([numbers], dtype=np.float64).reshape(1, len(numbers)),
        np.array([codes], dtype=np.int32).reshape(1, len(codes)),
        categories,
    )


def _read_times(times: Sequence[tuple[int, Column, str]], epochs: Epochs) -> Sequence[float]:
    try:
        return epochs([(column.kind.temporal or "", text) for _, column, text in times])
    except PgmlError as error:
        if error.sqlstate.startswith("22") and not error.hint:
            kinds = [f'"{column.name}" as {column.type}' for _, column, _ in times]
            error.hint = f"Write {' and '.join(kinds)}, or as epoch seconds."
        raise


def _refuse_numbers(encoder: Encoder, values: Values) -> None:
    """Raise InvalidValue where an array of SQL, which holds numbers only, gives one for a text."""
    for column, value in zip(encoder.columns, values, strict=True):
        if column.is_category and value is not None and not isinstance(value, str):
            _refuse_texts(encoder)


def _is_anonymous(encoder: Encoder, value: Mapping[str, Any]) -> bool:
    """Whether these are the fields f1 … fn that row() makes, and training had no such names."""
    return (
        bool(value)
        and all(f"f{i}" in value for i in range(1, len(value) + 1))
        and not any(column.name in value for column in encoder.columns)
    )


def _by_name(encoder: Encoder, given: Mapping[str, Any], imputes: bool) -> Values:
    if not imputes:
        check_given(encoder, given)
    return [
        given.get(encoding.column.name, encoding.filled if imputes else None)
        for encoding in encoder.encodings
    ]


def check_given(encoder: Encoder, names: Container[str]) -> None:
    """Raise UnknownColumn for features that are not among the names, unless training saw them missing."""
    missing = [
        encoding.column.name
        for encoding in encoder.encodings
        if encoding.column.name not in names and not encoding.nulls
    ]
    if missing:
        raise UnknownColumn(
            f"feature(s) {name_list(missing)} are not given",
            hint="Add them to the row, as NULL where they are not known.",
        )


def _by_position(encoder: Encoder, given: list[Any], imputes: bool, *, nested: bool) -> Values:
    """Return the values of numbers one by one or, where `nested`, perhaps of one value a column."""
    expected = sum(column.width for column in encoder.columns)
    flat = _flat(given)
    if nested and len(flat) != expected and _is_one_a_column(encoder, given, imputes):
        return [*given, *(encoding.filled for encoding in encoder.encodings[len(given) :])]
    if len(flat) > expected or (len(flat) < expected and not imputes):
        raise _wrong_count(encoder, expected, f"{len(flat)} were given")
    values: Values = []
    start = 0
    for encoding in encoder.encodings:
        part = flat[start : start + encoding.column.width]
        start += encoding.column.width
        if len(part) < encoding.column.width:
            filled = encoding.filled
            part += filled[len(part) :] if isinstance(filled, list) else [filled]
        values.append(part if encoding.column.kind.shape == "array" else part[0])
    return values


def _is_one_a_column(encoder: Encoder, given: list[Any], imputes: bool) -> bool:
    """Whether arrays stand where the columns are arrays, so that a NULL stands for all of one."""
    columns = encoder.columns
    enough = len(given) == len(columns) or (imputes and len(given) < len(columns))
    return enough and all(
        value is None or isinstance(value, list) == (column.kind.shape == "array")
        for column, value in zip(columns, given, strict=False)
    )


def _elements(column: Column, value: Any) -> list[float]:
    flat = [None] * column.width if value is None else _flat(value)
    if len(flat) != column.width:
        raise InvalidValue(
            f'feature "{column.name}" wants {column.width} numbers, {len(flat)} were given',
            hint="Arrays must be as long as those of training.",
        )
    return [columns.number(column, element) for element in flat]


def _flat(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    return [element for part in value for element in (_flat(part) if isinstance(part, list) else [part])]
