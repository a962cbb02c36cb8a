"""Kernels of Gaussian processes: read from a text, and as operators of a graph."""

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms.base import Floats
from pgml.artifact import distances
from pgml.errors import InvalidValue, NotBuilt, name_list

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

SERVED = ("ConstantKernel", "DotProduct", "Matern", "RBF", "RationalQuadratic", "WhiteKernel")
UNBUILT = ("CompoundKernel", "ExpSineSquared", "Exponentiation", "PairwiseKernel", "Product", "Sum")
SMOOTHNESS = (0.5, 1.5, 2.5, np.inf)
"""Values of Matern's nu that have a formula without Bessel functions."""
MOST_CHARACTERS = 1000
MOST_PARTS = 20
"""Kernels in a kernel: a hundred kept sixty rows busy for minutes."""
MOST = 1e100
"""What a number in a kernel is below."""
_HINT = (
    f'A kernel is made of {name_list(SERVED)}, numbers, "+", "*" and "** number", '
    'such as "1.0 * RBF(2.0) + WhiteKernel()".'
)

Value = str | float
"""The name of a result, or one number for all rows."""


def parsed(text: str) -> Any:
    """Return scikit-learn's kernel of a text; nothing in it is ever run.

    Raises
    ------
    InvalidValue
        It is no kernel, or a part has a value that cannot be.
    NotBuilt
        A kernel in it cannot be served.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidValue(f"kernel must be of at most {MOST_CHARACTERS} characters", hint=_HINT)
    try:
        tree = ast.parse(text.strip(), mode="eval")
        if sum(isinstance(node, ast.Call) for node in ast.walk(tree)) > MOST_PARTS:
            raise InvalidValue(f"kernel must be of at most {MOST_PARTS} parts", hint=_HINT)
        kernel = _read(tree.body)
    except (SyntaxError, ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise _refused(text) from error
    if isinstance(kernel, (int, float)):
        raise _refused(text)
    return kernel


def _refused(text: str) -> InvalidValue:
    return InvalidValue(f'hyperparameter "kernel" cannot be read: "{text[:80]}"', hint=_HINT)


def _read(node: ast.expr) -> Any:
    """Return the kernel, or the number, that a piece of the text stands for."""
    if isinstance(node, ast.BinOp):
        return _combined(node, _read(node.left), _read(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _called(node.func.id, node)
    number = ast.literal_eval(node)
    if type(number) not in (int, float) or not 0 < number < MOST:
        raise ValueError("no number")
    return number


def _combined(node: ast.BinOp, left: Any, right: Any) -> Any:
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Mult):
        return left * right
    if (
        isinstance(node.op, ast.Pow)
        and isinstance(right, (int, float))
        and not isinstance(left, (int, float))
    ):
        return left**right
    raise ValueError("no operator of kernels")


def _called(name: str, node: ast.Call) -> Any:
    from sklearn.gaussian_process import kernels

    if name in UNBUILT:
        raise NotBuilt(f'kernel "{name}" is not built', hint=_HINT)
    if name not in SERVED or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("no kernel")
    given = {str(keyword.arg): _argument(keyword.value) for keyword in node.keywords}
    made = getattr(kernels, name)(*map(_argument, node.args), **given)
    _check(made)
    return made


def _argument(node: ast.expr) -> Any:
    """Return a number, an array of numbers, a pair of bounds or ``"fixed"``."""
    if isinstance(node, ast.Name) and node.id == "inf":
        return np.inf
    value = np.inf if isinstance(node, ast.Attribute) and node.attr == "inf" else ast.literal_eval(node)
    if value == "fixed" or type(value) in (int, float):
        return value
    if isinstance(value, (list, tuple)) and value:
        return np.array(value, dtype=np.float64)
    raise ValueError("no argument of kernels")


def _check(kernel: Any) -> None:
    """Raise for values that the library would take, and then fail or compute nonsense."""
    for parameter in kernel.hyperparameters:
        value = np.atleast_1d(getattr(kernel, parameter.name))
        if value.dtype.kind not in "if" or not (np.isfinite(value) & (value > 0)).all():
            raise InvalidValue(f'kernel parameter "{parameter.name}" must be greater than 0', hint=_HINT)
    if getattr(kernel, "nu", 0.5) not in SMOOTHNESS:
        raise NotBuilt(f"Matern with nu {kernel.nu} is not built", hint="Use nu 0.5, 1.5, 2.5 or inf.")


def emit(graph: "Graph", rows: str, points: Floats, kernel: Any) -> Value:
    """Append the covariances of rows and points, (rows, points)."""
    kind = type(kernel).__name__
    if kind in ("Sum", "Product"):
        parts = emit(graph, rows, points, kernel.k1), emit(graph, rows, points, kernel.k2)
        return _joined(graph, kind, len(points), *parts)
    if kind == "Exponentiation":
        return _raised(graph, emit(graph, rows, points, kernel.kernel), kernel.exponent)
    if kind == "ConstantKernel":
        return float(kernel.constant_value)
    if kind == "WhiteKernel":
        return 0.0
    if kind == "DotProduct":
        product = graph.apply("MatMul", rows, graph.constant(points.T))
        return graph.apply("Add", product, graph.constant(float(kernel.sigma_0) ** 2))
    scale = np.broadcast_to(np.asarray(kernel.length_scale, dtype=np.float64), points.shape[1])
    scaled = graph.apply("Div", rows, graph.constant(scale))
    # A root of what is left of expanded squares has half of its digits where a row is a point.
    exact = getattr(kernel, "nu", None) == 0.5
    squares = (
        distances.powers(graph, scaled, points / scale, 2.0)
        if exact
        else distances.squared(graph, scaled, points / scale)
    )
    return _STATIONARY[kind](graph, squares, kernel)


def emit_variance(graph: "Graph", rows: str, kernel: Any) -> Value:
    """Append the covariance of each row with itself, (rows, 1)."""
    kind = type(kernel).__name__
    if kind in ("Sum", "Product"):
        return _joined(graph, kind, 1, *(emit_variance(graph, rows, each) for each in (kernel.k1, kernel.k2)))
    if kind == "Exponentiation":
        return _raised(graph, emit_variance(graph, rows, kernel.kernel), kernel.exponent)
    if kind == "DotProduct":
        norms = distances.squared_norms(graph, rows)
        return graph.apply("Add", norms, graph.constant(float(kernel.sigma_0) ** 2))
    own = {"ConstantKernel": "constant_value", "WhiteKernel": "noise_level"}
    return float(getattr(kernel, own[kind])) if kind in own else 1.0


def size(kernel: Any, rows: int, width: int) -> int:
    """Return the bytes that `emit` of these points takes, and `emit_variance`."""
    inner = [getattr(kernel, name) for name in ("k1", "k2", "kernel") if hasattr(kernel, name)]
    if inner:
        return sum(size(each, rows, width) for each in inner) + 120
    if hasattr(kernel, "constant_value"):
        return 8 * rows + 30
    if hasattr(kernel, "noise_level"):
        return 0
    loops = width if getattr(kernel, "nu", None) == 0.5 else 0
    norms = 0 if loops or hasattr(kernel, "sigma_0") else rows
    return 8 * (rows * width + norms + 2 * width) + 500 + 230 * loops


def _joined(graph: "Graph", kind: str, width: int, one: Value, other: Value) -> Value:
    if isinstance(one, float) and isinstance(other, float):
        return one + other if kind == "Sum" else one * other
    if kind == "Sum" and 0.0 in (one, other):
        return other if one == 0.0 else one
    names = [
        graph.constant(np.full(width, each)) if isinstance(each, float) else each for each in (one, other)
    ]
    return graph.apply("Add" if kind == "Sum" else "Mul", *names)


def _raised(graph: "Graph", value: Value, exponent: float) -> Value:
    if isinstance(value, float):
        return float(value**exponent)
    return graph.apply("Pow", value, graph.constant(float(exponent)))


def _rbf(graph: "Graph", squares: str, kernel: Any) -> str:
    return graph.apply("Exp", graph.apply("Mul", squares, graph.constant(-0.5)))


def _matern(graph: "Graph", squares: str, kernel: Any) -> str:
    """Return the Matern kernel of half-integer smoothness: an exponential times a polynomial."""
    if kernel.nu == np.inf:
        return _rbf(graph, squares, kernel)
    far = graph.apply("Mul", graph.apply("Sqrt", squares), graph.constant(np.sqrt(2.0 * kernel.nu)))
    decay = graph.apply("Exp", graph.apply("Neg", far))
    if kernel.nu == 0.5:
        return decay
    polynomial = graph.apply("Add", far, graph.constant(1.0))
    if kernel.nu == 2.5:
        third = graph.apply("Div", graph.apply("Mul", far, far), graph.constant(3.0))
        polynomial = graph.apply("Add", polynomial, third)
    return graph.apply("Mul", polynomial, decay)


def _rational_quadratic(graph: "Graph", squares: str, kernel: Any) -> str:
    share = graph.apply("Div", squares, graph.constant(2.0 * kernel.alpha))
    base = graph.apply("Add", share, graph.constant(1.0))
    return graph.apply("Pow", base, graph.constant(-float(kernel.alpha)))


_STATIONARY: Mapping[str, Callable[["Graph", str, Any], str]] = {
    "RBF": _rbf,
    "Matern": _matern,
    "RationalQuadratic": _rational_quadratic,
}
"""What a kernel makes of the squared distances of rows and points, divided by its length scale."""
