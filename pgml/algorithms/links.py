"""From the margins of boosted trees to predictions, in float64."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph


def applied(graph: "Graph", margin: str, link: str, *, classes: bool) -> str:
    """Append an objective's link and return the name of its result.

    Parameters
    ----------
    graph : Graph
    margin : str
        Of shape (rows, margins).
    link : str
        ``identity``, ``log``, ``logistic`` or ``softmax``.
    classes : bool
        Whether one probability becomes those of both classes.
    """
    if link == "log":
        return graph.apply("Exp", margin)
    if link == "softmax":
        return graph.apply("Softmax", margin, axis=1)
    if link == "logistic":
        second = graph.apply("Sigmoid", margin)
        return graph.two_classes(second) if classes else second
    return margin
