"""How much memory and work a graph takes, told from the sizes of its tensors before it runs.

The graph runs in the server's own process, where nothing else bounds what it takes.  So everything that it
makes counts, as if nothing were given back before its end: the order in which ONNX Runtime works
through a graph is not ours to say.
"""

import math
from dataclasses import dataclass

from onnx import ModelProto, NodeProto, TensorProto

from pgml.errors import InvalidValue, TooLarge
from pgml.exchange.onnx.sizes import Size, Sizes
from pgml.exchange.onnx.words import short

MOST_BYTES = 512 << 20
"""What one row and the constants may take: networks for images of 224 x 224 make 100 to 250 MB in all."""
BATCH_BYTES = 64 << 20
MOST_ROWS = 10_000
MOST_WORK = 20_000_000_000
"""Multiplications for one row: some seconds, five times a ResNet-50."""
BATCH_WORK = 2_000_000_000
"""Multiplications that are done at once, as nothing can interrupt them: some tenths of a second."""
_GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}
_COMPOSED = frozenset(
    {
        "Celu",
        "CenterCropPad",
        "GroupNormalization",
        "HardSwish",
        "MeanVarianceNormalization",
        "Mish",
        "Shrink",
    }
)
"""Those that are written in other operators, of which each makes a result as large."""
STEPS = 8
_WINDOWS = frozenset({"AveragePool", "LpPool", "MaxPool"})


@dataclass(frozen=True)
class Budget:
    """Bytes that a graph takes whatever the rows, bytes for each row, multiplications for one row."""

    fixed: int
    row: int
    work: int

    @property
    def rows(self) -> int | None:
        """How many rows at a time stay below `BATCH_BYTES` and `BATCH_WORK`; None: `MOST_ROWS` or more."""
        rows = max(min(BATCH_BYTES // max(self.row, 1), BATCH_WORK // max(self.work, 1)), 1)
        return rows if rows < MOST_ROWS else None


def checked(model: ModelProto, sizes: Sizes) -> Budget:
    """Return what a graph takes.

    Raises
    ------
    TooLarge
        It is more than `MOST_BYTES` or `MOST_WORK`.
    InvalidValue
        An operator has operands of which nothing can be told.
    """
    fixed = row = work = 0
    for node in model.graph.node:
        try:
            found, multiplications = [*_own(node, sizes), *_inner(node, sizes)], _work(node, sizes)
        except (IndexError, ValueError, StopIteration):
            raise InvalidValue(
                f"operator {short(node.op_type)} has operands that do not fit it",
                hint="Check the file with onnx.checker, or export it anew.",
            ) from None
        for size in found:
            if size.axis is None:
                fixed += _bytes(size)
            else:
                row += _bytes(size)
            if fixed + row > MOST_BYTES:
                raise TooLarge(
                    f"the model needs more than {MOST_BYTES >> 20} MB for one row",
                    detail=f"They are reached at operator {short(node.op_type)}, which makes "
                    f'"{short(next(filter(None, node.output)))}".',
                    hint="Export a model for smaller inputs, or a smaller model.",
                )
        work += multiplications
        if work > MOST_WORK:
            raise TooLarge(
                f"the model needs more than {MOST_WORK // 10**9} billion multiplications for one row",
                detail=f"They are reached at operator {short(node.op_type)}.",
                hint="Export a model for smaller inputs, or a smaller model.",
            )
    return Budget(fixed, row, work)


def _own(node: NodeProto, sizes: Sizes) -> list[Size]:
    """Return an operator's results, several times where ONNX Runtime makes them of other operators."""
    return sizes.results(node) * (STEPS if node.op_type in _COMPOSED else 1)


def _bytes(size: Size) -> int:
    # ONNX Runtime computes in float32 what is float16.
    return size.bytes * 3 if size.dtype == TensorProto.FLOAT16 else size.bytes


def _inner(node: NodeProto, sizes: Sizes) -> list[Size]:
    """Return what an operator makes for itself, beside its results, where that can be much more."""
    operands = sizes.operands(node)
    if node.op_type in _GATES:
        length, batch, _ = operands[0].dims[0]
        _, other, _ = operands[0].dims[1]
        per_row = length * (_GATES[node.op_type] + 2) * operands[2].dims[0][2] * operands[1].dims[0][0]
        return [Size(operands[0].dtype, ((batch, per_row), (other, per_row)))]
    if node.op_type in ("ConvTranspose", "ConvInteger", "QLinearConv"):
        kernel = operands[3] if node.op_type == "QLinearConv" else operands[1]
        windows = math.prod(kernel.fixed[1:]) * max(
            _positions(operands[0]), _positions(sizes.results(node)[0])
        )
        return [Size(TensorProto.FLOAT, ((windows,), (windows,)))]
    if node.op_type == "Einsum":
        letters = _letters(node, operands)
        dims = [tuple(pair[place] for pair in letters.values()) for place in range(2)]
        return [Size(operands[0].dtype, (dims[0], dims[1]))]
    return []


def _positions(size: Size) -> int:
    """Return how many pixels an image of (rows, channels, …) has."""
    return math.prod(size.fixed[2:])


def _work(node: NodeProto, sizes: Sizes) -> int:
    operands, results = sizes.operands(node), sizes.results(node)
    largest = max([size.count for size in [*operands, *results]], default=0)
    if node.op_type in ("MatMul", "MatMulInteger", "Gemm", "QLinearMatMul"):
        dims = operands[0].fixed
        turned = node.op_type == "Gemm" and any(each.name == "transA" and each.i for each in node.attribute)
        return results[0].count * (dims[0] if turned else dims[-1])
    if node.op_type in ("Conv", "ConvInteger", "QLinearConv"):
        kernel = operands[3] if node.op_type == "QLinearConv" else operands[1]
        return results[0].count * math.prod(kernel.fixed[1:])
    if node.op_type == "ConvTranspose":
        return operands[0].count * math.prod(operands[1].fixed[1:])
    if node.op_type in _GATES:
        length = operands[0].fixed[0]
        return length * (operands[1].count + operands[2].count)
    if node.op_type == "Einsum":
        return math.prod(min(size) for size in _letters(node, operands).values())
    if node.op_type in _WINDOWS:
        window = next(list(each.ints) for each in node.attribute if each.name == "kernel_shape")
        return results[0].count * math.prod(map(int, window))
    if node.op_type == "LRN":
        return int(results[0].count) * next(int(each.i) for each in node.attribute if each.name == "size")
    return largest


def _letters(node: NodeProto, operands: list[Size]) -> dict[str, tuple[int, int]]:
    """Return the sizes of the dimensions that an Einsum names; dots stand for some of their own."""
    equation = next(each.s.decode("ascii", "replace") for each in node.attribute if each.name == "equation")
    found: dict[str, tuple[int, int]] = {}
    for term, size in zip(equation.replace(" ", "").split("->")[0].split(","), operands, strict=False):
        rank = len(size.dims[0])
        before, dots, after = term.partition("...")
        middle = [f".{at}" for at in range(rank - len(before) - len(after))] if dots else []
        for at, name in enumerate([*before, *middle, *after][:rank]):
            pair = (size.dims[0][at], size.dims[1][at])
            found[name] = max(found.get(name, (1, 1)), pair)
    return found
