"""Write pgml/algorithms/parameters.json: what the installed scikit-learn says of its estimators."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import signature
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
        if each is None:
            words.append("null")
        elif kind == "Interval":
            word = KINDS[each.type.__name__]
            words.append("integer" if word == "integer" else "number")
            bounds = [
                None if bound is None or abs(bound) == float("inf") else bound
                for bound in (each.left, each.right)
            ]
            intervals.append([word, *bounds, each.closed])
        elif kind in ("StrOptions", "Options"):
            texts = [
                option for option in each.options if isinstance(option, str) and option not in each.deprecated
            ]
            choices += sorted(texts)
            words += ["text"] if texts else []
            others = [option for option in each.options if isinstance(option, bool)]
            words += ["boolean"] if others else []
        else:
            words += _WORDS.get(
                each if isinstance(each, str) else each.__name__ if isinstance(each, type) else "", []
            )
    if default == "deprecated":
        default = None
    if default is not None and not isinstance(default, (bool, int, float, str, list, dict)):
        default = list(default) if isinstance(default, tuple) else None
    order = [word for word in TYPES if word in words]
    form: dict[str, Any] = {"default": default, "type": " or ".join(order)}
    if choices:
        form["choices"] = choices
    if intervals:
        form["intervals"] = intervals
    return form


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
