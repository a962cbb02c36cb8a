"""What the results of a network mean."""

from collections.abc import Sequence
from math import prod

from pgml.errors import InvalidValue
from pgml.exchange.foreign import Label
from pgml.exchange.keras.net import Net, Tensor
from pgml.exchange.naming import Wanted, check_task, labels_of
from pgml.spec import Output
from pgml.target import LabelKind

Meaning = tuple[str, Output, list[Label], LabelKind]
"""Task, output, labels and their kind."""


def finished(net: Net, results: Sequence[Tensor], wanted: Wanted) -> tuple[str, int, Meaning]:
    """Return the graph's output in float64, of shape (rows, numbers), how many, and what they mean.

    Parameters
    ----------
    net : Net
    results : sequence of Tensor
        Several are beside each other, as values.
    wanted : Wanted

    Raises
    ------
    InvalidValue
        What is wanted does not fit.
    """
    check_task(wanted.task)
    parts = [
        each.name if len(each.shape) == 1 else net.reshaped(each.name, [prod(each.shape)]) for each in results
    ]
    widths = [prod(each.shape) for each in results]
    bend = results[0].bend if len(results) == 1 and len(results[0].shape) == 1 else ""
    # A softmax over one number is 1, whatever it is given.
    classes = widths[0] if bend == "softmax" and widths[0] > 1 else 0
    classes = 2 if bend == "sigmoid" and widths[0] == 1 else classes
    if wanted.task == "classification" and not classes:
        raise InvalidValue(
            "the model's last layer gives no probabilities, so it is no classification",
            hint="End the model with softmax, or with one unit of sigmoid, or leave task out.",
        )
    if wanted.task == "regression" or not classes:
        if wanted.labels is not None:
            raise InvalidValue("labels are for classification", hint="Leave labels out.")
        joined = parts[0] if len(parts) == 1 else net.apply("Concat", *parts, axis=1)
        return net.doubled(joined), sum(widths), ("regression", "value", [], "number")
    labels, kind = _labels(wanted, classes)
    found = net.two_classes(parts[0]) if bend == "sigmoid" else net.doubled(parts[0])
    return found, classes, ("classification", "probabilities", labels, kind)


def _labels(wanted: Wanted, count: int) -> tuple[list[Label], LabelKind]:
    if wanted.labels is None:
        return [float(at) for at in range(count)], "number"
    labels, kind = labels_of(wanted.labels)
    if len(labels) != count:
        raise InvalidValue(
            f"labels has {len(labels)} labels, the model tells {count} classes apart",
            hint="Give one label for each class, in the order of the model's outputs.",
        )
    return labels, kind
