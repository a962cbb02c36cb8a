"""The curves that activations are made of, each to the last digits of a double.

What bends near 0 is computed there without a difference of numbers that are almost equal, and operands are
bounded where the curve is flat in a double anyway, so that no database overflows.
"""

import math
from dataclasses import replace

from pgml.sqlgen import arithmetic, ranges
from pgml.sqlgen.expressions import NULL, Expr, literal

ONE, ZERO = literal(1.0), literal(0.0)
STEEP = 700.0
"""Beyond it the exponential is at the end of what doubles hold."""
TINY = 2.0**-30
"""Below it the square of a number does not show beside 1."""
_ERF = (
    (9.604973739870516, 90.02601972038427, 2232.005345946843, 7003.325141128051, 55592.30130103949),
    (1.0, 33.56171416475031, 521.3579497801527, 4594.323829709801, 22629.000061389095, 49267.39426086359),
)
"""Of erf(x) / x below 1: a quotient of polynomials of the square, the highest power first; from Cephes, the
library of S. L. Moshier, as the next."""
_ERFC = (
    (
        *(2.461969814735305e-10, 0.5641895648310689, 7.463210564422699, 48.63719709856814, 196.5208329560771),
        *(526.4451949954773, 934.5285271719576, 1027.5518868951572, 557.5353353693994),
    ),
    (
        *(1.0, 13.228195115474499, 86.70721408859897, 354.9377788878199, 975.7085017432055),
        *(1823.9091668790973, 2246.3376081871097, 1656.6630919416134, 557.5353408177277),
    ),
)
"""Of (1 - erf(x)) * exp(x ** 2) between 1 and 8, of x."""


def tanh(one: Expr) -> Expr:
    """Return the hyperbolic tangent."""
    if one.is_literal:
        return NULL if one.value is None else literal(math.tanh(one.value))
    held = one.range
    known = ranges.of_size(math.tanh(held.low), math.tanh(held.high), held.least - 1)
    return Expr("tanh", (one,), None, known, one.nullable, bound=one.bound)


def steep(one: Expr) -> Expr:
    """Return the operand of `sigmoid`, bounded."""
    return arithmetic.bounded(one, -STEEP, STEEP)


def sigmoid(one: Expr) -> Expr:
    """Return 1 / (1 + exp(-x)) of what `steep` gives."""
    return arithmetic.divide(ONE, arithmetic.add(ONE, arithmetic.exp(arithmetic.negative(one))))


def expm1(one: Expr) -> Expr:
    """Return exp(x) - 1 of a number between -40 and 0."""
    raised = arithmetic.exp(one)
    # W. Kahan's: the error of exp cancels in the quotient.
    slope = arithmetic.divide(
        arithmetic.subtract(raised, ONE), _ranged(arithmetic.ln(raised), -40.0, -(2.0**-54), -54.0)
    )
    found = arithmetic.case(arithmetic.equal(raised, ONE), one, arithmetic.multiply(one, slope))
    return _ranged(found, -1.0, 0.0, one.range.least - 1)


def log1p(one: Expr) -> Expr:
    """Return ln(1 + x) of a number between 0 and 1."""
    above = arithmetic.add(ONE, one)
    rest = _ranged(arithmetic.subtract(above, ONE), 2.0**-53, 1.0, -53.0)
    slope = arithmetic.divide(_ranged(arithmetic.ln(above), 2.0**-53, 1.0, -53.0), rest)
    found = arithmetic.case(arithmetic.equal(above, ONE), one, arithmetic.multiply(one, slope))
    return _ranged(found, 0.0, 1.0, one.range.least - 1)


def softplus(one: Expr) -> Expr:
    """Return ln(1 + exp(x))."""
    size = arithmetic.bounded(arithmetic.absolute(one), 0.0, STEEP - 10)
    return arithmetic.add(arithmetic.maximum(one, ZERO), log1p(arithmetic.exp(arithmetic.negative(size))))


def erf(one: Expr) -> Expr:
    """Return the error function."""
    held = arithmetic.bounded(one, -6.0, 6.0)
    near = arithmetic.multiply(held, _ratio(held, _ERF, squared=True))
    size = arithmetic.absolute(held)
    rest = arithmetic.exp(arithmetic.negative(arithmetic.multiply(size, size)))
    rest = arithmetic.multiply(rest, _ratio(size, _ERFC, squared=False))
    tiny = _tiny(held, arithmetic.multiply(literal(2 / math.sqrt(math.pi)), held))
    sides = (arithmetic.less(held, ZERO), arithmetic.subtract(rest, ONE), arithmetic.subtract(ONE, rest))
    return _ranged(arithmetic.case(*tiny, _below(held, 1.0), near, *sides), -1.0, 1.0, held.range.least - 1)


def _below(one: Expr, size: float) -> Expr:
    return arithmetic.less(arithmetic.absolute(one), literal(size))


def _tiny(one: Expr, result: Expr) -> tuple[Expr, ...]:
    """Return the first condition of a case, which leaves no number to the others whose square underflows."""
    return (_below(one, TINY), result) if one.range.least <= -256 else ()


def _square(one: Expr) -> Expr:
    """Return the square of what is not tiny: a node of its own each time, so written out and no column."""
    top = one.range.size**2
    return Expr("product", (one, one), None, ranges.of_size(0.0, top, -60.0), one.nullable, bound=one.bound)


def _ratio(one: Expr, polynomials: tuple[tuple[float, ...], tuple[float, ...]], *, squared: bool) -> Expr:
    """Return a quotient of polynomials, of a number or of its square."""
    found = []
    for first, *rest in polynomials:
        value: Expr = literal(first)
        for coefficient in rest:
            power = _square(one) if squared else one
            value = arithmetic.add(arithmetic.multiply(power, value), literal(coefficient))
        found.append(value)
    above, below = found
    return arithmetic.divide(above, arithmetic.known(below, 1.0, math.inf))


def _ranged(one: Expr, low: float, high: float, least: float) -> Expr:
    """Return a new expression with what is known of it otherwise than by its operands."""
    return replace(one, range=ranges.of_size(low, high, least))
