"""How a column of numbers is moved and stretched: (value - center) / scale, and two curves."""

import warnings

import numpy as np

from pgml.preprocessing.base import MOST, Floats, within

FAR = 8
"""A column that many times its own range away from 0 is moved there for float32, which has 24 bits."""
MOST_QUANTILES = 1000
LINEAR = ("preserve", "standard", "min_max", "max_abs", "robust")
"""The scales that are one subtraction and one division."""
Line = tuple[float, float]
"""What is taken from a value, and what it is then divided by."""


def line(values: Floats, how: str, dtype: str) -> Line:
    """Return center and scale of one column.

    Parameters
    ----------
    values : float64 array of shape (rows,)
        Without NaN.
    how : str
        One of `LINEAR`.
    dtype : str
        Of the matrix: for float32 a column left as it is may have to be moved.
    """
    if values.size == 0:
        return 0.0, 1.0
    if how == "preserve":
        middle = float(np.median(values))
        return (middle, 1.0) if dtype == "float32" and _is_far(values, middle) else (0.0, 1.0)
    if how == "standard":
        return _standard(values)
    if how == "max_abs":
        return 0.0, float(np.abs(values).max()) or 1.0
    if how == "min_max":
        return float(values.min()), _spread(float(values.min()), float(values.max()))
    low, middle, high = (float(each) for each in np.percentile(values, [25, 50, 75]))
    return middle, _spread(low, high)


def _standard(values: Floats) -> Line:
    center, scale = _moments(values)
    # The computed mean of equal numbers is a rounding off, and so is their deviation.
    if scale <= 10 * np.finfo(np.float64).eps * abs(center):
        return float(np.median(values)), 1.0
    return center, scale


def _spread(low: float, high: float) -> float:
    return min(high - low, MOST) or 1.0


def _moments(values: Floats) -> Line:
    """Return mean and standard deviation, computed at a power of two of the size: squares may overflow."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    scaled = np.ldexp(values, -exponent)
    return float(np.ldexp(scaled.mean(), exponent)), float(np.ldexp(scaled.std(), exponent))


def mean(values: Floats) -> float:
    """Return the mean of numbers however large."""
    return _moments(values)[0]


def _is_far(values: Floats, middle: float) -> bool:
    """Return whether values lie so far from 0 that float32 wastes digits on that, as with epoch seconds."""
    if abs(middle) <= FAR * float(np.abs(values - middle).max()):
        return False
    return bool((within(values, "float32") != values).any())


def power(values: Floats) -> float:
    """Return the exponent that makes values most like a normal distribution by Yeo-Johnson's curve."""
    from sklearn.preprocessing import PowerTransformer

    if values.size == 0 or np.ptp(values) == 0:
        return 1.0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = float(PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0])
        curved = yeo_johnson(values, found) if np.isfinite(found) else values
        usable = np.isfinite(curved).all() and curved.std() > 1e-9 * np.abs(curved).max()
    return found if usable else 1.0


def yeo_johnson(values: Floats, exponent: float) -> Floats:
    """Return Yeo and Johnson's curve of the values (Biometrika 87, 2000); NaN stays."""
    if exponent == 1:
        # A straight line, of which logarithms would round the last digits of numbers far from 0.
        return values
    large, small = np.maximum(values, 0.0), np.minimum(values, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        above = np.log1p(large) if exponent == 0 else np.expm1(exponent * np.log1p(large)) / exponent
        rest = 2.0 - exponent
        below = np.log1p(-small) if rest == 0 else np.expm1(rest * np.log1p(-small)) / rest
    return np.where(values < 0, -below, above)


def quantiles(values: Floats) -> tuple[float, ...]:
    """Return at most `MOST_QUANTILES` evenly spaced quantiles, from the least value to the greatest."""
    if values.size == 0:
        return (0.0,)
    shares = np.linspace(0, 1, min(MOST_QUANTILES, values.size)) * 100
    # Interpolation may make one of two equal quantiles a rounding smaller.
    return tuple(np.maximum.accumulate(np.percentile(values, shares)).tolist())


def ranks(values: Floats, knots: Floats) -> Floats:
    """Return where values stand between quantiles, from 0 to 1; a value of several is in their middle."""
    steps = np.linspace(0, 1, knots.size)
    found = 0.5 * (np.interp(values, knots, steps) - np.interp(-values, -knots[::-1], -steps[::-1]))
    found[values == knots[-1]] = 1.0
    found[values == knots[0]] = 0.0
    return np.where(np.isnan(values), np.nan, found)
