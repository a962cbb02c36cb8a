"""The curves that activations are made of, each to the last digits of a double.

What bends near 0 is computed there without a difference of numbers that are almost equal, and operands are
bounded where the curve is flat in a double anyway, so that no database overflows.
"""

import math
from dataclasses import replace

from pgml.sqlgen import arithmetic, ranges
from pgml.sqlgen.expressions import Expr, literal

ONE, ZERO = literal(1.0), literal(0.0)
FLAT = 20.0
"""Beyond it the hyperbolic tangent is 1 in a double."""
STEEP = 700.0
"""Beyond it the exponential is at the end of what doubles hold."""
TINY = 2.0**-30
"""Below it the square of a number does not show beside 1."""
_TANH = (
    (-0.964399179425052238628, -99.2877231001918586564, -1614.68768441708447952),
    (1.0, 112.811678491632931402, 2235.48839060100448583, 4844.06305325125486048),
)
"""Of (tanh(x) - x) / x ** 3 below 0.625 as a quotient of polynomials of the square, the highest power first;
these and those of erf are from S. L. Moshier's Cephes library."""
_ERF = (
    (9.604973739870516, 90.02601972038427, 2232.005345946843, 7003.325141128051, 55592.30130103949),
    (1.0, 33.56171416475031, 521.3579497801527, 4594.323829709801, 22629.000061389095, 49267.39426086359),
)
"""Of erf(x) / x below 1, of the square."""
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


def bent(one: Expr) -> Expr:
    """Return the operand of `tanh`, bounded."""
    return arithmetic.bounded(one, -FLAT, FLAT)


def tanh(one: Expr, least: float = -math.inf) -> Expr:
    """Return the hyperbolic tangent of what `bent` gives; 0 where it is smaller than ``2 ** least``."""
    raised = arithmetic.exp(arithmetic.multiply(literal(2.0), one))
    far = arithmetic.subtract(ONE, arithmetic.divide(literal(2.0), arithmetic.add(ONE, raised)))
    bend = arithmetic.multiply(_square(one), _ratio(one, _TANH, squared=True))
    near = arithmetic.multiply(one, arithmetic.add(ONE, bend))
    found = arithmetic.case(*_tiny(one, one, least), _below(one, 0.625), near, far)
    return _ranged(found, -1.0, 1.0, max(one.range.least - 1, least - 1))


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
        arithmetic.subtract(raised, ONE), arithmetic.known(arithmetic.ln(raised), -40.0, -(2.0**-54))
    )
    found = arithmetic.case(arithmetic.equal(raised, ONE), one, arithmetic.multiply(one, slope))
    return _ranged(found, -1.0, 0.0, one.range.least - 1)


def log1p(one: Expr) -> Expr:
    """Return ln(1 + x) of a number between 0 and 1."""
    above = arithmetic.add(ONE, one)
    rest = arithmetic.known(arithmetic.subtract(above, ONE), 2.0**-53, 1.0)
    slope = arithmetic.divide(arithmetic.known(arithmetic.ln(above), 2.0**-53, 1.0), rest)
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


def _tiny(one: Expr, result: Expr, least: float = -math.inf) -> tuple[Expr, ...]:
    """Return the first conditions of a case, which leave no number to the others whose square underflows."""
    if one.range.least > -256:
        return ()
    zero = (_below(one, 2.0**least), ZERO) if one.range.least < least else ()
    return (*zero, _below(one, TINY), result)


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
