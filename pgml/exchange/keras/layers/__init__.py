"""The layers of Keras that have a translation, each in the module of its family."""

from collections.abc import Mapping

from pgml.errors import NotBuilt
from pgml.exchange.keras import document
from pgml.exchange.keras.document import Described
from pgml.exchange.keras.layers import (
    activations,
    convolution,
    dense,
    merging,
    normalization,
    recurrent,
    shapes,
)
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor

STEPWISE = frozenset({"Activation", "Dense", "Dropout", "ELU", "LeakyReLU", "ReLU"})
"""Layers that do the same to each step by themselves, so need no wrapper for it."""


def _time_distributed(call: Call) -> Tensor:
    call.unmasked()
    inside = document.inner(call.layer, "layer")
    if inside.kind not in STEPWISE:
        raise call.options.refused(f"a layer {inside.options.layer} in it")
    call.of_rank(2, 3, 4)
    return LAYERS[inside.kind](Call(inside, call.weights.inner("layer", inside), call.given, call.net))


LAYERS: Mapping[str, Translation] = {
    **activations.LAYERS,
    **convolution.LAYERS,
    **dense.LAYERS,
    **merging.LAYERS,
    **normalization.LAYERS,
    **recurrent.LAYERS,
    **shapes.LAYERS,
    "TimeDistributed": _time_distributed,
}
"""By class."""


def check(model: Described) -> None:
    """Raise NotBuilt for the first layer of a model that has no translation."""
    for each in document.every(model):
        if each.kind not in LAYERS and each.kind != "InputLayer":
            raise NotBuilt(
                f"layer {each.options.layer} cannot be imported",
                hint="Build the model without it, or export it to ONNX and use pgml.import_onnx.",
            )
