"""Numbers as people read them, and where the ticks of an axis are."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, isfinite, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MINUS = "\u2212"
LARGEST = 1.7e308
"""The end of any axis."""
_SMALL, _LARGE = 1e-4, 1e6


def shown(value: float | None, digits: int = 3) -> str:
    """Return a number in so many significant digits, whole ones below a million in full."""
    if value is None:
        return "none"
    if not isfinite(value):
        return "NaN" if value != value else "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    size = abs(value)
    if not _SMALL <= size < _LARGE:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{_trimmed(mantissa)}e{int(exponent)}"
    elif value == int(value):
        text = f"{int(value):,}"
    else:
        text = _trimmed(f"{value:,.{max(0, digits - 1 - floor(log10(size)))}f}")
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """Return a share of 1 as per cent, with a digit behind the point below ten."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers from at most `low` to at least `high`, about so many.

    Parameters
    ----------
    low, high : float
        Finite, in this order; where they are equal a range around them is taken.
    """
    if low == high:
        around = abs(low) / 2 or 1.0
        low, high = low - around, high + around
    # Halves, as the difference of the largest floats is none.
    step = _step((high / 2 - low / 2) / max(count, 1) * 2)
    if not isfinite(step) or step == 0:
        return [low, high]
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    found = [number * step for number in range(first, last + 1)]
    return [_rounded(each, step) for each in found if isfinite(each)] or [low, high]


def labels(values: Sequence[float]) -> list[str]:
    """Return the labels of ticks, all with as many digits behind the point."""
    size = max(map(abs, values), default=0.0)
    step = min((abs(b - a) for a, b in pairwise(values)), default=size) or 1.0
    if not _SMALL <= size < 1e7 or not isfinite(step):
        return [shown(each) for each in values]
    places = next((places for places in range(10) if _is_whole(step * 10**places)), 10)
    return [f"{each + 0.0:,.{places}f}".replace("-", MINUS) for each in values]


def inner_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers between two others, about so many."""
    return [each for each in ticks(low, high, count) if low <= each <= high] or [low, high]


def padded(low: float, high: float) -> tuple[float, float]:
    """Return ends with a little room around two others, or around one."""
    if low == high:
        around = abs(low) / 2 or 1.0
        return max(low - around, -LARGEST), min(high + around, LARGEST)
    room = (high / 2 - low / 2) * 0.08
    return max(low - room, -LARGEST), min(high + room, LARGEST)


def _step(rough: float) -> float:
    if not isfinite(rough) or rough <= 0:
        return rough
    power = floor(log10(rough))
    if not -300 < power < 300:
        return rough
    return next(each for each in STEPS if each * 10.0**power >= rough * (1 - 1e-9)) * 10.0**power


def _rounded(value: float, step: float) -> float:
    """Return a multiple of a step without the last digits, which products leave."""
    places = ceil(-log10(step)) + 2
    return round(value, places) + 0.0 if abs(places) < 300 else value


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-6 * max(1.0, abs(value))


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
