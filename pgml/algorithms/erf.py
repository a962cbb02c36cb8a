"""The error function as operators of a graph, in float64, which ONNX Runtime does not have.

Rational approximations of W. J. Cody's kind (Math. Comp. 23, 1969) with the coefficients of
Moshier's Cephes library (ndtr.c); the error is below 1e-15.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

LARGEST = 6.0
"""Beyond it the function is 1 in float64."""
# erf(x) = x T(x²) / U(x²) for |x| <= 1; 1 - erf(x) = exp(-x²) P(x) / Q(x) for 1 <= x < 8.
_T = (
    9.60497373987051638749e0,
    9.00260197203842689217e1,
    2.23200534594684319226e3,
    7.00332514112805075473e3,
    5.55923013010394962768e4,
)
_U = (
    1.0,
    3.35617141647503099647e1,
    5.21357949780152679795e2,
    4.59432382970980127987e3,
    2.26290000613890934246e4,
    4.92673942608635921086e4,
)
_P = (
    2.46196981473530512524e-10,
    5.64189564831068821977e-1,
    7.46321056442269912687e0,
    4.86371970985681366614e1,
    1.96520832956077098242e2,
    5.26445194995477358631e2,
    9.34528527171957607540e2,
    1.02755188689515710272e3,
    5.57535335369399327526e2,
)
_Q = (
    1.0,
    1.32281951154744992508e1,
    8.67072140885989742329e1,
    3.54937778887819891062e2,
    9.75708501743205489753e2,
    1.82390916687909736289e3,
    2.24633760818710981792e3,
    1.65666309194161350182e3,
    5.57535340817727675546e2,
)
OPERATORS = 2 * (len(_T) + len(_U) + len(_P) + len(_Q)) + 14


def emit(graph: "Graph", source: str) -> str:
    """Append the error function of each number of a float64 result."""
    one = graph.constant(1.0)
    size = graph.apply("Min", graph.apply("Abs", source), graph.constant(LARGEST))
    small = graph.apply("Min", size, one)
    square = graph.apply("Mul", small, small)
    ratio = graph.apply("Div", _polynomial(graph, square, _T), _polynomial(graph, square, _U))
    inner = graph.apply("Mul", small, ratio)
    large = graph.apply("Max", size, one)
    decay = graph.apply("Exp", graph.apply("Neg", graph.apply("Mul", large, large)))
    tail = graph.apply("Div", _polynomial(graph, large, _P), _polynomial(graph, large, _Q))
    outer = graph.apply("Sub", one, graph.apply("Mul", decay, tail))
    found = graph.apply("Where", graph.apply("Less", size, one), inner, outer)
    return graph.apply("Mul", found, graph.apply("Sign", source))


def _polynomial(graph: "Graph", x: str, coefficients: Sequence[float]) -> str:
    """Return a polynomial of the highest power first, by Horner's rule."""
    total = graph.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        total = graph.apply("Add", graph.apply("Mul", total, x), graph.constant(coefficient))
    return total
