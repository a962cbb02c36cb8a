"""Operators that move texts: they move codes, and what the codes stand for."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from pgml.errors import NotBuilt
from pgml.exchange.onnx.lowering.attributes import Array
from pgml.exchange.onnx.lowering.shapes import kind_of
from pgml.exchange.onnx.lowering.steps import Step, Value, Work
from pgml.exchange.onnx.lowering.tables import after, picked, unified
from pgml.exchange.onnx.lowering.texts import Domain, Given, Joined, Listed, Strings

MOST_COLUMNS = 1600
"""Columns of texts: as many as a table has."""


def entry(work: Work, value: ValueInfoProto, texts: dict[str, Given]) -> Strings:
    """Write an input of texts as inputs of codes, and note each in `texts`.

    Raises
    ------
    NotBuilt
        It has no known number of columns.
    """
    kind, writing = kind_of(value), work.writing
    columns = 1 if kind.rank == 1 else kind.width
    if kind.rank not in (1, 2) or columns is None or not 0 < columns <= MOST_COLUMNS:
        raise NotBuilt(
            f"input {value.name!r:.60} of the ONNX file takes texts in no known number of columns",
            hint="Export the model with an input of shape (rows, 1) for each column of texts.",
        )
    names = [value.name] if columns == 1 else [f"{value.name}_{at + 1}" for at in range(columns)]
    names = names if columns == 1 else [writing.reserved(name) for name in names]
    parts = []
    for name in names:
        texts[name] = Given()
        writing.model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", 1]))
        writing.types[name] = TensorProto.DOUBLE
        parts.append(writing.cast(name, TensorProto.INT64))
    codes = parts[0] if len(parts) == 1 else writing.apply("Concat", *parts, axis=1)
    if kind.rank == 1:
        codes = writing.apply("Reshape", codes, writing.integers([-1]))
    return Strings(codes, tuple(texts[name] for name in names))


def constant(work: Work, array: Array) -> Strings:
    """Return texts that the graph holds."""
    listed = list(dict.fromkeys(array.ravel().tolist()))
    place = {text: at for at, text in enumerate(listed)}
    codes = np.array([place[text] for text in array.ravel().tolist()], dtype=np.int64)
    return Strings(work.writing.values(codes.reshape(array.shape)), (Listed(tuple(listed)),))


def held(step: Step) -> Array | None:
    """Return the texts of an operator Constant; None if it holds none."""
    if step.node.op_type != "Constant":
        return None
    if step.given.has("value_strings"):
        return np.array(step.given.texts("value_strings"), dtype=object)
    if step.given.has("value_string"):
        return np.array(step.given.text("value_string", ""), dtype=object)
    found = step.given.tensor("value")
    return found if found is not None and found.dtype == object else None


def result(step: Step) -> Sequence[Value]:
    """Return the outputs of an operator that is given texts."""
    move = OPERATORS.get(step.node.op_type)
    return [step.refused("takes texts") for _ in step.node.output] if move is None else move(step)


def _texts(step: Step, at: int = 0) -> Strings:
    found = step.value(at)
    if not isinstance(found, Strings):
        raise step.given.broken("takes texts and is given numbers")
    return found


def _moved(
    step: Step, strings: Strings, domains: Sequence[Sequence[Domain]] | None = None
) -> Sequence[Value]:
    """Append the operator itself, on codes."""
    rest = ["" if step.inputs[at] is None else step.number(at) for at in range(1, len(step.inputs))]
    step.writing.copied(step.node, [strings.codes, *rest])
    found: list[Value] = []
    for at, name in enumerate(step.node.output):
        step.writing.types[name] = TensorProto.INT64
        found.append(Strings(name, tuple(strings.domains if domains is None else domains[at])))
    return found


def _plain(step: Step) -> Sequence[Value]:
    return _moved(step, unified(step.work, _texts(step)))


def _shape(step: Step) -> Sequence[Value]:
    step.writing.copied(step.node, [_texts(step).codes])
    step.writing.types[step.node.output[0]] = TensorProto.INT64
    return [step.node.output[0]]


def _identity(step: Step) -> Sequence[Value]:
    return [_texts(step)]


def _cast(step: Step) -> Sequence[Value]:
    strings = _texts(step)
    to = step.given.integer("to", 0)
    if to == TensorProto.STRING:
        return [strings]
    one = unified(step.work, strings)
    if not is_listed(one.domains[0]) or to not in _NUMBERS:
        return [step.refused("makes numbers of texts, which is not supported")]
    try:
        parsed = {text: float(text) for text in one.domains[0].texts() if text is not None}
    except ValueError:
        raise step.given.broken("makes numbers of texts that are none") from None
    found = picked(step.work, one, lambda text: parsed[text or ""], np.float64)
    return [step.writing.cast(found, to)]


_NUMBERS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32})


def is_listed(domain: Domain) -> bool:
    """Return whether all texts of a domain are known."""
    if isinstance(domain, Joined):
        return all(is_listed(part) for part in domain.parts)
    return isinstance(domain, Listed)


def _is_last(step: Step, axis: int, at: int = 0) -> bool:
    rank = step.kind(at).rank
    return axis == -1 or (rank is not None and axis == rank - 1)


def _at(step: Step, strings: Strings, places: Array | None, axis: int) -> Sequence[Domain] | None:
    """Return the domains at places of the last axis; None where they are not told apart."""
    count = len(strings.domains)
    if count == 1 or places is None or places.ndim > 1 or not _is_last(step, axis):
        return None
    within = bool(((places >= -count) & (places < count)).all())
    step.given.require(within, "picks a column that is not there")
    return [strings.domains[int(place)] for place in places.ravel()]


def _gather(step: Step) -> Sequence[Value]:
    strings = _texts(step)
    domains = _at(step, strings, step.constant(1), step.given.integer("axis", 0))
    if domains is None:
        return _plain(step)
    return _moved(step, strings, [domains])


def _extractor(step: Step) -> Sequence[Value]:
    strings, writing = _texts(step), step.writing
    domains = _at(step, strings, step.constant(1), -1)
    strings = unified(step.work, strings) if domains is None else strings
    places = writing.apply("Reshape", step.number(1), writing.integers([-1]))
    found = writing.apply("Gather", strings.codes, places, axis=-1)
    if step.kind().rank == 1:
        found = writing.apply("Unsqueeze", found, writing.integers([0]))
    return [Strings(found, tuple(domains or strings.domains))]


def _split(step: Step) -> Sequence[Value]:
    strings, count = _texts(step), len(_texts(step).domains)
    sizes, outputs = step.constant(1), len(step.node.output)
    if count == 1 or not _is_last(step, step.given.integer("axis", 0)):
        return _plain(step)
    if sizes is None:
        size = -(-count // outputs)
        sizes = np.array([min(size, max(count - size * at, 0)) for at in range(outputs)])
    fits = sizes.ndim == 1 and len(sizes) == outputs and bool((sizes > 0).all()) and sizes.sum() == count
    step.given.require(fits, "splits columns that are not there")
    ends = np.cumsum(sizes).tolist()
    domains = [strings.domains[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]
    return _moved(step, strings, domains)


def _concat(step: Step) -> Sequence[Value]:
    writing, work = step.writing, step.work
    given = [_texts(step, at) for at in range(len(step.inputs))]
    axis = step.given.integer("axis", 0)
    widths = [step.kind(at).width for at in range(len(given))]
    if _is_last(step, axis) and all(width and width <= MOST_COLUMNS for width in widths):
        codes = writing.apply("Concat", *(each.codes for each in given), axis=axis)
        domains: list[Domain] = []
        for each, width in zip(given, widths, strict=True):
            domains += each.domains * (width or 0) if len(each.domains) == 1 else each.domains
        same = all(domain is domains[0] for domain in domains)
        return [Strings(codes, tuple(domains[:1] if same else domains))]
    ones = [unified(work, each) for each in given]
    parts = [ones[0].codes]
    for at in range(1, len(ones)):
        before = Joined(tuple(each.domains[0] for each in ones[:at]))
        parts.append(after(work, ones[at].codes, before))
    joined = Joined(tuple(each.domains[0] for each in ones))
    return [Strings(writing.apply("Concat", *parts, axis=axis), (joined,))]


def _where(step: Step) -> Sequence[Value]:
    work = step.work
    one, other = (unified(work, _texts(step, at)) for at in (1, 2))
    codes = after(work, other.codes, one.domains[0])
    found = step.writing.apply("Where", step.number(0), one.codes, codes)
    return [Strings(found, (Joined((one.domains[0], other.domains[0])),))]


def _equal(step: Step) -> Sequence[Value]:
    one, other = (unified(step.work, _texts(step, at)) for at in (0, 1))
    if not is_listed(other.domains[0]):
        one, other = other, one
    if not is_listed(other.domains[0]):
        return [step.refused("compares texts with each other, which is not supported")]
    texts = [text for text in other.domains[0].texts() if text is not None]
    place = {text: at for at, text in enumerate(texts)}
    one.domains[0].learn(place)

    def number(text: str | None) -> int:
        return -1 if text is None else place.get(text, -1)

    codes = [picked(step.work, each, number, np.int64) for each in (one, other)]
    return [step.writing.apply("Equal", *codes)]


OPERATORS: Mapping[str, Callable[[Step], Sequence[Value]]] = {
    "ArrayFeatureExtractor": _extractor,
    "Cast": _cast,
    "Concat": _concat,
    "Equal": _equal,
    "Expand": _plain,
    "Flatten": _plain,
    "Gather": _gather,
    "Identity": _identity,
    "Reshape": _plain,
    "Shape": _shape,
    "Slice": _plain,
    "Split": _split,
    "Squeeze": _plain,
    "Tile": _plain,
    "Transpose": _plain,
    "Unsqueeze": _plain,
    "Where": _where,
}
"""By type, where an input is texts."""
