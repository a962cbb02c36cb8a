"""Layers of products: Dense, and Embedding, which picks rows of a matrix."""

from collections.abc import Mapping

from pgml.exchange.keras.layers.activations import activation, bent
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor


def _dense(call: Call) -> Tensor:
    units, biased = call.options.integer("units"), call.options.flag("use_bias", default=True)
    by = activation(call.options, call.layer.version)
    shapes = {"kernel": (call.one.shape[-1], units), "bias": (units,)}
    held = call.take(**(shapes if biased else {"kernel": shapes["kernel"]}))
    found = call.net.apply("MatMul", call.one.name, call.net.constant(held["kernel"]))
    if biased:
        found = call.net.apply("Add", found, call.net.constant(held["bias"]))
    return bent(call, call.result(found, (*call.one.shape[:-1], units)), by)


def _embedding(call: Call) -> Tensor:
    call.options.absent("lora_rank", "sparse")
    words, width = call.options.integer("input_dim"), call.options.integer("output_dim")
    net = call.net
    held = net.constant(call.take(embeddings=(words, width))["embeddings"])
    # Before the cast, as no whole number stands for NaN or what is too large.
    place = net.apply("Clip", call.one.name, net.constant(0.0), net.constant(words - 1.0))
    found = net.apply("Gather", held, net.cast(place, "int64"), axis=0)
    masked = call.options.flag("mask_zero", default=False)
    return net.tensor(found, (*call.one.shape, width), masked=masked)


LAYERS: Mapping[str, Translation] = {"Dense": _dense, "Embedding": _embedding}
