"""What each encoding of a feature is in PMML: the fields that hold the columns of the matrix."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pgml.errors import NotBuilt
from pgml.exchange.pmml import quantiles
from pgml.exchange.pmml.elements import Element, applied, constant, number, reference
from pgml.exchange.pmml.fields import Fields, Input, Source, note
from pgml.preprocessing import Encoder, Encoding
from pgml.preprocessing.base import MOST, Key
from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.categories import CategoryEncoding, CodeEncoding, Keyed, OrdinalEncoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.means import TargetEncoding
from pgml.preprocessing.numbers import Filled, NumberEncoding, PowerEncoding, QuantileEncoding
from pgml.preprocessing.times import PERIODS, CyclicEncoding

Columns = list[Source]


def encoded(encoder: Encoder, fields: Fields) -> Columns:
    """Return the field of each column of the matrix, after adding them and what is given.

    Raises
    ------
    NotBuilt
        An encoding has no form in PMML.
    """
    return [column for each in encoder.encodings for column in _written(each, fields)]


def _written(encoding: Encoding, fields: Fields) -> Columns:
    own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
    if own.kind not in ENCODINGS:
        raise NotBuilt(
            f'encoding "{own.kind}" of feature "{own.column.name}" cannot be written as PMML',
            hint="Train the model with another encoding of it in preprocess, such as one_hot.",
        )
    marked = own is not encoding
    found = ENCODINGS[own.kind](own, fields, marked)
    if not marked:
        return found
    marks = [
        fields.derive(
            f"{name} is null",
            applied("if", applied("isMissing", reference(name)), 1.0, 0.0),
            [name],
        )
        for name in own.column.feature_names
    ]
    return [*found, *(Source(name, nullable=False) for name in marks)]


def _numbers(
    encoding: Encoding, fills: Sequence[float | None], fields: Fields, *, kept: bool, known: bool = False
) -> Columns:
    """Return the numbers of a column as doubles.

    Parameters
    ----------
    fills : sequence of float or None
        What missing ones are taken for.
    kept : bool
        The given field stays missing where it is, for what marks that.
    """
    column = encoding.column
    kind = "double"
    if column.type == "boolean":
        kind = "boolean"
    elif column.type.startswith("real"):
        kind = "float"
    found = []
    for name, fill in zip(column.feature_names, fills, strict=True):
        within = kind == "double" and not kept
        fields.inputs.append(
            Input(
                name,
                kind,
                fill=fill if within else None,
                refuses=encoding.missing == "refuse",
                note=note(column),
            )
        )
        field = name
        if kind == "boolean":
            truth = Element("NormDiscrete", {"field": name, "value": "true", "mapMissingTo": fill})
            field = fields.derive(f"{name} as number", truth, [name])
        elif not within and (fill is not None or kind == "float"):
            value = reference(name)
            if fill is not None:
                value = applied("if", applied("isMissing", reference(name)), fill, reference(name))
            field = fields.derive(f"{name} {'as double' if fill is None else 'filled'}", value, [name])
        found.append(Source(field, encoding.missing == "pass"))
    return found


def _filled(encoding: Filled, fields: Fields, kept: bool) -> Columns:
    fills = encoding.fill if encoding.missing == "fill" else [None] * len(encoding.fill)
    return _numbers(encoding, fills, fields, kept=kept)


def _moved(value: Element, center: float, scale: float) -> Element:
    """Return (value - center) / scale."""
    moved = applied("-", value, center) if center else value
    return applied("/", moved, scale) if scale != 1 else moved


def _number(encoding: NumberEncoding, fields: Fields, kept: bool) -> Columns:
    found = []
    given = _filled(encoding, fields, kept)
    for name, source, center, scale in zip(
        encoding.names(), given, encoding.center, encoding.scale, strict=True
    ):
        if center or scale != 1:
            made = _moved(reference(source.field), center, scale)
            found.append(Source(fields.derive(f"{name}: scaled", made, [source.field]), source.nullable))
        else:
            found.append(source)
    return found


def _power(encoding: PowerEncoding, fields: Fields, kept: bool) -> Columns:
    found = []
    given = _filled(encoding, fields, kept)
    lines = zip(encoding.power, encoding.center, encoding.scale, strict=True)
    for name, source, (power, center, scale) in zip(encoding.names(), given, lines, strict=True):
        # Both curves may leave the doubles, where the matrix ends at their range.
        moved = _moved(_yeo_johnson(source.field, power), center, scale)
        made = _known(source, applied("max", applied("min", moved, MOST), -MOST))
        found.append(Source(fields.derive(f"{name}: curved", made, [source.field]), source.nullable))
    return found


def _yeo_johnson(name: str, power: float) -> Element:
    """Return Yeo and Johnson's curve, see `pgml.preprocessing.scaling.yeo_johnson`."""
    value = reference(name)
    if power == 1:
        return value
    above = applied("ln1p", value)
    if power != 0:
        above = applied("/", applied("expm1", applied("*", power, above)), power)
    rest = 2.0 - power
    below = applied("ln1p", applied("-", 0.0, value))
    if rest != 0:
        below = applied("/", applied("expm1", applied("*", rest, below)), rest)
    return applied("if", applied("lessThan", value, 0.0), applied("-", 0.0, below), above)


def _quantile(encoding: QuantileEncoding, fields: Fields, kept: bool) -> Columns:
    found = []
    given = _filled(encoding, fields, kept)
    for name, source, knots in zip(encoding.names(), given, encoding.quantiles, strict=True):
        made = _known(source, quantiles.rank(source.field, np.array(knots)))
        found.append(Source(fields.derive(f"{name}: rank", made, [source.field]), source.nullable))
    return found


def _bins(encoding: BinEncoding, fields: Fields, kept: bool) -> Columns:
    (source,) = _filled(encoding, fields, kept)
    value = reference(source.field)
    conditions = [applied("isNotMissing", value)]
    if encoding.edges:
        conditions = [applied("lessThan", value, encoding.edges[0])]
        conditions += [
            applied("and", applied("greaterOrEqual", value, low), applied("lessThan", value, high))
            for low, high in pairwise(encoding.edges)
        ]
        conditions.append(applied("greaterOrEqual", value, encoding.edges[-1]))
    return [
        _indicator(name, condition, source, fields)
        for name, condition in zip(encoding.names(), conditions, strict=True)
    ]


def _indicator(name: str, condition: Element, source: Source, fields: Fields) -> Source:
    """Return 1 where a condition on a field holds, else 0; missing where the field is."""
    made = _known(source, applied("if", condition, 1.0, 0.0))
    return Source(fields.derive(name, made, [source.field]), source.nullable)


def _known(source: Source, made: Element) -> Element:
    """Return an expression of a field that is missing where the field is.

    By the standard it would be so by itself, but some readers refuse to apply functions to what is missing.
    """
    if not source.nullable:
        return made
    return applied("if", applied("isNotMissing", reference(source.field)), made)


def _cyclic(encoding: CyclicEncoding, fields: Fields, kept: bool) -> Columns:
    (source,) = _filled(encoding, fields, kept)
    found = []
    for name in encoding.periods:
        period = PERIODS[name]
        value = reference(source.field)
        turns = applied("floor", applied("/", value, period))
        angle = applied("*", applied("-", value, applied("*", turns, period)), 2 * math.pi / period)
        field = fields.derive(
            f"{encoding.column.name}: angle of {name}", _known(source, angle), [source.field]
        )
        turned = Source(field, source.nullable)
        for wave in ("sin", "cos"):
            made = _known(turned, applied(wave, reference(field)))
            label = f"{encoding.column.name}: {wave}({name})"
            found.append(Source(fields.derive(label, made, [field]), source.nullable))
    return found


def _key(encoding: Keyed, fields: Fields, kept: bool) -> Source:
    """Return the field that is looked up, text or number."""
    column = encoding.column
    fill = encoding.fill if encoding.missing == "fill" else None
    apart = kept and fill is not None
    if not column.is_category:
        return _numbers(encoding, [None if fill is None else float(fill)], fields, kept=kept)[0]
    fields.inputs.append(
        Input(
            column.name,
            "string",
            # Of a field with known values others are invalid, also where a function only hands them on.
            known=() if apart else [str(each) for each in encoding.categories],
            fill=None if kept else fill,
            refuses=encoding.missing == "refuse",
            listed=encoding.missing == "refuse" and isinstance(encoding, OrdinalEncoding),
            note=note(column),
        )
    )
    field = column.name
    if apart:
        made = applied("if", applied("isMissing", reference(field)), str(fill), reference(field))
        field = fields.derive(f"{field} filled", made, [field], kind="string")
    return Source(field, encoding.missing == "pass")


def _one_hot(encoding: CategoryEncoding, fields: Fields, kept: bool) -> Columns:
    source = _key(encoding, fields, kept)
    value = reference(source.field)
    found = [
        _indicator(name, applied("equal", value, _constant(key)), source, fields)
        for name, key in zip(encoding.names(), encoding.categories, strict=False)
    ]
    if encoding.rare:
        known = [_constant(key) for key in encoding.categories]
        condition = applied("isNotIn", value, *known) if known else applied("isNotMissing", value)
        found.append(_indicator(encoding.names()[-1], condition, source, fields))
    return found


def _constant(key: Key) -> Element:
    return constant(key if isinstance(key, str) else float(key))


def _looked_up(
    name: str,
    source: Source,
    keys: Sequence[Key],
    results: Sequence[float],
    rest: float | None,
    fields: Fields,
) -> str:
    """Return a field with the result of a key, `rest` for others, missing where the key is."""
    if not keys:
        made = applied("if", applied("isNotMissing", reference(source.field)), constant(rest or 0.0))
        return fields.derive(name, made, [source.field])
    rows = [
        Element(
            "row",
            {},
            [
                Element("key", text=key if isinstance(key, str) else number(key)),
                Element("value", text=number(result)),
            ],
        )
        for key, result in zip(keys, results, strict=True)
    ]
    pair = Element("FieldColumnPair", {"field": source.field, "column": "key"})
    given = {"outputColumn": "value", "dataType": "double", "defaultValue": rest}
    return fields.derive(
        name, Element("MapValues", given, [pair, Element("InlineTable", {}, rows)]), [source.field]
    )


def _defaulted(name: str, field: str, absent: float, fields: Fields) -> str:
    """Return a field that is never missing."""
    made = applied("if", applied("isMissing", reference(field)), absent, reference(field))
    return fields.derive(name, made, [field])


def _ordinal(encoding: OrdinalEncoding, fields: Fields, kept: bool) -> Columns:
    source = _key(encoding, fields, kept)
    absent = None if encoding.missing != "fill" else encoding.absent
    name = f"{encoding.column.name}: rank"
    found = _looked_up(name, source, encoding.categories, encoding.ranks.tolist(), absent, fields)
    return [Source(found, encoding.missing == "pass")]


def _code(encoding: CodeEncoding, fields: Fields, kept: bool) -> Columns:
    source = _key(encoding, fields, kept)
    name = f"{encoding.column.name}: place"
    places = [float(place) for place in range(len(encoding.categories))]
    found = _looked_up(name, source, encoding.categories, places, encoding.unseen, fields)
    return [Source(_defaulted(f"{name} or none", found, encoding.absent, fields), nullable=False)]


def _target(encoding: TargetEncoding, fields: Fields, kept: bool) -> Columns:
    source = _key(encoding, fields, kept)
    found = []
    for at, name in enumerate(encoding.names()):
        means = [each[at] for each in encoding.means]
        made = _looked_up(name, source, encoding.categories, means, encoding.overall[at], fields)
        if encoding.missing == "pass":
            made = _defaulted(f"{name} or of none", made, encoding.absent[at], fields)
        found.append(Source(made, nullable=False))
    return found


ENCODINGS: Mapping[str, Callable[[Any, Fields, bool], Columns]] = {
    NumberEncoding.kind: _number,
    PowerEncoding.kind: _power,
    QuantileEncoding.kind: _quantile,
    BinEncoding.kind: _bins,
    CyclicEncoding.kind: _cyclic,
    CategoryEncoding.kind: _one_hot,
    OrdinalEncoding.kind: _ordinal,
    CodeEncoding.kind: _code,
    TargetEncoding.kind: _target,
}
"""By `Encoding.kind`; the last argument asks that the given field stays missing where it is."""
