"""Regression tables: sums of numbers by weights, and what is made of them."""

from collections.abc import Sequence

from pgml.exchange.pmml.elements import Element, Value

Terms = Sequence[tuple[str, float]]
"""Fields with their coefficients."""


def table(terms: Terms, intercept: float, label: str | None = None) -> Element:
    """Return a table, of a label where it is one of classes."""
    inside = [Element("NumericPredictor", {"name": name, "coefficient": weight}) for name, weight in terms]
    return Element("RegressionTable", {"intercept": intercept, "targetCategory": label}, inside)


def model(
    function: str,
    link: str,
    before: Sequence[Element],
    tables: Sequence[Element],
    after: Sequence[Element] = (),
) -> Element:
    """Return a RegressionModel.

    Parameters
    ----------
    function : str
        ``regression`` or ``classification``.
    link : str
        A normalisation method of PMML.
    before, after : sequence of Element
        What comes before the tables, the schema first, and after them.
    """
    given: dict[str, Value] = {"functionName": function, "normalizationMethod": link}
    return Element("RegressionModel", given, [*before, *tables, *after])
