"""Records with what the model says of them, by which a reader of the document can check itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgml.artifact.format import Artifact, pack
from pgml.dataset import MISSING, Dataset
from pgml.exchange.pmml.elements import Element, number
from pgml.inference import Predictor
from pgml.preprocessing import CategoryEncoding, Encoding, Keyed, NumberEncoding
from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.numbers import Filled
from pgml.target import label_text

RECORDS = 5
CLEAR = 1e-4
"""By how much the largest output of a record leads, relative to it: none is on the edge of two classes."""
PRECISION = {False: ("1e-9", "1e-12"), True: ("1e-5", "1e-7")}
"""Relative and absolute, by whether the model adds up float32 numbers where PMML adds up doubles."""
Values = list[Any]
"""Of a record, one a number or text; None is missing."""


def verification(artifact: Artifact, outputs: Sequence[str], *, single: bool) -> Element | None:
    """Return some records, None where none can be made.

    Parameters
    ----------
    artifact : Artifact
    outputs : sequence of str
        The fields of what is predicted: the value; or the label and then the numbers of the classes.
    single : bool
        The model adds up float32 numbers.
    """
    if not artifact.golden:
        return None
    predictor = Predictor(pack(artifact))
    matrix = np.array(artifact.golden["matrix"], dtype=np.float64).reshape(-1, predictor.encoder.width)
    given = [_record(predictor.encoder.encodings, row, at) for at, row in enumerate(matrix)]
    found = np.atleast_2d(predictor.outputs(_dataset(predictor, given)).T).T
    told = [at for at, record in enumerate(given) if any(value is not None for value in record)]
    kept = [at for at in told if _is_clear(predictor, found[at])][:RECORDS]
    if not kept:
        return None
    names = [name for column in predictor.columns for name in column.feature_names]
    cells = [[*_shown(predictor, given[at]), *_expected(predictor, found[at])] for at in kept]
    return _element(names, outputs, cells, PRECISION[single])


def _element(
    names: Sequence[str], outputs: Sequence[str], cells: Sequence[Sequence[str | None]], near: tuple[str, str]
) -> Element:
    precision, threshold = near
    columns = [f"field{at}" for at in range(1, len(names) + len(outputs) + 1)]
    fields = [
        Element("VerificationField", {"field": name, "column": column})
        for name, column in zip(names, columns, strict=False)
    ]
    fields += [
        Element(
            "VerificationField",
            {"field": name, "column": column, "precision": precision, "zeroThreshold": threshold},
        )
        for name, column in zip(outputs, columns[len(names) :], strict=True)
    ]
    rows = [
        Element(
            "row",
            {},
            [
                Element(column, text=cell)
                for column, cell in zip(columns, each, strict=True)
                if cell is not None
            ],
        )
        for each in cells
    ]
    counts = {"recordCount": str(len(rows)), "fieldCount": str(len(columns))}
    inside = [Element("VerificationFields", {}, fields), Element("InlineTable", {}, rows)]
    return Element("ModelVerification", counts, inside)


def _is_clear(predictor: Predictor, outputs: Any) -> bool:
    """Return whether any reader must come to the same numbers and, if it is a plain text, the same label."""
    if not np.isfinite(outputs).all():
        return False
    if predictor.output == "value":
        return True
    if not _is_plain(_label(predictor, outputs)):
        return False
    if len(outputs) < 2:
        return True
    ordered = np.sort(-outputs if predictor.output == "distances" else outputs)
    return bool(ordered[-1] - ordered[-2] > CLEAR * np.abs(ordered).max())


def _record(encodings: Sequence[Encoding], row: Any, at: int) -> Values:
    """Return values that an encoded row may have been made of, and for curves and tables some others."""
    found: Values = []
    start = 0
    for encoding in encodings:
        own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        found += _values(own, row[start : start + own.width], at)
        start += encoding.width
    return found


def _values(encoding: Encoding, part: Any, at: int) -> Values:
    if isinstance(encoding, Keyed):
        return [_key(encoding, part, at)]
    if isinstance(encoding, NumberEncoding):
        raw = part * np.array(encoding.scale) + np.array(encoding.center)
    elif isinstance(encoding, BinEncoding) and encoding.edges:
        raw = np.array([encoding.edges[at % len(encoding.edges)]])
    else:
        assert isinstance(encoding, Filled)
        raw = np.array(encoding.fill) * (1 + at / 16)
    column = encoding.column
    if column.type == "boolean":
        raw = np.where(np.isnan(raw), raw, raw > 0)
    elif column.type.startswith("real"):
        raw = raw.astype(np.float32).astype(np.float64)
    return [None if value != value else float(value) for value in raw]


def _key(encoding: Keyed, part: Any, at: int) -> str | float | None:
    is_truth = encoding.column.type == "boolean"
    keys = [key for key in encoding.categories if (key in (0, 1) if is_truth else _is_plain(key))]
    if isinstance(encoding, CategoryEncoding):
        held = [
            key for key, mark in zip(encoding.categories, part, strict=False) if mark == 1 and key in keys
        ]
        return held[0] if held else None
    return keys[at % len(keys)] if keys else None


def _is_plain(key: str | float) -> bool:
    """Return whether a text, if it is one, is the same to readers that take blanks for layout."""
    return not isinstance(key, str) or (key != "" and " ".join(key.split()) == key)


def _dataset(predictor: Predictor, given: Sequence[Values]) -> Dataset:
    """Return records as the encoder takes them."""
    numbers: list[Values] = []
    codes: list[list[int]] = []
    texts: list[list[str]] = []
    start = 0
    for column in predictor.columns:
        each = [record[start : start + column.width] for record in given]
        start += column.width
        if column.is_category:
            known = sorted({value[0] for value in each if value[0] is not None})
            texts.append(known)
            codes.append([MISSING if value[0] is None else known.index(value[0]) for value in each])
        else:
            numbers += np.array(each, dtype=np.float64).reshape(len(given), -1).T.tolist()
    rows = len(given)
    return Dataset(
        predictor.columns,
        np.array(numbers, dtype=np.float64).reshape(-1, rows).T,
        np.array(codes, dtype=np.int32).reshape(-1, rows).T,
        texts,
    )


def _shown(predictor: Predictor, values: Values) -> list[str | None]:
    kinds = [column.type for column in predictor.columns for _ in column.feature_names]
    return [_cell(value, kind) for value, kind in zip(values, kinds, strict=True)]


def _cell(value: str | float | None, kind: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return ("false", "true")[value == 1] if kind == "boolean" else number(value)


def _expected(predictor: Predictor, outputs: Any) -> list[str]:
    values = [number(value) for value in outputs.tolist()]
    if predictor.output == "value":
        return values
    return [_label(predictor, outputs), *values]


def _label(predictor: Predictor, outputs: Any) -> str:
    label = predictor.labels[int(predictor.codes(outputs[None, :])[0])]
    return label_text(label, predictor.label_kind)
