"""Functions that a file brings along, put in the places where they are called."""

from onnx import FunctionProto, ModelProto, inliner

from pgml.errors import InvalidValue, NotBuilt, TooLarge
from pgml.exchange.onnx.words import FAILURES, sentence, short

DEEPEST = 50
"""Calls within calls."""
Key = tuple[str, str]


def inlined(model: ModelProto, most: int) -> ModelProto:
    """Return the model without local functions.

    Raises
    ------
    TooLarge
        It would have more than `most` operators.
    InvalidValue
        A function calls itself, or there are two of one name.
    NotBuilt
        It cannot be done.
    """
    if not model.functions:
        return model
    known: dict[Key, FunctionProto] = {}
    for each in model.functions:
        if (each.domain, each.name) in known:
            raise InvalidValue(
                f'two functions have the name "{short(each.name)}"', hint="Export the model again."
            )
        known[each.domain, each.name] = each
    counts: dict[Key, int] = {}
    total = sum(_count((node.domain, node.op_type), known, counts, []) for node in model.graph.node)
    if total > most:
        raise TooLarge(
            f"the model has {total} operators in all, more than the {most} that can be imported",
            hint="Simplify it before, for example with onnxsim or onnxruntime's optimizer.",
        )
    try:
        return inliner.inline_local_functions(model)
    except FAILURES as error:
        raise NotBuilt(
            "the functions of the model cannot be put in their places",
            detail=sentence(error),
            hint="Export it without functions, for example with onnx.inliner.inline_local_functions.",
        ) from None


def _count(key: Key, known: dict[Key, FunctionProto], counts: dict[Key, int], inside: list[Key]) -> int:
    """Return how many operators stand for a call."""
    if key not in known:
        return 1
    if key in inside or len(inside) > DEEPEST:
        raise InvalidValue(f'function "{short(key[1])}" calls itself', hint="Export the model again.")
    if key not in counts:
        within = (
            _count((node.domain, node.op_type), known, counts, [*inside, key]) for node in known[key].node
        )
        counts[key] = max(1, sum(within))
    return counts[key]
