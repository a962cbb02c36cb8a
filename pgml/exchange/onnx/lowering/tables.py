"""Looking codes and numbers up in constants."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto

from pgml.exchange.onnx.lowering.attributes import Array, unsupported
from pgml.exchange.onnx.lowering.steps import Step, Work
from pgml.exchange.onnx.lowering.texts import Domain, Joined, Strings, Text, looked_up
from pgml.exchange.onnx.lowering.writing import type_of

MOST_KEYS = 1 << 13
"""Numbers that one operator looks up: each row is compared with each of them."""


def unified(work: Work, strings: Strings) -> Strings:
    """Return texts whose codes mean the same in each column."""
    if len(strings.domains) == 1:
        return strings
    writing, domains = work.writing, strings.domains
    starts = writing.later(np.int64)

    def fill() -> None:
        sizes = [len(domain.texts()) for domain in domains]
        writing.fill(starts, np.cumsum([0, *sizes[:-1]], dtype=np.int64))

    work.waiting.append(fill)
    return Strings(writing.apply("Add", strings.codes, starts), (Joined(domains),))


def after(work: Work, codes: str, domain: Domain) -> str:
    """Return codes moved behind those of a domain."""
    writing = work.writing
    size = writing.later(np.int64)
    work.waiting.append(lambda: writing.fill(size, np.array(len(domain.texts()), dtype=np.int64)))
    return writing.apply("Add", codes, size)


def picked(work: Work, strings: Strings, found: Callable[[Text], Any], dtype: Any) -> str:
    """Append what each text becomes, in the shape of the texts, and return its name."""
    one, writing = unified(work, strings), work.writing
    table = writing.later(dtype)
    domain = one.domains[0]
    work.waiting.append(lambda: writing.fill(table, looked_up(domain, found, dtype)))
    return writing.apply("Gather", table, one.codes, axis=0)


def place_of(step: Step, rows: str, keys: Array, *, missing: bool) -> str:
    """Append the place of each number among keys, int64 in the shape of the numbers; behind them for others.

    Parameters
    ----------
    keys : ndarray of shape (keys,)
        Of several equal ones the first is found.
    missing : bool
        A key that is NaN is found by NaN.
    """
    if keys.size > MOST_KEYS:
        raise unsupported(step.node.op_type, f"looks up {keys.size} numbers, more than {MOST_KEYS}")
    writing, count = step.writing, keys.size
    rows = writing.cast(rows, type_of(keys))
    places = np.arange(count, dtype=np.int64)
    nan = np.isnan(keys) if keys.dtype.kind == "f" else np.zeros(count, dtype=np.bool_)
    found = writing.integers(count)
    if (~nan).any():
        each = writing.apply("Unsqueeze", rows, writing.integers([-1]))
        same = writing.apply("Equal", each, writing.values(keys[~nan]))
        at = writing.apply("Where", same, writing.values(places[~nan]), found)
        writing.types[at] = TensorProto.INT64
        found = writing.apply("ReduceMin", at, writing.integers([-1]), keepdims=0)
    if missing and nan.any():
        found = writing.apply("Where", writing.apply("IsNaN", rows), writing.integers(places[nan][0]), found)
    return found
