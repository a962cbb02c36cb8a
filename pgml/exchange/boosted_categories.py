"""Columns of categories in files of boosted trees: what a row has there, and the codes that trees ask for.

A column of texts is a code already, as `pgml.preprocessing.CodeEncoding` makes it.  Numbers that stand for
categories are looked up by the graph, and where the file has no list of them they are codes themselves.
Both are appended to the matrix as further columns, which the branches look at that ask for categories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pgml.artifact.graph import Graph
from pgml.errors import MalformedText, NotBuilt, TooLarge
from pgml.exchange.boosters import SAVE_AGAIN

Floats = npt.NDArray[np.float64]
MOST_KNOWN = 10_000
"""Numbers that are looked up in one column; each row is compared with all of them."""


@dataclass(frozen=True)
class Categories:
    """What is known of each feature's categories, by its position.

    Attributes
    ----------
    texts : mapping of int to sequence of str
        In the order of their codes.
    numbers : mapping of int to ndarray
        Likewise, of columns of numbers.
    codes : sequence of int
        Features whose numbers are codes.
    """

    texts: Mapping[int, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[int, Floats] = field(default_factory=dict)
    codes: Sequence[int] = ()

    @property
    def looked_up(self) -> int:
        """How many numbers a row is compared with."""
        return sum(map(len, self.numbers.values()))

    def missing_code(self, feature: int) -> int:
        """Return what `CodeEncoding` makes of a missing text."""
        return len(self.texts[feature]) + 1

    def places(self, width: int) -> dict[int, int]:
        """Return where branches look for the categories of each feature, of a matrix so wide."""
        appended = [*self.codes, *self.numbers]
        own = {feature: feature for feature in self.texts}
        return own | {feature: width + at for at, feature in enumerate(appended)}


def checked_numbers(values: Floats, feature: str) -> Floats:
    """Return the numbers of a column's categories.

    Raises
    ------
    MalformedText
        One comes twice, or is none.
    TooLarge
        They are too many.
    """
    if len(values) > MOST_KNOWN:
        raise TooLarge(
            f'feature "{feature}" has {len(values)} categories that are numbers',
            detail=f"The bound is {MOST_KNOWN}.",
            hint="Give the column to the model as a number, or its categories as texts.",
        )
    if not np.isfinite(values).all() or len(np.unique(values)) < len(values):
        raise MalformedText(f'feature "{feature}" has categories that do not differ', hint=SAVE_AGAIN)
    return values


def checked_texts(values: Sequence[str], feature: str) -> list[str]:
    """Return the texts of a column's categories (MalformedText if one comes twice)."""
    if len(set(values)) < len(values):
        raise MalformedText(f'feature "{feature}" has categories that do not differ', hint=SAVE_AGAIN)
    return list(values)


def mixed(feature: str) -> NotBuilt:
    """Return the error of categories that are neither texts nor numbers."""
    return NotBuilt(
        f'feature "{feature}" has categories that are neither all texts nor all numbers',
        hint="Train the model on texts alone or on numbers alone.",
    )


def append(graph: Graph, source: str, categories: Categories, whole: str) -> str:
    """Append what branches look at to the columns of the matrix.

    Parameters
    ----------
    graph : Graph
        Of float64 where numbers are looked up.
    source : str
        The matrix.
    categories : Categories
    whole : str
        ``floor`` or ``cut``: how codes with a fraction, which no training had, become whole numbers; a
        missing one stays missing by the first, and becomes -1 by the second.

    Returns
    -------
    str
        Name of the matrix with the columns that `Categories.places` speaks of.
    """
    parts = [source] if not categories.codes else [source, _codes(graph, source, categories.codes, whole)]
    parts += [_looked_up(graph, source, feature, known) for feature, known in categories.numbers.items()]
    return source if len(parts) == 1 else graph.apply("Concat", *map(graph.float64, parts), axis=1)


def _codes(graph: Graph, source: str, features: Sequence[int], whole: str) -> str:
    given = graph.float64(graph.columns(source, list(features)))
    if whole == "floor":
        return graph.apply("Floor", given)
    cut = graph.apply("Floor", graph.apply("Max", given, graph.constant(0.0)))
    return graph.apply(
        "Where", graph.apply("Greater", given, graph.constant(-1.0)), cut, graph.constant(-1.0)
    )


def _looked_up(graph: Graph, source: str, feature: int, known: Floats) -> str:
    """Return the place of a number among those known; -1 for others, NaN for a missing one."""
    given = graph.float64(graph.columns(source, [feature]))
    met = graph.apply("Equal", given, graph.constant(known[np.newaxis]))
    hit = graph.apply("Where", met, graph.constant(1.0), graph.constant(0.0))
    place = graph.apply("MatMul", hit, graph.constant(np.arange(1.0, len(known) + 1)[:, np.newaxis]))
    code = graph.apply("Sub", place, graph.constant(1.0))
    return graph.apply("Where", graph.apply("IsNaN", given), graph.constant(np.nan), code)
