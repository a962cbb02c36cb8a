"""Products of matrices, one of which is known."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.tensors import (
    Array,
    Reading,
    Tensor,
    Value,
    constant,
    elementwise,
    entry,
    lifted,
    rounded,
)


def _matmul(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    one, other = inputs
    return [product(one, other, reading)]


def product(one: Value, other: Value, reading: Reading) -> Tensor:
    """Return the matrix product of a tensor and constants, in either order, or of two tensors."""
    if isinstance(one, Tensor) and one.table is not None and one.axis == one.values.ndim - 1:
        from pgml.sqlgen.operators.reductions import over_table

        return over_table(one, constant(other, _MATMUL))
    if isinstance(one, Tensor) and not isinstance(other, Tensor) and other.ndim == 2:
        if reading.in_table(other.shape[1]):
            return _to_points(reading.tame(one), other, reading)
        return Tensor(_rows_by(rounded(one).values, other))
    left, right = lifted(one), lifted(other)
    found = np.empty(
        (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1]), object
    )
    for at in np.ndindex(found.shape):
        row = left[(*at[: left.ndim - 2], at[-2])]
        column = right[(*at[: right.ndim - 2], slice(None), at[-1])]
        found[at] = dot(row, column)
    return Tensor(found)


def dot(row: Array, column: Array) -> Expr:
    """Return the sum of products of two vectors of expressions."""
    return arithmetic.add(*(arithmetic.multiply(b, a) for a, b in zip(row, column, strict=True)))


def weighted(row: Sequence[Expr] | Array, weights: Sequence[float] | Array) -> Expr:
    """Return the sum of a vector of expressions, each times a number."""
    return arithmetic.add(*(arithmetic.multiply(literal(w), x) for x, w in zip(row, weights, strict=True)))


def held(one: Expr, weights: Array, terms: int) -> Expr:
    """Return a number of which no product with the weights, and no sum of so many, leaves what doubles hold.

    Otherwise each product would be bounded by itself, and the number no longer be the same one in all.
    """
    sizes = np.abs(weights[weights != 0])
    if one.is_literal or not sizes.size:
        return one
    largest = float(sizes.max())
    if one.range.size * largest > arithmetic.LARGEST / terms:
        most = arithmetic.LARGEST / terms / largest
        one = arithmetic.bounded(one, -most, most)
    small = one.range.least + float(np.log2(sizes.min())) < arithmetic.SMALLEST
    return arithmetic.flushed(one) if small else one


def by_columns(row: Sequence[Expr] | Array, weights: Array) -> list[Expr]:
    """Return the product of a row and a matrix of numbers."""
    given = [held(one, by, len(weights)) for one, by in zip(row, weights, strict=True)]
    return [weighted(given, weights[:, column]) for column in range(weights.shape[1])]


def _rows_by(values: Array, weights: Array) -> Array:
    found = np.empty((*values.shape[:-1], weights.shape[1]), dtype=object)
    for at in np.ndindex(values.shape[:-1]):
        found[at] = by_columns(values[at], weights)
    return found


def _to_points(tensor: Tensor, weights: Array, reading: Reading) -> Tensor:
    """Return the products with very many columns of constants, as one expression over a table of them."""
    table = reading.points(weights.shape[1])
    columns = np.array([entry(table, row) for row in weights], dtype=object)
    found = np.empty((*tensor.values.shape[:-1], 1), dtype=object)
    for at in np.ndindex(tensor.values.shape[:-1]):
        found[(*at, 0)] = dot(tensor.values[at], columns)
    return Tensor(found, table=table, axis=found.ndim - 1)


def _gemm(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    one, other = inputs[:2]
    if node.get("transA", 0):
        one = Tensor(one.values.T, one.single) if isinstance(one, Tensor) else one.T
    if node.get("transB", 0):
        other = Tensor(other.values.T, other.single) if isinstance(other, Tensor) else other.T
    if not isinstance(other, Tensor):
        other = other * node.get("alpha", 1.0)
        found = product(one, other, reading)
    else:
        alpha = literal(node.get("alpha", 1.0))
        found = elementwise(lambda each: arithmetic.multiply(alpha, each), product(one, other, reading))
    if len(inputs) > 2 and inputs[2] is not None:
        added: Any = inputs[2]
        beta = literal(node.get("beta", 1.0))
        found = elementwise(lambda a, b: arithmetic.add(a, arithmetic.multiply(beta, b)), found, added)
    return [found]


def _einsum(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    equation = node.get("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    if "..." in equation or len(inputs) > 2:
        raise node.refused("equation")
    parts, arrays = left.split(","), [lifted(each) for each in inputs]
    sizes = dict(zip("".join(parts), (size for each in arrays for size in each.shape), strict=True))
    if not arrow:
        right = "".join(sorted(name for name in sizes if left.count(name) == 1))
    summed = [name for name in sizes if name not in right]
    found = np.empty([sizes[name] for name in right], dtype=object)
    for at in np.ndindex(found.shape):
        terms = []
        for rest in np.ndindex(*[sizes[name] for name in summed]):
            place = dict(zip([*right, *summed], [*at, *rest], strict=True))
            picked = [
                each[tuple(place[name] for name in part)] for part, each in zip(parts, arrays, strict=True)
            ]
            terms.append(reduce(arithmetic.multiply, picked))
        found[at] = arithmetic.add(*terms)
    return [Tensor(found)]


_MATMUL = Node("MatMul", "", {}, 1)
OPERATORS: Mapping[str, Any] = {"Einsum": _einsum, "Gemm": _gemm, "MatMul": _matmul}
