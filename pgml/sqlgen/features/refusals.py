"""Rows that `pgml.predict` refuses: a statement cannot raise an error for one row, so its answer is NULL."""

from collections.abc import Iterator, Mapping, Sequence

from pgml.columns import Column
from pgml.preprocessing import Encoder, Encoding, OrdinalEncoding
from pgml.preprocessing.marks import MarkedEncoding
from pgml.sqlgen import arithmetic
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Doubt, Expr, Feature
from pgml.sqlgen.features.columns import ENDLESS, of_column

_BARE: Mapping[str, int] = {
    **dict.fromkeys(("sum", "difference", "product", "negative", "element"), 9**9),
    "quotient": 1,
    "coalesce": 1,
}
"""Operators that an infinite operand makes infinite or NaN, and how many of their operands do."""


def refusal(encoder: Encoder, outputs: Sequence[Expr], *, null: bool, shown: bool) -> Expr | None:
    """Return whether a row is refused, None where none can be.

    So is one with what its column's type cannot hold, an array of another length than in training, an
    infinite number, or a missing value where the plan calls that an error.  Columns that the outputs do not
    depend on are not looked at.

    Parameters
    ----------
    encoder : Encoder
    outputs : sequence of Expr
        Of the graph.
    null : bool
        Any missing value refuses a row.
    shown : bool
        The outputs are the answer itself, so that an infinite one tells of an infinite number.
    """
    read = {each.name for each in _columns(outputs, bare=False)}
    bare = {each.name for each in _columns(outputs, bare=True)} if shown else set()
    found: list[Expr] = []
    for encoding in encoder.encodings:
        name = encoding.column.name
        wanted = null or encoding.missing == "refuse"
        if wanted or name in read:
            infinite = encoding.column.type in ENDLESS and name not in bare
            found += _conditions(encoding, null=wanted, infinite=infinite)
    return Expr("refused", tuple(found), kind="truth", nullable=True) if found else None


def within(outputs: Mapping[str, Expr], dialect: Dialect) -> dict[str, Expr]:
    """Return outputs without refusals that nothing in a dialect can cause."""
    return {name: expr.args[2] if _is_idle(expr, dialect) else expr for name, expr in outputs.items()}


def _is_idle(expr: Expr, dialect: Dialect) -> bool:
    if expr.op != "case" or expr.args[0].op != "refused":
        return False
    conditions = expr.args[0].args
    return all(each.op == "unusable" and not dialect.unusable(each.value, "") for each in conditions)


def _conditions(encoding: Encoding, *, null: bool, infinite: bool) -> Iterator[Expr]:
    column = encoding.column
    is_array = column.kind.shape == "array"
    doubt = Doubt(Feature(column), null=null and not is_array, infinite=infinite)
    if doubt.null or not column.is_category:
        yield Expr("unusable", value=doubt, kind="truth")
    if null and is_array:
        yield from map(arithmetic.missing, of_column(column))
    own = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
    if isinstance(own, OrdinalEncoding) and encoding.missing == "refuse":
        yield arithmetic.inverse(arithmetic.among(of_column(column)[0], own.categories))


def _columns(outputs: Sequence[Expr], *, bare: bool) -> set[Column]:
    """Return the columns that outputs are made of, or only those whose infinity each of them shows."""
    stack = list(outputs)
    seen: set[int] = set()
    found: set[Column] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.op == "column":
            found.add(node.value.column)
        stack += node.args[: _BARE.get(node.op, 0)] if bare else node.args
    return found
