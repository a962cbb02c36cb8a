"""Write pgml/algorithms/parameters.json: what the installed scikit-learn says of its estimators."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import signature
from math import inf, isfinite, isinf
from typing import Any

from pgml.algorithms import ALGORITHMS
from pgml.algorithms.parameters import TABLE, TYPES

KINDS = {"Integral": "integer", "Real": "number", "RealNotInt": "fraction"}


def described(place: str) -> dict[str, Any]:
    """Return the table's entry of a scikit-learn class, from its signature and its own constraints."""
    module, _, name = place.partition(":")
    kind = getattr(import_module(module), name)
    constraints = getattr(kind, "_parameter_constraints", {})
    found = {}
    for parameter in list(signature(kind).parameters.values()):
        form = _form(parameter.default, constraints.get(parameter.name, []))
        if form["type"]:
            found[parameter.name] = form
    return found


def _form(default: Any, constraints: Any) -> dict[str, Any]:
    words: list[str] = []
    choices: list[str] = []
    intervals: list[list[Any]] = []
    for each in constraints if isinstance(constraints, list) else []:
        kind = type(each).__name__
        if kind == "Interval":
            intervals.append(_interval(each))
            words.append("integer" if intervals[-1][0] == "integer" else "number")
        elif kind in ("StrOptions", "Options"):
            found = [option for option in each.options if option not in each.deprecated]
            texts = sorted(option for option in found if isinstance(option, str))
            choices += texts
            words += ["text"] * bool(texts) + ["boolean"] * any(isinstance(option, bool) for option in found)
        else:
            words += _words(each)
            intervals += [["integer", 2, None, "left"]] * (each == "cv_object")
    if default == inf:
        # JSON has no infinity: where it means no bound, null does, and the fitter leaves it out.
        words.append("null")
    form: dict[str, Any] = {
        "default": _default(default),
        "type": " or ".join(word for word in TYPES if word in words),
    }
    lists = {"choices": choices, "intervals": intervals}
    return form | {name: values for name, values in lists.items() if values}


def _interval(each: Any) -> list[Any]:
    bounds = [None if bound is None or isinf(bound) else bound for bound in (each.left, each.right)]
    return [KINDS[each.type.__name__], *bounds, each.closed]


def _words(each: Any) -> Sequence[str]:
    if each is None:
        return ["null"]
    name = each if isinstance(each, str) else each.__name__ if isinstance(each, type) else ""
    return _WORDS.get(name, [])


def _default(value: Any) -> Any:
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (bool, int, str, list, dict)) and value != "deprecated" else None


_WORDS: Mapping[str, Sequence[str]] = {
    "boolean": ["boolean"],
    "verbose": ["integer", "boolean"],
    "array-like": ["array"],
    "random_state": ["integer", "null"],
    "cv_object": ["integer", "null"],
    "Integral": ["integer"],
    "Real": ["number"],
    "int": ["integer"],
    "float": ["number"],
    "str": ["text"],
    "bool": ["boolean"],
    "list": ["array"],
    "tuple": ["array"],
    "dict": ["object"],
    "ndarray": ["array"],
}


def table() -> str:
    """Return the table of all scikit-learn classes that the registry names, a parameter a line."""
    places = {
        place
        for algorithm in ALGORITHMS.values()
        for place in algorithm.estimators.values()
        if place.startswith("sklearn.")
    }
    classes = []
    for place in sorted(places):
        lines = [f"  {json.dumps(name)}: {json.dumps(form)}" for name, form in described(place).items()]
        classes.append(f" {json.dumps(place)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(classes) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(table())
