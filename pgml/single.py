"""Predictions of one row, with nothing done for a row that can be done once.

The arithmetic is the encoder's, on Python's own floats: a dot product where that is
all the model is, else ONNX Runtime on buffers that are there already.  A row out
of the ordinary (nested, infinite, a time as text, a wrong count) raises one of
`UNUSUAL` and is left to the general path, the one place that words errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, isnan, nan
from operator import itemgetter, mul, sub
from struct import Struct
from struct import error as struct_error
from typing import Any

from pgml.columns import TEXTS
from pgml.decision import least
from pgml.inference import REFUSALS, Predictor
from pgml.preprocessing import (
    CategoryEncoding,
    CodeEncoding,
    Encoder,
    Encoding,
    Keyed,
    NumberEncoding,
    OrdinalEncoding,
    TargetEncoding,
)
from pgml.target import label_text

UNUSUAL = (TypeError, ValueError, KeyError, OverflowError, RecursionError, struct_error, *REFUSALS)
"""What a row raises that the quick way does not take."""
Numbers = Sequence[float]
Result = Any
"""What a model makes of a row, for `Single.value` and the others: valid until the next row."""
Run = Callable[[Numbers], Result]
"""From an encoded row to its result."""


@dataclass(frozen=True)
class Single:
    """How to predict one row by one model.

    Attributes
    ----------
    numbers : callable
        From the numbers of the features, in their order, to a result; each must be finite.
    by_name : callable
        From a mapping by name, with texts and None, to a result.
    answer : callable
        From the numbers of the features to `value`.
    value : callable
        From a result to the predicted value, or to the label as a number.
    label : callable
        From a result to the label as text.
    probabilities : callable
        From a result to the probabilities in class order.
    labels : list of str
        In class order, none for regression.
    """

    numbers: Run
    by_name: Callable[[Any], Result]
    answer: Callable[[Numbers], float]
    value: Callable[[Result], float]
    label: Callable[[Result], str]
    probabilities: Callable[[Result], list[float]]
    labels: Sequence[str]


def single_row(predictor: Predictor) -> Single | None:
    """Return how to predict a row; None if the model needs the general path.

    That is so with several targets, where a column of type real rounds a number before it is moved or goes
    to a float64 graph, and with encodings that Python's own floats would be no faster for.
    """
    encoder = predictor.encoder
    if not all(map(_is_quick, encoder.encodings)):
        return None
    double = encoder.dtype == "float64"
    if any(each.column.type.startswith("real") and (double or _is_moved(each)) for each in encoder.encodings):
        return None
    if len(predictor.targets) > 1 or predictor.output not in ("value", "probabilities"):
        return None
    if predictor.dot is not None:
        moved = predictor.dot["intercept"] + float(predictor.center[0])
        numbers, encoded = _dot(predictor, predictor.dot["weights"], moved)
        answer = numbers if predictor.output == "value" else None
        return _single(predictor, numbers, encoded, answer, _of_margin(predictor))
    if double:
        return None
    return _single(predictor, *_graph(predictor), _of_outputs(predictor))


def _is_quick(encoding: Encoding) -> bool:
    """Return whether `_reader` knows the encoding: numbers, and texts that are looked up."""
    if isinstance(encoding, Keyed):
        return encoding.column.is_category
    return isinstance(encoding, NumberEncoding)


def _is_moved(encoding: Encoding) -> bool:
    """Return whether a number is not what the matrix holds."""
    return isinstance(encoding, NumberEncoding) and (
        any(encoding.center) or any(scale != 1 for scale in encoding.scale)
    )


def _single(
    predictor: Predictor, numbers: Run, encoded: Run, answer: Run | None, answers: tuple[Any, Any, Any]
) -> Single:
    value, label, probabilities = answers
    return Single(
        numbers,
        _by_name(predictor.encoder, numbers, encoded),
        answer or (lambda row: value(numbers(row))),
        value,
        label,
        probabilities,
        _labels(predictor),
    )


def _dot(predictor: Predictor, weights: Numbers, intercept: float) -> tuple[Run, Run]:
    """Return the margins of rows of plain numbers and of encoded rows."""
    centers, scales = _moved(predictor.encoder)
    direct = [weight / scale for weight, scale in zip(weights, scales, strict=False)]
    count = _count(predictor.encoder)

    def numbers(row: Numbers) -> float:
        total: float = sum(map(mul, direct, map(sub, row, centers))) + intercept
        if len(row) != count or not isfinite(total):
            raise ValueError
        return total

    def encoded(row: Numbers) -> float:
        total: float = sum(map(mul, weights, row)) + intercept
        if not isfinite(total):
            raise ValueError
        return total

    return numbers, encoded


def _of_margin(predictor: Predictor) -> tuple[Any, Any, Any]:
    """Return value, label and probabilities of a margin."""
    if predictor.output == "value":
        return float, _refuse, _refuse
    values, labels, bound = _values(predictor), _labels(predictor), least(predictor.threshold)
    return (
        _refuse if predictor.label_kind == "text" else lambda margin: values[_sigmoid(margin) >= bound],
        lambda margin: labels[_sigmoid(margin) >= bound],
        lambda margin: [_sigmoid(-margin), _sigmoid(margin)],
    )


def _sigmoid(margin: float) -> float:
    if margin >= 0:
        return 1.0 / (1.0 + exp(-margin))
    return exp(margin) / (1.0 + exp(margin))


def _graph(predictor: Predictor) -> tuple[Run, Run, Run | None]:
    """Return the outputs of rows of plain numbers and of encoded rows, and perhaps values in one function.

    That is where the graph takes the numbers as they are and its output is the value but for a sum.
    """
    run, features, outputs = predictor.bound_to_one_row()
    centers, scales = _moved(predictor.encoder)
    moved, scaled = any(centers), any(scale != 1 for scale in scales)
    count = _count(predictor.encoder)
    # Unlike the native form it refuses what float32 cannot hold.
    pack = Struct(f"={predictor.encoder.width}f").pack_into

    def numbers(row: Numbers) -> Any:
        if not isfinite(sum(row)):
            raise ValueError
        if moved or scaled:
            row = [
                (value - center) / scale for value, center, scale in zip(row, centers, scales, strict=True)
            ]
        pack(features, 0, *row)
        run()
        return outputs

    def encoded(row: Numbers) -> Any:
        pack(features, 0, *row)
        run()
        return outputs

    if count < 0:
        return _refuse, encoded, None
    if moved or scaled or predictor.output != "value" or any(predictor.divisor != 1) or any(predictor.center):
        return numbers, encoded, None
    added = float(predictor.added[0])

    def answer(row: Numbers) -> float:
        # All of `numbers` and `_value`: two calls less are 0.1 µs.
        if not isfinite(sum(row)):
            raise ValueError
        pack(features, 0, *row)
        run()
        value: float = outputs[0] + added
        return value

    return numbers, encoded, answer


def _of_outputs(predictor: Predictor) -> tuple[Any, Any, Any]:
    """Return value, label and probabilities of a graph's outputs."""
    if predictor.output == "value":
        return _value(predictor), _refuse, _refuse
    values, labels = _values(predictor), _labels(predictor)

    def known(outputs: Any) -> list[float]:
        found: list[float] = outputs.tolist()
        if isnan(sum(found)):
            raise ValueError
        return found

    def likeliest(outputs: Any) -> int:
        found = known(outputs)
        return found.index(max(found))

    def second(outputs: Any) -> bool:
        return known(outputs)[1] >= bound

    bound = least(predictor.threshold)
    place = likeliest if predictor.threshold is None else second
    return (
        _refuse if predictor.label_kind == "text" else lambda outputs: values[place(outputs)],
        lambda outputs: labels[place(outputs)],
        known,
    )


def _value(predictor: Predictor) -> Callable[[Any], float]:
    divisor, added, center = (
        float(each[0]) for each in (predictor.divisor, predictor.added, predictor.center)
    )
    if divisor == 1 and center == 0:
        return lambda outputs: outputs[0] + added
    return lambda outputs: outputs[0] / divisor + added + center


def _moved(encoder: Encoder) -> tuple[list[float], list[float]]:
    """Return what is taken from each number, and what it is then divided by."""
    encodings = [each for each in encoder.encodings if isinstance(each, NumberEncoding)]
    return [center for each in encodings for center in each.center], [
        scale for each in encodings for scale in each.scale
    ]


def _count(encoder: Encoder) -> int:
    """Return the numbers of a row; -1 if it has texts, and so is no row of plain numbers."""
    texts = any(column.is_category for column in encoder.columns)
    return -1 if texts else sum(column.width for column in encoder.columns)


def _by_name(encoder: Encoder, numbers: Run, encoded: Run) -> Callable[[Any], Result]:
    """Return how to predict a mapping by name; a list, a scalar or a row() is none with these names."""
    names = [column.name for column in encoder.columns]
    plain = itemgetter(*names) if len(names) > 1 else lambda given: (given[names[0]],)
    read = _reader(encoder)
    if any(column.is_category for column in encoder.columns):
        return lambda given: encoded(read(given))

    def predict(given: Any) -> Result:
        try:
            return numbers(plain(given))
        except (TypeError, ValueError):
            return encoded(read(given))

    return predict


def _reader(encoder: Encoder) -> Callable[[Mapping[str, Any]], list[float]]:
    """Return how to encode a mapping of numbers, texts and None."""
    steps = []
    start = 0
    for each in encoder.encodings:
        steps.append((each.column.name, _step(each, start)))
        start += each.width
    template = [0.0] * start

    def read(given: Mapping[str, Any]) -> list[float]:
        row = template.copy()
        for name, step in steps:
            step(given[name], row)
        return row

    return read


Step = Callable[[Any, list[float]], None]
"""Writes a value into an encoded row."""


def _step(encoding: Encoding, start: int) -> Step:
    if isinstance(encoding, NumberEncoding):
        return _number(encoding, start)
    if not isinstance(encoding, Keyed) or encoding.column.type not in TEXTS:
        return _refuse
    return (
        _indicator(encoding, start) if isinstance(encoding, CategoryEncoding) else _looked_up(encoding, start)
    )


def _number(encoding: NumberEncoding, start: int) -> Step:
    if encoding.column.kind.shape == "array":
        return _refuse
    (fill,), (center,), (scale,) = encoding.fill, encoding.center, encoding.scale
    refuses = encoding.missing == "refuse"
    absent = nan if encoding.missing == "pass" else (fill - center) / scale

    def write(value: Any, row: list[float]) -> None:
        if value is None:
            if refuses:
                raise ValueError
            row[start] = absent
            return
        # A text may be a time, or a number that float() reads in another way than PostgreSQL.
        if value.__class__ is str or not -inf < value < inf:
            raise ValueError
        row[start] = (value - center) / scale

    return write


def _indicator(encoding: CategoryEncoding, start: int) -> Step:
    positions = {text: start + at for text, at in encoding.place.items()}
    unseen = start + len(encoding.categories) if encoding.rare else -1
    passes, refuses = encoding.missing == "pass", encoding.missing == "refuse"
    absent = positions.get(encoding.fill, unseen)
    missing = [nan] * encoding.width

    def write(value: Any, row: list[float]) -> None:
        if value is None and passes:
            row[start : start + len(missing)] = missing
            return
        if value.__class__ is not str and (value is not None or refuses):
            raise TypeError
        place = absent if value is None else positions.get(value, unseen)
        if place >= 0:
            row[place] = 1.0

    return write


def _looked_up(encoding: Keyed, start: int) -> Step:
    """Return how to write the numbers that a table has for each text."""
    absent: Any
    unseen: Any
    if isinstance(encoding, TargetEncoding):
        *rows, absent, unseen = encoding.table.tolist()
    elif isinstance(encoding, OrdinalEncoding):
        rows = [[rank] for rank in encoding.ranks.tolist()]
        absent = unseen = None if encoding.missing == "refuse" else [encoding.absent]
    elif isinstance(encoding, CodeEncoding):
        rows = [[float(place)] for place in range(len(encoding.categories))]
        absent, unseen = [encoding.absent], [encoding.unseen]
    else:
        return _refuse
    table: Any = dict(zip(encoding.categories, rows, strict=True))
    if encoding.missing == "fill":
        absent = table.get(encoding.fill, unseen)
    elif encoding.missing == "refuse":
        absent = None
    end = start + encoding.width

    def write(value: Any, row: list[float]) -> None:
        if value is not None and value.__class__ is not str:
            raise TypeError
        # None, where the value is refused, raises TypeError.
        row[start:end] = absent if value is None else table.get(value, unseen)

    return write


def _values(predictor: Predictor) -> list[Any]:
    """Return the labels as numbers; texts are none."""
    if predictor.label_kind == "text":
        return []
    return [float(label) for label in predictor.labels]


def _labels(predictor: Predictor) -> list[str]:
    return [label_text(label, predictor.label_kind) for label in predictor.labels]


def _refuse(*_: Any) -> Any:
    raise TypeError
