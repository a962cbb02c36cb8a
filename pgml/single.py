"""Predictions of one row of plain numbers, with nothing done for a row that can be done once.

The arithmetic is the encoder's, on Python's own floats: a dot product where that is
all the model is, else ONNX Runtime on buffers that are there already.  A row out
of the ordinary (NULL, NaN, infinity, text, a wrong count) raises one of `UNUSUAL`
and is left to the general path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import itemgetter, mul, sub
from struct import Struct
from struct import error as struct_error
from typing import Any

from pgml.inference import Predictor
from pgml.preprocessing import NumberEncoding

UNUSUAL = (TypeError, ValueError, KeyError, OverflowError, RecursionError, struct_error)
"""What a row raises that is no sequence of finite numbers, one a feature."""
Numbers = Sequence[float]
Answer = Callable[[Numbers], float]
"""From the numbers of a row to the predicted value, or to the label as a number."""


@dataclass(frozen=True)
class Single:
    """How to predict one row by one model.

    Attributes
    ----------
    answer : callable
        From the numbers of the features, in their order.
    by_name : callable
        From a mapping by name to those numbers.
    """

    answer: Answer
    by_name: Callable[[Any], Numbers]


def single_row(predictor: Predictor) -> Single | None:
    """Return how to predict rows of numbers; None if the model needs the general path.

    That is so with texts among the features or the labels, and where a column of type
    real rounds what a float64 graph is given.
    """
    encodings = [each for each in predictor.encoder.encodings if isinstance(each, NumberEncoding)]
    double = predictor.encoder.dtype == "float64"
    if len(encodings) < len(predictor.encoder.encodings) or predictor.label_kind == "text":
        return None
    if double and any(each.column.type.startswith("real") for each in encodings):
        return None
    centers = [center for each in encodings for center in each.center]
    scales = [scale for each in encodings for scale in each.scale]
    if predictor.dot is not None:
        weights = [weight / scale for weight, scale in zip(predictor.dot["weights"], scales, strict=True)]
        return Single(_dot(predictor, weights, centers, predictor.dot["intercept"]), _by_name(predictor))
    if double or any(scale != 1 for scale in scales):
        return None
    return Single(_run(predictor, centers), _by_name(predictor))


def _by_name(predictor: Predictor) -> Callable[[Any], Numbers]:
    """A list, a scalar or a row() is no mapping by these names, and so out of the ordinary."""
    names = [column.name for column in predictor.columns]
    if len(names) == 1:
        return lambda given: (given[names[0]],)
    return itemgetter(*names)


def _dot(predictor: Predictor, weights: Numbers, centers: Numbers, intercept: float) -> Answer:
    count = len(weights)

    def margin(numbers: Numbers) -> float:
        total: float = sum(map(mul, weights, map(sub, numbers, centers))) + intercept
        if len(numbers) != count or not isfinite(total):
            raise ValueError
        return total

    if predictor.task == "regression":
        return margin
    first, second = map(float, predictor.labels)
    return lambda numbers: second if margin(numbers) > 0 else first


def _run(predictor: Predictor, centers: Numbers) -> Answer:
    run, features, outputs = predictor.bound_to_one_row()
    count, moved = len(centers), any(centers)
    pack = Struct(f"={count}f").pack_into  # Unlike the native form it refuses what float32 cannot hold.

    def compute(numbers: Numbers) -> None:
        if len(numbers) != count or not isfinite(sum(numbers)):
            raise ValueError
        pack(features, 0, *(map(sub, numbers, centers) if moved else numbers))
        run()

    if predictor.task == "regression":
        center = predictor.center

        def value(numbers: Numbers) -> float:
            compute(numbers)
            return float(outputs[0] + center)

        return value
    labels = [float(label) for label in predictor.labels]

    def label(numbers: Numbers) -> float:
        compute(numbers)
        found: list[float] = outputs.tolist()
        return labels[found.index(max(found))]

    return label
