"""What is known of a number before any row is seen: between which bounds it lies, and how small it gets.

PostgreSQL and MySQL raise an error where a product or an exponential overflows, PostgreSQL also where one
underflows to 0.  A compiled model must not, so every expression carries its range, and the few that could
are bounded first; see `pgml.sqlgen.arithmetic`.
"""

import math
from dataclasses import dataclass

MOST = 1e300
"""Numbers of a feature are taken to be smaller; beyond it the database may say that they overflow."""
DIGITS = 52
"""Bits of a double after its first."""
LEAST = -1000.0
"""Powers of two below which a feature's numbers are taken for 0 or never come."""


@dataclass(frozen=True, slots=True)
class Range:
    """Of a number, where it is not NULL.

    Attributes
    ----------
    low, high : float
    least : float
        Logarithm to base 2 of the smallest magnitude it has beside 0.
    grain : float
        Logarithm to base 2 of a power of two that it is always a multiple of.
    """

    low: float
    high: float
    least: float
    grain: float

    @property
    def size(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    @property
    def smallest(self) -> float:
        """The smallest magnitude beside 0."""
        return float(max(self.low, -self.high, 2.0 ** max(self.least, -1074.0)))


def of_literal(value: float) -> Range:
    """Return the range of one number."""
    if value == 0:
        return Range(0.0, 0.0, 0.0, 0.0)
    numerator, denominator = value.as_integer_ratio()
    grain = (numerator & -numerator).bit_length() - denominator.bit_length()
    return Range(value, value, math.log2(abs(value)), float(grain))


def of_size(low: float, high: float, least: float) -> Range:
    """Return the range of a double between bounds, whose smallest magnitude is ``2 ** least``."""
    return Range(low, high, least, least - DIGITS)


INDICATOR = Range(0.0, 1.0, 0.0, 0.0)
ANY = of_size(-MOST, MOST, LEAST)


def joined(*ranges: Range) -> Range:
    """Return the range of a number that is of one of these."""
    return Range(
        min(each.low for each in ranges),
        max(each.high for each in ranges),
        min(each.least for each in ranges),
        min(each.grain for each in ranges),
    )


def of_sum(ranges: list[Range]) -> Range:
    """Return the range of a sum.

    A difference of doubles is 0 or at least the grain they share.  One constant summand keeps it larger:
    what is not equal to the constant differs from it by half its last digit or more.
    """
    low, high = sum(each.low for each in ranges), sum(each.high for each in ranges)
    least = grain = min(each.grain for each in ranges)
    constant = [each for each in ranges if each.low == each.high != 0]
    if len(ranges) == 2 and constant:
        least = max(least, constant[0].least - DIGITS - 2)
        grain = max(grain, least - DIGITS)
    return Range(low, high, least, grain)


def of_product(one: Range, other: Range) -> Range:
    """Return the range of a product."""
    ends = [a * b for a in (one.low, one.high) for b in (other.low, other.high)]
    ends = [0.0 if math.isnan(end) else end for end in ends]
    least = one.least + other.least
    return Range(min(ends), max(ends), least, max(one.grain + other.grain, least - DIGITS))


def of_quotient(one: Range, other: Range) -> Range:
    """Return the range of a quotient by what is never 0."""
    least = one.least - _log2(other.size)
    if other.low <= 0 <= other.high:
        most = one.size / 2.0**other.least if other.least > -1000 else math.inf
        return of_size(-most, most, least)
    ends = [a / b for a in (one.low, one.high) for b in (other.low, other.high)]
    return of_size(min(ends), max(ends), least)


def _log2(size: float) -> float:
    return math.log2(size) if 0 < size < math.inf else 1024.0
