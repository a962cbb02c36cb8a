"""Logarithms and powers of numbers near 0 and 1, which ONNX has not, to their last digits but a few."""

import numpy as np
import numpy.typing as npt

from pgml.exchange.onnx.writing.sheet import Sheet

Floats = npt.NDArray[np.float64]


def yeo_johnson(sheet: Sheet, values: str, exponent: Floats) -> str:
    """Return Yeo and Johnson's curve, as `pgml.preprocessing.scaling.yeo_johnson`.

    Parameters
    ----------
    sheet : Sheet
    values : str
        Float64 of shape (rows, numbers).
    exponent : float64 array of shape (numbers,)
    """
    if (exponent == 1).all():
        return values
    below = sheet.apply("Less", values, sheet.constant(0.0))
    power = sheet.chosen(below, sheet.constant(2.0 - exponent), sheet.constant(exponent))
    logarithm = log1p(sheet, sheet.apply("Abs", values))
    bent = sheet.apply("Div", expm1(sheet, sheet.apply("Mul", power, logarithm)), power)
    if np.isin(exponent, (0.0, 2.0)).any():
        bent = sheet.chosen(sheet.apply("Equal", power, sheet.constant(0.0)), logarithm, bent)
    bent = sheet.chosen(below, sheet.apply("Neg", bent), bent)
    if (exponent == 1).any():
        bent = sheet.chosen(sheet.array(exponent == 1), values, bent)
    return bent


def log1p(sheet: Sheet, value: str) -> str:
    """Return ln(1 + x) of x >= 0: what 1 + x loses of x is made good."""
    one = sheet.constant(1.0)
    raised = sheet.apply("Add", one, value)
    lost = sheet.apply("Sub", sheet.apply("Sub", raised, one), value)
    return sheet.apply("Sub", sheet.apply("Log", raised), sheet.apply("Div", lost, raised))


def expm1(sheet: Sheet, value: str) -> str:
    """Return exp(x) - 1: near 0, by how much the power is rounded is made good."""
    one = sheet.constant(1.0)
    raised = sheet.apply("Exp", value)
    less = sheet.apply("Sub", raised, one)
    missed = sheet.apply("Mul", raised, sheet.apply("Sub", value, sheet.apply("Log", raised)))
    near = sheet.apply("Less", sheet.apply("Abs", value), one)
    return sheet.chosen(near, sheet.apply("Add", less, missed), less)
