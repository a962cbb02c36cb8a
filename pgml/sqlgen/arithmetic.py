"""The numbers of a model, put together: constants folded, and nothing a database would refuse to compute.

Every function takes and returns expressions.  Where a result may overflow, or underflow to 0, an operand is
bounded first; what the bound changes is below or beyond what a double can hold.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

from pgml.sqlgen import ranges
from pgml.sqlgen.expressions import NULL, Expr, literal
from pgml.sqlgen.leaves import of_tree
from pgml.sqlgen.ranges import Range

SMALLEST = -1070.0
"""Logarithm to base 2 of the smallest number that may come out of a product or quotient."""
LARGEST = 1e305
"""What no intermediate result exceeds."""
EXPONENTS = (-708.0, 700.0)
"""Exponents whose powers of e are doubles with all their digits."""
PLAUSIBLE = 1e200
"""Numbers that are larger come of no data, so that it does not matter what they are taken for."""
LARGEST_SINGLE, LEAST_SINGLE = float(2.0**128 - 2.0**104), -149.0
"""The largest float32, and the logarithm to base 2 of the smallest."""
FLUSHED = 2.0**-480
"""What is smaller is taken for 0 before it is multiplied with something as small."""


def add(*terms: Expr) -> Expr:
    """Return a sum, from left to right, its constants first."""
    constants = [term.value for term in terms if term.is_literal and term.value is not None]
    rest = [term for term in terms if not term.is_literal]
    if len(rest) + len(constants) < len(terms):
        return NULL
    constant = math.fsum(constants)
    if constant or not rest:
        rest.insert(0, literal(constant))
    if len(rest) == 1:
        return rest[0]
    if len(rest) == 2 and constant and rest[1].op == "tree":
        return of_tree(rest[1], lambda leaves: constant + leaves)
    return _made("sum", rest, ranges.of_sum([term.range for term in rest]))


def subtract(one: Expr, other: Expr) -> Expr:
    """Return one - other."""
    if other.is_literal:
        return one if other.value == 0 else _folded(lambda a, b: a - b, "difference", one, other)
    if one.is_literal and one.value == 0:
        return negative(other)
    return _folded(lambda a, b: a - b, "difference", one, other)


def negative(one: Expr) -> Expr:
    """Return -one."""
    if one.is_literal:
        return NULL if one.value is None else literal(-one.value)
    if one.op == "negative":
        return one.args[0]
    held = one.range
    return _made("negative", [one], Range(-held.high, -held.low, held.least, held.grain))


def multiply(one: Expr, other: Expr) -> Expr:
    """Return a product, a constant first."""
    one, other = (other, one) if other.is_literal else (one, other)
    if one.is_literal and other.is_literal:
        return NULL if None in (one.value, other.value) else literal(one.value * other.value)
    if one.is_literal:
        if one.value is None:
            return NULL
        if one.value in (1.0, -1.0):
            return other if one.value == 1 else negative(other)
        if one.value == 0:
            return literal(0.0) if not other.nullable else case(missing(other), NULL, literal(0.0))
        if other.op == "tree":
            return of_tree(other, lambda leaves: one.value * leaves)
    one, other = _not_too_large(one, other)
    one, other = _not_too_small(one, other)
    return _made("product", [one, other], ranges.of_product(one.range, other.range))


def divide(one: Expr, other: Expr) -> Expr:
    """Return a quotient; NULL where the divisor is 0."""
    if other.is_literal:
        if not other.value:
            return NULL
        if one.is_literal:
            return NULL if one.value is None else literal(one.value / other.value)
        if other.value == 1 or one.op == "tree":
            return of_tree(one, lambda leaves: leaves / other.value) if one.op == "tree" else one
    elif other.range.low <= 0 <= other.range.high:
        other = case(equal(other, literal(0.0)), NULL, other)
    if one.range.least - _log2(other.range.size) < SMALLEST:
        one = flushed(one, SMALLEST + _log2(other.range.size)) if other.is_literal else flushed(one)
    smallest = min(1.0, other.range.smallest)
    most = LARGEST * smallest
    if one.range.size > most:
        one = bounded(one, -most, most) if most > PLAUSIBLE or other.is_literal else _within(one, other)
    return _made("quotient", [one, other], ranges.of_quotient(one.range, other.range))


def exp(one: Expr) -> Expr:
    """Return e to a power; 0 and the largest where the power is beyond what doubles hold."""
    if one.is_literal:
        return NULL if one.value is None else literal(math.exp(min(max(one.value, -745.0), EXPONENTS[1])))
    low, high = EXPONENTS
    held = one.range
    inner = bounded(one, -math.inf, high) if held.high > high else one
    top = math.exp(min(held.high, high))
    if held.low >= low:
        return _made("exp", [inner], ranges.of_size(math.exp(held.low), top, held.low / math.log(2) - 1))
    powered = _made("exp", [inner], ranges.of_size(math.exp(low), top, low / math.log(2) - 1))
    small = literal(0.0)
    return case(less(one, literal(low)), small, powered)


def ln(one: Expr) -> Expr:
    """Return the natural logarithm; NULL where there is none."""
    if one.is_literal:
        return literal(math.log(one.value)) if one.value and one.value > 0 else NULL
    held = one.range
    low = math.log(held.low) if held.low > 0 else -745.0
    taken = _made("ln", [one], ranges.of_size(low, math.log(max(held.high, 1.0)), -60.0))
    return taken if held.low > 0 else case(less(literal(0.0), one), taken, NULL)


def sqrt(one: Expr) -> Expr:
    """Return the square root; NULL of what is below 0."""
    if one.is_literal:
        return literal(math.sqrt(one.value)) if one.value is not None and one.value >= 0 else NULL
    held = one.range
    taken = _made(
        "sqrt",
        [one],
        ranges.of_size(math.sqrt(max(held.low, 0)), math.sqrt(max(held.high, 0)), held.least / 2),
    )
    return taken if held.low >= 0 else case(less(one, literal(0.0)), NULL, taken)


def power(one: Expr, exponent: float) -> Expr:
    """Return a power with a constant exponent; NULL where it is no real number."""
    if one.is_literal:
        if one.value is None or (one.value < 0 and exponent != int(exponent)):
            return NULL
        return literal(one.value**exponent) if one.value or exponent > 0 else NULL
    if exponent == int(exponent) and 1 <= exponent <= 8:
        return reduce(multiply, [one] * int(exponent))
    if exponent == 0.5:
        return sqrt(one)
    if exponent in (0.0, -1.0):
        return literal(1.0) if exponent == 0 else divide(literal(1.0), one)
    sized = exp(multiply(literal(exponent), ln(absolute(one))))
    if exponent > 0:
        sized = case(equal(one, literal(0.0)), literal(0.0), sized)
    if one.range.low >= 0:
        return sized
    if exponent == int(exponent):
        odd = int(exponent) % 2 == 1
        return case(less(one, literal(0.0)), negative(sized), sized) if odd else sized
    return case(less(one, literal(0.0)), NULL, sized)


def raised(base: float, exponent: Expr) -> Expr:
    """Return a constant above 0 to a power, not by ``exp``: so it is the same double as in the graph."""
    size = math.log2(base)
    if exponent.is_literal or size == 0:
        return exp(multiply(literal(math.log(base)), exponent))
    ends = sorted((-1021 / size, 996 / size))
    inner = bounded(exponent, *ends)
    held = inner.range
    most, least = sorted((held.low * size, held.high * size), reverse=True)
    found = _made("power", [literal(base), inner], ranges.of_size(2.0**least, 2.0**most, least - 1))
    low, high = exponent.range.low * size, exponent.range.high * size
    if min(low, high) >= -1021:
        return found
    small = less(exponent, literal(ends[0])) if size > 0 else less(literal(ends[1]), exponent)
    return case(small, literal(0.0), found)


def absolute(one: Expr) -> Expr:
    """Return the magnitude."""
    if one.is_literal:
        return NULL if one.value is None else literal(abs(one.value))
    if one.range.low >= 0:
        return one
    held = one.range
    low = 0.0 if held.high > 0 else -held.high
    return _made("abs", [one], Range(low, held.size, held.least, held.grain))


def floor(one: Expr) -> Expr:
    """Return the largest whole number that is not larger."""
    if one.is_literal:
        return NULL if one.value is None else literal(math.floor(one.value))
    return _made("floor", [one], Range(one.range.low - 1, one.range.high, 0.0, 0.0))


def sine(one: Expr) -> Expr:
    """Return the sine of radians."""
    return _made("sin", [one], ranges.of_size(-1.0, 1.0, ranges.LEAST))


def cosine(one: Expr) -> Expr:
    """Return the cosine of radians."""
    return _made("cos", [one], ranges.of_size(-1.0, 1.0, ranges.LEAST))


def single(one: Expr) -> Expr:
    """Return a number rounded to float32, one that is too large for it as the largest, one too small as 0."""
    if one.is_literal or (one.range.grain >= -149 and one.range.size <= 2.0**24 * 2.0**one.range.grain):
        return one
    held = flushed(bounded(one, -LARGEST_SINGLE, LARGEST_SINGLE), LEAST_SINGLE)
    return _made("single", [held], held.range)


def minimum(*terms: Expr) -> Expr:
    """Return the least; NULL if any is."""
    return _extreme("least", min, terms)


def maximum(*terms: Expr) -> Expr:
    """Return the greatest; NULL if any is."""
    return _extreme("greatest", max, terms)


def bounded(one: Expr, low: float, high: float) -> Expr:
    """Return a number, those outside of the bounds as the bound."""
    if one.nullable and not one.is_literal:
        ends = [less(one, literal(low)), literal(low)] if one.range.low < low else []
        ends += [less(literal(high), one), literal(high)] if one.range.high > high else []
        return known(case(*ends, one), low, high) if ends else one
    taken = one
    if one.range.high > high:
        taken = minimum(taken, literal(high))
    return maximum(taken, literal(low)) if one.range.low < low else taken


def flushed(one: Expr, least: float = math.log2(FLUSHED)) -> Expr:
    """Return a number, those smaller than a power of two as 0."""
    if one.is_literal or one.range.least >= least:
        return one
    known = ranges.of_size(one.range.low, one.range.high, least)
    kept = (less(absolute(one), literal(2.0**least)), literal(0.0), one)
    return Expr("case", kept, range=known, nullable=one.nullable, bound=one.bound)


def known(one: Expr, low: float, high: float) -> Expr:
    """Return an expression of which the bounds are known otherwise than by its operands."""
    held = one.range
    return replace(one, range=Range(max(held.low, low), min(held.high, high), held.least, held.grain))


def less(one: Expr, other: Expr) -> Expr:
    """Return whether one < other."""
    return _compared("<", one, other)


def less_equal(one: Expr, other: Expr) -> Expr:
    """Return whether one <= other."""
    return _compared("<=", one, other)


def equal(one: Expr, other: Expr) -> Expr:
    """Return whether two numbers or texts are equal."""
    return _compared("=", one, other)


def among(one: Expr, values: Sequence[str | float]) -> Expr:
    """Return whether a text or number is one of these."""
    return Expr("in", (one,), tuple(values), nullable=one.nullable, kind="truth", bound=one.bound)


def both(*conditions: Expr) -> Expr:
    """Return whether all conditions are met."""
    return conditions[0] if len(conditions) == 1 else _truth("and", conditions)


def either(*conditions: Expr) -> Expr:
    """Return whether any condition is met."""
    return conditions[0] if len(conditions) == 1 else _truth("or", conditions)


def inverse(condition: Expr) -> Expr:
    """Return whether a condition is not met; NULL where it is NULL."""
    return _truth("not", (condition,))


def missing(one: Expr) -> Expr:
    """Return whether a value is NULL."""
    return Expr("is null", (one,), kind="truth", bound=one.bound)


def filled(one: Expr, other: Expr) -> Expr:
    """Return a value, or another where it is NULL."""
    if not one.nullable:
        return one
    known = ranges.joined(one.range, other.range)
    bound = one.bound or other.bound
    return Expr("coalesce", (one, other), None, known, other.nullable, one.kind, bound)


def case(*args: Expr) -> Expr:
    """Return the result of the first condition that is met: condition, result, …, else."""
    results = [*args[1:-1:2], args[-1]]
    kept = [each.range for each in results if not (each.is_literal and each.value is None)]
    known = ranges.joined(*kept) if kept else ranges.ANY
    nullable = any(each.nullable for each in results)
    shown = (each.kind for each in results if each.value is not None or not each.is_literal)
    bound = any(each.bound for each in args)
    return Expr("case", args, None, known, nullable, next(shown, "number"), bound)


def _made(op: str, args: Sequence[Expr], known: Range) -> Expr:
    nullable = any(each.nullable for each in args)
    return Expr(op, tuple(args), None, known, nullable, bound=any(each.bound for each in args))


def _folded(function: Callable[[float, float], float], op: str, one: Expr, other: Expr) -> Expr:
    if one.is_literal and other.is_literal:
        return NULL if None in (one.value, other.value) else literal(function(one.value, other.value))
    if (other.is_literal and other.value is None) or (one.is_literal and one.value is None):
        return NULL
    held = other.range
    turned = Range(-held.high, -held.low, held.least, held.grain)
    return _made(op, [one, other], ranges.of_sum([one.range, turned]))


def _extreme(op: str, choose: Callable[..., float], terms: Sequence[Expr]) -> Expr:
    constants = [term.value for term in terms if term.is_literal]
    rest = [term for term in terms if not term.is_literal]
    if None in constants:
        return NULL
    if constants:
        rest.append(literal(choose(constants)))
    if len(rest) == 1:
        return rest[0]
    parts = [term.range for term in rest]
    least, grain = min(part.least for part in parts), min(part.grain for part in parts)
    known = Range(choose(part.low for part in parts), choose(part.high for part in parts), least, grain)
    found = _made(op, rest, known)
    absent = [term for term in rest if term.nullable]
    return case(either(*map(missing, absent)), NULL, found) if absent else found


def _compared(op: str, one: Expr, other: Expr) -> Expr:
    nullable = one.nullable or other.nullable
    return Expr(op, (one, other), nullable=nullable, kind="truth", bound=one.bound or other.bound)


def _truth(op: str, conditions: Sequence[Expr]) -> Expr:
    nullable = any(each.nullable for each in conditions)
    bound = any(each.bound for each in conditions)
    return Expr(op, tuple(conditions), nullable=nullable, kind="truth", bound=bound)


def _not_too_large(one: Expr, other: Expr) -> tuple[Expr, Expr]:
    """Return the factors of a product, bounded so that it does not overflow."""
    if one.range.size * other.range.size <= LARGEST:
        return one, other
    if one.is_literal:
        most = LARGEST / abs(one.value)
        return one, bounded(other, -most, most)
    most = math.sqrt(LARGEST)
    same = one is other
    one = bounded(one, -most, most) if one.range.size > most else one
    other = one if same else (bounded(other, -most, most) if other.range.size > most else other)
    if one.range.size * other.range.size <= LARGEST:
        return one, other
    return one, bounded(other, -LARGEST / one.range.size, LARGEST / one.range.size)


def _not_too_small(one: Expr, other: Expr) -> tuple[Expr, Expr]:
    """Return the factors of a product, tiny ones as 0 where it could underflow."""
    if one.range.least + other.range.least >= SMALLEST:
        return one, other
    if one.is_literal:
        return one, flushed(other, SMALLEST - one.range.least)
    if one is other:
        alone = flushed(one)
        return alone, alone
    return flushed(one), flushed(other)


def _within(one: Expr, other: Expr) -> Expr:
    """Return a dividend, bounded so that the quotient does not overflow, however small the divisor is."""
    held = other.range
    size = Range(0.0, min(held.size, 1.0), held.least, held.grain)
    least = Expr("least", (absolute(other), literal(1.0)), None, size, other.nullable, bound=other.bound)
    most = multiply(literal(LARGEST), least)
    return maximum(minimum(one, most), negative(most))


def _log2(size: float) -> float:
    return math.log2(size) if 0 < size < math.inf else 1024.0
