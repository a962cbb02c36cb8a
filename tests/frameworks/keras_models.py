"""Models of Keras with random weights, in each of its formats, and what they make of random rows.

Called with a directory: it gets ``NAME-DTYPE.keras``, ``.h5``, ``.json``, ``.weights.h5`` (as Keras 2 wrote
the last two), and ``.npz`` with ``inputs``, each a matrix of a row's numbers, and ``outputs``; those of
`HIDDEN`
have ``hidden``, too, what a layer between makes of the rows.
"""

import importlib
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROWS = 200
DTYPES = ("float32", "float64")
Shape = tuple[int, ...]
Chain = tuple[Shape, Callable[[Any], list[Any]]]
NAMES = (
    *("linear", "relu", "relu6", "leaky_relu", "sigmoid", "tanh", "softmax", "elu", "selu", "gelu", "silu"),
    *("swish", "softplus", "softsign", "exponential", "mish", "hard_sigmoid", "hard_silu"),
)
CHAINS: Mapping[str, Chain] = {
    **{f"activation_{name}": ((4,), lambda L, name=name: [L.Dense(3), L.Activation(name)]) for name in NAMES},
    "one_number": ((1,), lambda L: [L.Dense(3, activation="tanh"), L.Dense(1)]),
    "dense": ((4,), lambda L: [L.Dense(5, activation="relu"), L.Dropout(0.5), L.Dense(2, use_bias=False)]),
    "classes": ((4,), lambda L: [L.Dense(6, activation="tanh"), L.Dense(3, activation="softmax")]),
    "two_classes": ((4,), lambda L: [L.Dense(6, activation="selu"), L.Dense(1, activation="sigmoid")]),
    "softmax_layer": ((4,), lambda L: [L.Dense(3), L.Softmax()]),
    "softmax_of_steps": ((3, 2), lambda L: [L.Softmax(axis=1), L.Flatten()]),
    "relu_of_all": (
        (4,),
        lambda L: [L.Dense(4), L.ReLU(max_value=1.5, negative_slope=0.25, threshold=0.5), L.Dense(2)],
    ),
    "relu_bounded": ((4,), lambda L: [L.Dense(4), L.ReLU(max_value=1.0, negative_slope=0.1)]),
    "relu_threshold": ((4,), lambda L: [L.Dense(4), L.ReLU(threshold=0.25)]),
    "leaky_relu": ((4,), lambda L: [L.Dense(4), L.LeakyReLU(negative_slope=0.15)]),
    "prelu": ((4,), lambda L: [L.Dense(4), L.PReLU(alpha_initializer="ones")]),
    "prelu_shared": ((3, 2), lambda L: [L.PReLU(shared_axes=[1]), L.Flatten(), L.Dense(2)]),
    "elu": ((4,), lambda L: [L.Dense(4), L.ELU(alpha=0.7)]),
    "batch_normalization": ((4,), lambda L: [L.Dense(4), L.BatchNormalization(), L.Dense(2)]),
    "batch_normalization_bare": (
        (3, 2),
        lambda L: [L.BatchNormalization(axis=1, center=False, scale=False), L.Flatten()],
    ),
    "layer_normalization": ((3, 4), lambda L: [L.LayerNormalization(), L.Flatten(), L.Dense(2)]),
    "layer_normalization_of_axes": (
        (3, 2),
        lambda L: [L.LayerNormalization(axis=[1, 2], center=False, epsilon=0.01), L.Flatten()],
    ),
    "normalization": ((4,), lambda L: [L.Normalization(), L.Dense(2)]),
    "normalization_given": (
        (3,),
        lambda L: [L.Normalization(mean=[1.0, 2.0, 3.0], variance=[0.5, 1.0, 4.0]), L.Dense(2)],
    ),
    "normalization_of_all": ((2, 3), lambda L: [L.Normalization(axis=None), L.Flatten(), L.Dense(2)]),
    "rescaling": ((4,), lambda L: [L.Rescaling(1 / 127.5, offset=-1.0), L.Dense(2)]),
    "reshape": (
        (6,),
        lambda L: [L.Reshape((3, -1)), L.Permute((2, 1)), L.Flatten(), L.RepeatVector(2), L.Flatten()],
    ),
    "flatten_channels_first": (
        (2, 3, 2),
        lambda L: [L.Flatten(data_format="channels_first"), L.Dense(2)],
    ),
    "dense_of_steps": ((3, 2), lambda L: [L.Dense(4, activation="tanh"), L.Flatten(), L.Dense(2)]),
    "time_distributed": (
        (3, 2),
        lambda L: [L.TimeDistributed(L.Dense(4, activation="relu")), L.Flatten(), L.Dense(1)],
    ),
    "embedding": (
        (3,),
        lambda L: [L.Embedding(7, 3), L.Flatten(), L.Dense(2)],
    ),
    "embedding_masked": ((3,), lambda L: [L.Embedding(7, 2, mask_zero=True), L.Flatten(), L.Dense(2)]),
    "conv_1d": (
        (7, 2),
        lambda L: [L.Conv1D(3, 3, activation="relu"), L.MaxPooling1D(2), L.Flatten(), L.Dense(2)],
    ),
    "conv_1d_causal": ((6, 2), lambda L: [L.Conv1D(2, 2, padding="causal", dilation_rate=2), L.Flatten()]),
    "conv_1d_same": (
        (6, 2),
        lambda L: [
            L.Conv1D(4, 4, padding="same", strides=2, use_bias=False),
            L.AveragePooling1D(2, padding="same"),
            L.GlobalMaxPooling1D(),
        ],
    ),
    "conv_2d": (
        (5, 4, 2),
        lambda L: [
            L.Conv2D(3, (3, 2), activation="relu"),
            L.MaxPooling2D((2, 2), strides=1),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ],
    ),
    "conv_2d_same": (
        (5, 4, 2),
        lambda L: [
            L.Conv2D(2, 2, strides=(2, 3), padding="same"),
            L.GlobalAveragePooling2D(),
        ],
    ),
    "conv_2d_dilated": (
        (5, 5, 1),
        lambda L: [L.Conv2D(2, 2, dilation_rate=2, padding="same"), L.GlobalMaxPooling2D()],
    ),
    "conv_2d_grouped": ((4, 3, 4), lambda L: [L.Conv2D(6, 2, groups=2), L.Flatten()]),
    "conv_2d_channels_first": (
        (2, 5, 4),
        lambda L: [
            L.Conv2D(3, 2, data_format="channels_first", activation="tanh"),
            L.AveragePooling2D(2, data_format="channels_first"),
            L.Flatten(),
        ],
    ),
    "average_pool": ((5, 4, 2), lambda L: [L.AveragePooling2D((3, 2), strides=(1, 2)), L.Flatten()]),
    "average_pool_same": (
        (5, 4, 2),
        lambda L: [L.AveragePooling2D(3, strides=1, padding="same"), L.Flatten()],
    ),
    "max_pool_same": ((5, 4, 2), lambda L: [L.MaxPooling2D(2, padding="same"), L.Flatten()]),
    "zero_padding": (
        (3, 2, 2),
        lambda L: [L.ZeroPadding2D(((1, 0), (2, 1))), L.Cropping2D(((0, 1), (1, 1))), L.Flatten()],
    ),
    "zero_padding_1d": ((3, 2), lambda L: [L.ZeroPadding1D((1, 2)), L.Cropping1D(1), L.Flatten()]),
    "global_pools": ((4, 3), lambda L: [L.GlobalAveragePooling1D(), L.Dense(2)]),
    "simple_rnn": ((4, 3), lambda L: [L.SimpleRNN(3), L.Dense(2)]),
    "simple_rnn_relu": (
        (4, 3),
        lambda L: [L.SimpleRNN(3, activation="relu", return_sequences=True), L.Flatten()],
    ),
    "lstm": ((5, 3), lambda L: [L.LSTM(4), L.Dense(2)]),
    "lstm_sequences": ((4, 2), lambda L: [L.LSTM(3, return_sequences=True), L.LSTM(2), L.Dense(1)]),
    "lstm_backwards": (
        (4, 2),
        lambda L: [L.LSTM(3, go_backwards=True, return_sequences=True), L.Flatten()],
    ),
    "lstm_backwards_last": ((4, 2), lambda L: [L.LSTM(3, go_backwards=True, use_bias=False)]),
    "lstm_odd_curves": (
        (4, 2),
        lambda L: [L.LSTM(3, activation="softsign", recurrent_activation="hard_sigmoid"), L.Dense(1)],
    ),
    "gru": ((5, 3), lambda L: [L.GRU(4), L.Dense(2)]),
    "gru_before": (
        (5, 3),
        lambda L: [L.GRU(4, reset_after=False, return_sequences=True), L.GRU(2), L.Dense(2)],
    ),
    "gru_odd_curves": (
        (3, 2),
        lambda L: [L.GRU(3, activation="elu", reset_after=False, recurrent_activation="hard_sigmoid")],
    ),
    "gru_without_bias": ((3, 2), lambda L: [L.GRU(3, use_bias=False)]),
    "bidirectional": ((4, 2), lambda L: [L.Bidirectional(L.LSTM(3)), L.Dense(2)]),
    "bidirectional_sequences": (
        (4, 2),
        lambda L: [L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="sum"), L.Flatten()],
    ),
    "bidirectional_mul": ((4, 2), lambda L: [L.Bidirectional(L.SimpleRNN(2), merge_mode="mul")]),
    "bidirectional_ave": ((4, 2), lambda L: [L.Bidirectional(L.LSTM(2), merge_mode="ave"), L.Dense(1)]),
    "steep_logits": ((4,), lambda L: [L.Dense(3, activation="softmax", name="steep")]),
    "steep_logit": ((4,), lambda L: [L.Dense(1, activation="sigmoid", name="steep")]),
    "saturated_lstm": ((5, 2), lambda L: [L.LSTM(3, name="saturated"), L.Dense(2)]),
    "saturated_gru": ((5, 2), lambda L: [L.GRU(3, name="saturated"), L.Dense(2)]),
}
"""Layers one after another: the shape of a row, and the layers of ``keras.layers``."""

HIDDEN: Mapping[str, int] = {"classes": 0, "conv_1d": 2, "embedding": 1, "dense_of_steps": 1}
"""Chains of which one layer leads to the last that has weights: its place."""


def branches(keras: Any) -> Any:
    """Return a model of two inputs, with every layer that joins and one that is used twice."""
    L = keras.layers
    one, other = keras.Input((3,), name="one"), keras.Input((3,), name="other")
    shared = L.Dense(3, activation="tanh", name="shared")
    a, b = shared(one), shared(other)
    joined = [L.Add()([a, b]), L.Subtract()([a, b]), L.Multiply()([a, b]), L.Average()([a, b, one])]
    joined += [L.Maximum()([a, b]), L.Minimum()([a, b])]
    whole = L.Concatenate()(joined)
    inner = keras.Sequential([keras.Input((18,)), L.Dense(4, activation="relu"), L.Dense(3)], name="inner")
    return keras.Model([one, other], L.Dense(2, activation="softmax")(L.Add()([inner(whole), one])))


def nested(keras: Any) -> Any:
    """Return a model that holds a functional model twice, one frozen layer in it."""
    L = keras.layers
    given = keras.Input((2,))
    side = L.Dense(2, activation="relu")(given)
    block = keras.Model(given, L.BatchNormalization()(L.Add()([side, given])), name="block")
    block.layers[1].trainable = False
    whole = keras.Input((2,), name="given")
    return keras.Model(whole, L.Concatenate(axis=1)([block(whole), block(block(whole))]))


def ends(keras: Any) -> Any:
    """Return a model of two results."""
    given = keras.Input((3,), name="given")
    first = keras.layers.Dense(2, name="first")(given)
    return keras.Model(given, [first, keras.layers.Dense(1, activation="sigmoid", name="second")(first)])


FUNCTIONAL: Mapping[str, Callable[[Any], Any]] = {"branches": branches, "nested": nested, "ends": ends}


def _model(keras: Any, name: str) -> Any:
    keras.backend.clear_session()
    if name in FUNCTIONAL:
        return FUNCTIONAL[name](keras)
    shape, layers = CHAINS[name]
    return keras.Sequential([keras.Input(shape, name="given"), *layers(keras.layers)])


def _randomize(model: Any, name: str, rng: Any) -> None:
    for weight in model.weights:
        # So that sums stay small, whose rounding in float32 is compared.
        seen = math.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 1
        values = rng.normal(scale=min(0.6, 1.2 / math.sqrt(seen)), size=weight.shape)
        if weight.name in ("moving_variance", "variance"):
            values = rng.uniform(0.3, 2.0, size=weight.shape)
        elif weight.name == "count":
            continue
        elif "steep" in weight.path:
            # Such that sums are exact, and reach 1000.
            values = rng.integers(-125, 126, size=weight.shape).astype(float)
        elif "saturated" in weight.path:
            values = values * 400
        weight.assign(values)


def _rows(model: Any, name: str, rng: Any, dtype: str) -> list[Any]:
    found = []
    for given in model.inputs:
        shape = (ROWS, *given.shape[1:])
        values = rng.integers(0, 7, size=shape) if name.startswith("embedding") else rng.normal(size=shape)
        if name.startswith("steep"):
            values = rng.integers(-4, 5, size=shape) / 2
        found.append(values.astype(dtype))
    return found


def main(directory: Path) -> None:
    """Write all models."""
    import keras
    import keras_2
    import numpy as np
    import torch

    torch.set_num_threads(1)
    # Beside PyTorch, Keras rounds products to float32 whatever the policy, beside TensorFlow it does not.
    importlib.import_module("keras.src.backend.common.dtypes").BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    for dtype in DTYPES:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        for number, name in enumerate([*CHAINS, *FUNCTIONAL]):
            rng = np.random.default_rng(number)
            model = _model(keras, name)
            _randomize(model, name, rng)
            rows = _rows(model, name, rng, dtype)
            made = model([keras.ops.convert_to_tensor(each) for each in rows] if len(rows) > 1 else rows[0])
            outputs = [
                keras.ops.convert_to_numpy(each) for each in (made if isinstance(made, list) else [made])
            ]
            stem = directory / f"{name}-{dtype}"
            model.save(f"{stem}.keras")
            model.save(f"{stem}.h5")
            keras_2.write(model, Path(f"{stem}.json"), Path(f"{stem}.weights.h5"))
            flat = [each.reshape(ROWS, -1) for each in rows]
            wide = [each.reshape(ROWS, -1) for each in outputs]
            between = {}
            if name in HIDDEN:
                part = keras.Model(model.inputs, model.layers[HIDDEN[name]].output)
                between["hidden"] = keras.ops.convert_to_numpy(part(rows[0])).reshape(ROWS, -1)
            np.savez(f"{stem}.npz", inputs=np.hstack(flat), outputs=np.hstack(wide), **between)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
