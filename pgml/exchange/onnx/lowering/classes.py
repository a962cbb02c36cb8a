"""Labels of classes, as classifiers give them."""

from onnx import TensorProto

from pgml.exchange.onnx.lowering.steps import Labels, Step, Value
from pgml.exchange.onnx.lowering.texts import Listed, Strings

MOST = 1 << 16
"""Classes of one model."""


def labels_of(step: Step, integers: str) -> Labels:
    """Return the classes of a classifier, and remember that its outputs are about them.

    Parameters
    ----------
    integers : str
        What the operator calls them where they are whole numbers.
    """
    given = step.given
    texts, numbers = given.texts("classlabels_strings"), given.ints(integers).tolist()
    given.require(not (texts and numbers), "has classes of two types")
    labels: Labels = texts or numbers
    given.require(0 < len(labels) <= MOST, "has no classes")
    given.require(len(set(labels)) == len(labels), "has a class twice")
    for name in step.node.output:
        step.work.labels[name] = labels
    return labels


def chosen(step: Step, labels: Labels, places: str) -> Value:
    """Append the label at places, int64 of as many numbers as there are rows; return it, (rows,)."""
    writing = step.writing
    flat = writing.apply("Reshape", writing.cast(places, TensorProto.INT64), writing.integers([-1]))
    if isinstance(labels[0], str):
        return Strings(flat, (Listed(tuple(str(label) for label in labels)),))
    return writing.apply("Gather", writing.integers([int(label) for label in labels]), flat, axis=0)


def largest(step: Step, labels: Labels, scores: str) -> Value:
    """Append the label of the largest score of each row, the first of equal ones."""
    return chosen(step, labels, step.writing.apply("ArgMax", scores, axis=1, keepdims=0))
