"""What a model answers, from the outputs of its graph: numbers, labels, probabilities, or something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from pgml.decision import threshold_of
from pgml.exchange.onnx.writing.sheet import Sheet

Floats = npt.NDArray[np.float64]
NAMES = {
    "value": "prediction",
    "probabilities": "probabilities",
    "scores": "scores",
    "distances": "distances",
    "components": "components",
    "anomaly": "score",
    "reconstruction": "components",
}
"""What an output of numbers is called, by what they are; see `pgml.spec.Output`."""
NO_INTEGER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Answer:
    """One output of the file.

    Attributes
    ----------
    name : str
        Within the graph.
    public : str
        What it is to be called.
    meaning : str
        ``label``, or what the numbers are, see `pgml.spec.Output`.
    target : str or None
        The target it is of, where there are several with an output each.
    """

    name: str
    public: str
    meaning: str
    target: str | None = None


def answered(
    sheet: Sheet, decoder: Mapping[str, Any], outputs: str, width: int, refused: str | None
) -> list[Answer]:
    """Write the decoder and the outputs of the file.

    Parameters
    ----------
    sheet : Sheet
    decoder : mapping
        Of `pgml.artifact.format.Artifact`.
    outputs : str
        What the stored graph gives, float64 of shape (rows, width).
    width : int
    refused : str or None
        Bool of shape (rows, 1): rows without an answer.
    """
    meaning = decoder["output"]
    if meaning == "value":
        outputs = _values(sheet, decoder, outputs)
    if refused is not None:
        outputs = sheet.chosen(refused, sheet.constant(np.nan), outputs)
    if not decoder["parts"]:
        return _of_one(sheet, decoder, outputs, width, refused)
    answers: list[Answer] = []
    start = 0
    for target, part in zip(decoder["targets"], decoder["parts"], strict=True):
        end = start + len(part["labels"])
        own = sheet.columns(outputs, range(start, end))
        found = _of_one(sheet, {**part, "output": meaning}, own, end - start, refused)
        answers += [replace(each, public=f"{each.public}_{target}", target=target) for each in found]
        start = end
    return answers


def _values(sheet: Sheet, decoder: Mapping[str, Any], outputs: str) -> str:
    """Return the numbers of a regression, added up in the order of `pgml.inference.Predictor.run`."""
    divisor, added = decoder["divisor"], decoder["added"]
    if divisor is not None:
        outputs = sheet.apply("Div", outputs, sheet.constant(np.array(divisor)))
    if added is not None:
        outputs = sheet.apply("Add", outputs, sheet.constant(np.array(added)))
    center = np.array(decoder["center"])
    return sheet.apply("Add", outputs, sheet.constant(center)) if center.any() else outputs


def _of_one(
    sheet: Sheet, decoder: Mapping[str, Any], outputs: str, width: int, refused: str | None
) -> list[Answer]:
    """Return the outputs of one target: the label, if there are any, and the numbers."""
    meaning = decoder["output"]
    found = []
    if decoder["labels"]:
        found.append(_label(sheet, decoder, outputs, refused))
    if meaning == "reconstruction":
        code = sheet.output(sheet.columns(outputs, range(width - 1)), TensorProto.DOUBLE, width - 1)
        error = sheet.output(sheet.columns(outputs, [width - 1]), TensorProto.DOUBLE, 1)
        return [
            *found,
            Answer(code, NAMES[meaning], "components"),
            Answer(error, NAMES["anomaly"], "anomaly"),
        ]
    numbers = sheet.output(outputs, TensorProto.DOUBLE, width)
    return [*found, Answer(numbers, NAMES[meaning], meaning)]


def _label(sheet: Sheet, decoder: Mapping[str, Any], outputs: str, refused: str | None) -> Answer:
    dtype, known, none = _typed(decoder["labels"], decoder["label_kind"])
    code = _code(sheet, decoder, outputs)
    if refused is not None:
        known = [*known, none] if isinstance(known, list) else np.append(known, none)
        # A row without an answer has the place after the last.
        one = sheet.apply("Squeeze", refused, sheet.integers([1]))
        code = sheet.chosen(one, sheet.integers(len(known) - 1), code)
    table = sheet.texts(known) if isinstance(known, list) else sheet.array(known)
    label = sheet.output(sheet.apply("Gather", table, code, axis=0), dtype, None)
    return Answer(label, "label", "label")


def _code(sheet: Sheet, decoder: Mapping[str, Any], outputs: str) -> str:
    """Return the place of each row's label, int64 of shape (rows,), as `pgml.decision.codes_of` tells it."""
    meaning, threshold = decoder["output"], threshold_of(decoder)
    if threshold is not None:
        above = sheet.apply("GreaterOrEqual", sheet.columns(outputs, [1]), sheet.constant(threshold))
        return sheet.apply("Cast", sheet.apply("Squeeze", above, sheet.integers([1])), to=TensorProto.INT64)
    if meaning in ("anomaly", "reconstruction"):
        least = decoder["reconstruction"]["threshold"] if meaning == "reconstruction" else 0.0
        last = sheet.columns(outputs, [-1]) if meaning == "reconstruction" else outputs
        above = sheet.apply("Greater", last, sheet.constant(least))
        return sheet.apply("Cast", sheet.apply("Squeeze", above, sheet.integers([1])), to=TensorProto.INT64)
    kind = "ArgMin" if meaning == "distances" else "ArgMax"
    return sheet.apply(kind, outputs, axis=1, keepdims=0, select_last_index=0)


def _typed(labels: Sequence[Any], kind: str) -> tuple[int, list[str] | npt.NDArray[Any], Any]:
    """Return the type of labels, themselves in it, and what stands for none."""
    if kind == "text":
        return TensorProto.STRING, [str(label) for label in labels], ""
    values = np.array(labels, dtype=np.float64)
    if kind == "boolean":
        return TensorProto.BOOL, values > 0, False
    if (np.abs(values) < 2.0**63).all() and (values == np.rint(values)).all():
        return TensorProto.INT64, values.astype(np.int64), NO_INTEGER
    return TensorProto.DOUBLE, values, np.nan
