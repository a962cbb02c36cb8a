"""Operators of ``ai.onnx.ml`` on the columns of a matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from pgml.exchange.onnx.lowering.steps import Step, Value
from pgml.exchange.onnx.lowering.writing import Writing


def _scaler(step: Step) -> Sequence[Value]:
    offset, scale = step.given.floats("offset"), step.given.floats("scale")
    step.given.require(offset.size == scale.size, "has not as many offsets as scales")
    step.of_length(scale, "scales")
    writing, rows = step.writing, step.number()
    # A double is moved in double and rounded afterwards.
    double = step.type() == TensorProto.DOUBLE
    rows = rows if double else writing.float32(rows)
    dtype = np.float64 if double else np.float32
    moved = writing.apply("Sub", rows, writing.values(offset.astype(dtype)))
    return [writing.float32(writing.apply("Mul", moved, writing.values(scale.astype(dtype))))]


def _imputer(step: Step) -> Sequence[Value]:
    given, writing, rows = step.given, step.writing, step.number()
    floats, ints = given.floats("imputed_value_floats"), given.ints("imputed_value_int64s")
    given.require(bool(floats.size) != bool(ints.size), "has no values to fill in, or of two types")
    if ints.size:
        rows = writing.cast(rows, TensorProto.INT64)
        replaced = writing.apply("Equal", rows, writing.integers(given.integer("replaced_value_int64", 0)))
        return [writing.apply("Where", replaced, writing.values(step.of_length(ints, "values")), rows)]
    # ONNX Runtime fills in float32 alone; the standard keeps doubles, and skl2onnx counts on that.
    double = step.type() == TensorProto.DOUBLE
    rows = rows if double else writing.float32(rows)
    filling = step.of_length(floats, "values").astype(np.float64 if double else np.float32)
    value = np.array(given.real("replaced_value_float", 0.0), filling.dtype)
    absent = (
        writing.apply("IsNaN", rows)
        if np.isnan(value)
        else writing.apply("Equal", rows, writing.values(value))
    )
    return [writing.apply("Where", absent, writing.values(filling), rows)]


def _binarizer(step: Step) -> Sequence[Value]:
    writing = step.writing
    rows = writing.float32(step.number())
    above = writing.apply("Greater", rows, writing.singles(step.given.real("threshold", 0.0)))
    return [writing.float32(above)]


def _normalizer(step: Step) -> Sequence[Value]:
    writing, rows = step.writing, step.number()
    norm = step.given.choice("norm", "MAX", ("MAX", "L1", "L2"))
    single = writing.float32(rows)
    if norm == "L2":
        return [_of_length_one(writing, rows, single)]
    axis = writing.integers([-1])
    if norm == "L1":
        total = writing.apply("ReduceSum", writing.apply("Abs", single), axis, keepdims=1)
    else:
        # What is no number is not compared.
        lowest = writing.singles(np.finfo(np.float32).min)
        known = writing.apply("Where", writing.apply("IsNaN", single), lowest, single)
        total = writing.apply("ReduceMax", known, axis, keepdims=1)
    return [writing.apply("Div", single, _not_zero(writing, total))]


def _of_length_one(writing: Writing, rows: str, single: str) -> str:
    square = writing.float32(writing.apply("Mul", rows, rows))
    total = writing.apply("ReduceSum", square, writing.integers([-1]), keepdims=1)
    size = writing.apply("Sqrt", writing.apply("Div", square, _not_zero(writing, total)))
    below = writing.apply("Less", single, writing.singles(0.0))
    signed = writing.apply("Where", below, writing.apply("Neg", size), size)
    none = writing.apply("Equal", total, writing.singles(0.0))
    return writing.apply("Where", none, single, signed)


def _not_zero(writing: Writing, total: str) -> str:
    none = writing.apply("Equal", total, writing.singles(0.0))
    return writing.apply("Where", none, writing.singles(1.0), total)


def _vectorizer(step: Step) -> Sequence[Value]:
    sizes = step.given.ints("inputdimensions").tolist()
    step.given.require(len(sizes) == len(step.inputs) > 0, "has not as many inputs as it says")
    parts = []
    for at, size in enumerate(sizes):
        kind = step.kind(at)
        if kind.rank != 2 or kind.width is None:
            return [step.refused("takes an input of unknown width")]
        step.given.require(0 < size <= kind.width, "takes more columns than an input has")
        part = step.writing.float32(step.number(at))
        parts.append(part if size == kind.width else step.writing.columns(part, np.arange(size)))
    return [parts[0] if len(parts) == 1 else step.writing.apply("Concat", *parts, axis=1)]


def _extractor(step: Step) -> Sequence[Value]:
    given, writing = step.number(), step.writing
    listed = step.constant(0)
    if listed is not None and listed.dtype.kind == "i" and len(set(listed.ravel().tolist())) == listed.size:
        step.work.labels[step.node.output[0]] = listed.ravel().tolist()
    known = step.constant(1)
    width = step.kind().width
    if known is not None and width is not None:
        within = known.size > 0 and bool((known >= 0).all()) and bool((known < width).all())
        step.given.require(within, "picks a column that is not there")
    places = writing.apply("Reshape", step.number(1), writing.integers([-1]))
    found = writing.apply("Gather", given, places, axis=-1)
    if step.kind().rank != 1:
        return [found]
    found = writing.apply("Unsqueeze", found, writing.integers([0]))
    if step.kind(1).rank == 2 and (count := step.kind(1).width) is not None:
        step.work.flattened[found] = writing.apply("Gather", given, step.number(1), axis=0), count
    return [found]


def _zip_map(step: Step) -> Sequence[Value]:
    texts, numbers = step.given.texts("classlabels_strings"), step.given.ints("classlabels_int64s").tolist()
    step.given.require(bool(texts) != bool(numbers), "has no classes, or of two types")
    width = step.kind().width
    step.given.require(width in (None, len(texts or numbers)), "has not as many classes as columns")
    step.work.labels[step.node.output[0]] = texts or numbers
    return [step.writing.float32(step.number())]


OPERATORS: Mapping[str, Any] = {
    "ArrayFeatureExtractor": _extractor,
    "Binarizer": _binarizer,
    "FeatureVectorizer": _vectorizer,
    "Imputer": _imputer,
    "Normalizer": _normalizer,
    "Scaler": _scaler,
    "ZipMap": _zip_map,
}
