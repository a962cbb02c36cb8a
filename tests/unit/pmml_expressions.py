"""Values and expressions of PMML 4.4, by the standard, for `tests.unit.pmml_evaluator`."""

import math
import operator
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Protocol
from xml.etree import ElementTree

import numpy as np

Value = Any
"""A float, str, bool or int; None is missing."""


class Fields(Protocol):
    """The fields that an expression may name."""

    def __getitem__(self, name: str) -> Value: ...


def typed(kind: str | None, value: Value) -> Value:
    """Return a value, or its text, as a data type has it."""
    if value is None:
        return None
    if kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[value]
    if kind == "string":
        return str(value)
    if kind == "integer":
        return int(value)
    assert kind in ("double", "float")
    return float(np.float32(value)) if kind == "float" else float(value)


def shown(value: Value) -> str:
    """Return a value as a document has it."""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lessThan": operator.lt,
    "lessOrEqual": operator.le,
    "greaterThan": operator.gt,
    "greaterOrEqual": operator.ge,
    "equal": operator.eq,
}


def expression(given: ElementTree.Element, scope: Fields) -> Value:
    """Return the value of an expression."""
    if given.tag == "FieldRef":
        return scope[given.get("field")]
    if given.tag == "Constant":
        return typed(given.get("dataType"), given.text or "")
    if given.tag == "NormDiscrete":
        value = scope[given.get("field")]
        absent = given.get("mapMissingTo")
        if value is None:
            return None if absent is None else float(absent)
        return 1.0 if shown(value) == given.get("value") else 0.0
    if given.tag == "NormContinuous":
        return normalized(given, scope)
    if given.tag == "MapValues":
        return mapped(given, scope)
    assert given.tag == "Apply"
    return applied(given, scope)


def normalized(given: ElementTree.Element, scope: Fields) -> Value:
    """Return a number between the points of a line, which are all different."""
    assert given.get("outliers") == "asExtremeValues"
    value = scope[given.get("field")]
    points = [(float(each.get("orig")), float(each.get("norm"))) for each in given.findall("LinearNorm")]
    assert all(one[0] < other[0] for one, other in pairwise(points))
    return None if value is None else float(np.interp(value, *np.array(points).T))


def mapped(given: ElementTree.Element, scope: Fields) -> Value:
    """Return what a table has for a value."""
    (pair,) = given.findall("FieldColumnPair")
    value = scope[pair.get("field")]
    if value is None:
        return None if given.get("mapMissingTo") is None else float(given.get("mapMissingTo"))
    for row in given.findall("InlineTable/row"):
        key = row.find(pair.get("column")).text or ""
        if value == (float(key) if isinstance(value, float) else key):
            return float(row.find(given.get("outputColumn")).text)
    return None if given.get("defaultValue") is None else float(given.get("defaultValue"))


def applied(given: ElementTree.Element, scope: Fields) -> Value:
    """Return the value of a built-in function."""
    name = given.get("function")
    if name == "if":
        condition = expression(given[0], scope)
        if condition is None:
            return None
        if condition:
            return expression(given[1], scope)
        return expression(given[2], scope) if len(given) > 2 else None
    values = [expression(each, scope) for each in given]
    if name in ("isMissing", "isNotMissing"):
        return (values[0] is None) == (name == "isMissing")
    if None in values:
        return None
    if name in ("isIn", "isNotIn"):
        return (values[0] in values[1:]) == (name == "isIn")
    return FUNCTIONS[name](*values)


def unbounded(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return a function that is infinite where a double would overflow."""

    def found(value: float) -> float:
        try:
            return function(value)
        except OverflowError:
            return math.inf

    return found


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    **COMPARISONS,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "min": min,
    "max": max,
    "and": lambda *values: all(values),
    "abs": abs,
    "exp": unbounded(math.exp),
    "expm1": unbounded(math.expm1),
    "floor": math.floor,
    "ln1p": math.log1p,
    "sin": math.sin,
    "cos": math.cos,
}
