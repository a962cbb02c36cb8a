"""Operators of ``ai.onnx.ml`` that look values up."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from pgml.exchange.onnx.lowering.attributes import Array
from pgml.exchange.onnx.lowering.steps import Refused, Step, Value
from pgml.exchange.onnx.lowering.tables import picked, place_of, unified
from pgml.exchange.onnx.lowering.texts import Given, Listed, Strings
from pgml.exchange.onnx.lowering.writing import type_of


def _held(step: Step, what: str) -> Array:
    """Return the keys or the values of a LabelEncoder, texts as objects."""
    given = step.given
    found: list[Array] = []
    if given.has(f"{what}_strings"):
        found.append(np.array(given.texts(f"{what}_strings"), dtype=object))
    if given.has(f"{what}_int64s"):
        found.append(given.ints(f"{what}_int64s"))
    if given.has(f"{what}_floats"):
        found.append(given.floats(f"{what}_floats"))
    if (tensor := given.tensor(f"{what}_tensor")) is not None:
        found.append(tensor)
    given.require(len(found) == 1, f"has no {what}, or of two types")
    given.require(found[0].ndim == 1 and found[0].dtype.kind in "Oif", f"has {what} that are no list")
    return found[0]


def _default(step: Step, values: Array) -> Any:
    """Return what a LabelEncoder gives for what it does not know."""
    given = step.given
    if (tensor := given.tensor("default_tensor")) is not None:
        given.require(tensor.size == 1 and tensor.dtype == values.dtype, "has a default of another type")
        return tensor.ravel()[0]
    if values.dtype == object:
        return given.text("default_string", "_Unused")
    if values.dtype.kind == "i":
        return given.integer("default_int64", -1)
    return given.real("default_float", -0.0)


def _label_encoder(step: Step) -> Sequence[Value]:
    if step.version == 1 or step.given.has("classes_strings"):
        return _numbered(step)
    keys, values = _held(step, "keys"), _held(step, "values")
    step.given.require(len(keys) == len(values) > 0, "has not as many keys as values")
    return [_mapped(step, keys, values, _default(step, values), missing=step.version > 3)]


def _numbered(step: Step) -> Sequence[Value]:
    """Lower a LabelEncoder of the first version: texts to their places, or back."""
    texts = np.array(step.given.texts("classes_strings"), dtype=object)
    step.given.require(texts.size > 0, "has no classes")
    places = np.arange(texts.size)
    if isinstance(step.value(), Strings):
        return [_mapped(step, texts[::-1], places[::-1], step.given.integer("default_int64", -1))]
    return [_mapped(step, places, texts, step.given.text("default_string", "_Unused"))]


def _category_mapper(step: Step) -> Sequence[Value]:
    texts = np.array(step.given.texts("cats_strings"), dtype=object)
    numbers = step.given.ints("cats_int64s")
    step.given.require(texts.size == numbers.size > 0, "has not as many texts as numbers")
    if isinstance(step.value(), Strings):
        return [_mapped(step, texts[::-1], numbers[::-1], step.given.integer("default_int64", -1))]
    return [_mapped(step, numbers[::-1], texts[::-1], step.given.text("default_string", "_Unused"))]


def _mapped(step: Step, keys: Array, values: Array, default: Any, *, missing: bool = False) -> Value:
    """Append what stands beside the first key that is the input's value."""
    source = step.value()
    writing = step.writing
    listed = Listed(tuple(dict.fromkeys([*values.tolist(), default]))) if values.dtype == object else None
    held: Array = values
    if listed is not None:
        number = {text: at for at, text in enumerate(listed.held)}
        held = np.array([number[text] for text in values], dtype=np.int64)
        default = number[default]
        step.work.labels[step.node.output[0]] = tuple(dict.fromkeys(values.tolist()))
    if isinstance(source, Strings):
        step.given.require(keys.dtype == object, "looks texts up among numbers")
        places = {text: at for at, text in reversed(list(enumerate(keys.tolist())))}
        for domain in source.domains:
            domain.learn(places)
        fallback, pool = default, held
        found = picked(
            step.work,
            source,
            lambda text: pool[places[text]] if text in places else fallback,
            held.dtype,
        )
    else:
        step.given.require(keys.dtype != object, "looks numbers up among texts")
        place = place_of(step, source, keys, missing=missing)
        table = np.append(held, np.array([default], dtype=held.dtype))
        found = writing.apply("Gather", writing.values(table), place, axis=0)
    writing.types[found] = type_of(held)
    return found if listed is None else Strings(found, (listed,))


def _one_hot(step: Step) -> Sequence[Value]:
    texts, numbers = step.given.texts("cats_strings"), step.given.ints("cats_int64s")
    step.given.require(bool(texts) != bool(numbers.size), "has no categories, or of two types")
    source, writing = step.value(), step.writing
    if isinstance(source, Strings):
        step.given.require(bool(texts), "looks texts up among numbers")
        codes, known = _codes_of(step, source, texts)
    else:
        step.given.require(bool(numbers.size), "looks numbers up among texts")
        codes, known = writing.cast(source, TensorProto.INT64), writing.values(numbers)
    each = writing.apply("Unsqueeze", codes, writing.integers([-1]))
    found = writing.float32(writing.apply("Equal", each, known))
    listed: list[Any] = texts or numbers.tolist()
    last = {category: at for at, category in enumerate(listed)}
    if len(last) < len(listed):
        # Of one that comes twice the last counts.
        mask = [float(last[category] == at) for at, category in enumerate(listed)]
        found = writing.apply("Mul", found, writing.singles(mask))
    return [found]


def _codes_of(step: Step, source: Strings, texts: Sequence[str]) -> tuple[str, str]:
    """Return codes, and a constant with the code of each text."""
    work, writing = step.work, step.writing
    for domain in source.domains:
        domain.learn(texts)
    one = unified(work, source)
    domain = one.domains[0]
    if not isinstance(domain, Given):
        place = {text: at for at, text in enumerate(texts)}
        codes = picked(work, one, lambda text: -1 if text is None else place.get(text, -1), np.int64)
        return codes, writing.integers([place[text] for text in texts])
    known = writing.later(np.int64)

    def fill() -> None:
        place = {text: at for at, text in enumerate(domain.texts())}
        writing.fill(known, np.array([place.get(text, -1) for text in texts], dtype=np.int64))

    work.waiting.append(fill)
    return one.codes, known


def _normalized(step: Step) -> Sequence[Value]:
    changes = step.given.choice("case_change_action", "NONE", ("NONE", "LOWER", "UPPER"))
    found = step.value()
    step.given.require(isinstance(found, Strings), "takes texts and is given numbers")
    if changes != "NONE" or step.given.texts("stopwords"):
        return [Refused(step.node.op_type, "changes texts, which is not supported")]
    return [found]


OPERATORS: Mapping[str, Any] = {
    "CategoryMapper": _category_mapper,
    "LabelEncoder": _label_encoder,
    "OneHotEncoder": _one_hot,
    "StringNormalizer": _normalized,
}
