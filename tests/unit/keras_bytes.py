"""Files of Keras made by hand, sound and hostile."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np

KERNEL, BIAS = np.arange(6.0, dtype=np.float32).reshape(3, 2), np.array([0.5, -0.5], dtype=np.float32)
Fill = Callable[[Any], None]


def layer(kind: str, **config: Any) -> dict[str, Any]:
    """Return a layer as Keras 3 describes it."""
    named = {"name": kind.lower(), "dtype": "float32", **config}
    return {"module": "keras.layers", "class_name": kind, "config": named, "registered_name": None}


def given(*shape: int | None) -> dict[str, Any]:
    return layer("InputLayer", name="given", batch_shape=[None, *shape])


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    config = {"name": "model", "layers": list(layers)}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


DENSE = layer("Dense", name="dense", units=2, activation="linear", use_bias=True)
MODEL = sequential(given(3), DENSE)


def described(model: dict[str, Any], version: str) -> str:
    """Return what ``model.to_json()`` says in a version of Keras."""
    return json.dumps({**model, "module": None, "keras_version": version, "backend": "tensorflow"})


def _called(described: dict[str, Any], *sources: tuple[str, int]) -> dict[str, Any]:
    """Return a layer with one call of it on results of others, each a layer's name and which call of it."""
    node = [[name, at, 0, {}] for name, at in sources]
    return {**described, "name": described["config"]["name"], "inbound_nodes": [node] if node else []}


def functional() -> dict[str, Any]:
    """Return a model of branches that join, with a model in it, whose one layer with weights is `DENSE`."""
    inside = sequential(given(2), layer("Activation", name="bend", activation="tanh"))
    inside["config"]["name"] = "inside"
    layers = [
        _called(given(3)),
        _called(DENSE, ("given", 0)),
        _called(inside, ("dense", 0)),
        _called(layer("Reshape", name="column", target_shape=[2, 1]), ("inside", 1)),
        _called(layer("ZeroPadding1D", name="pad", padding=[1, 0]), ("column", 0)),
        _called(layer("MaxPooling1D", name="pool", pool_size=[2], strides=[1], padding="same"), ("pad", 0)),
        _called(layer("Flatten", name="flat"), ("pool", 0)),
        _called(layer("Concatenate", name="joined", axis=-1), ("flat", 0), ("dense", 0)),
        _called(layer("Softmax", name="shares", axis=-1), ("joined", 0)),
    ]
    config = {"name": "model", "layers": layers}
    config |= {"input_layers": [["given", 0, 0]], "output_layers": [["shares", 0, 0]]}
    return {"class_name": "Functional", "config": config}


def hdf5(fill: Fill) -> bytes:
    """Return an HDF5 file that a function has filled."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        fill(file)
    return held.getvalue()


def numbered(arrays: Mapping[str, Any]) -> bytes:
    """Return weights as Keras 3 keeps them, by ``layer/number``."""

    def fill(file: Any) -> None:
        for place, values in arrays.items():
            name, number = place.split("/")
            file.create_dataset(f"layers/{name}/vars/{number}", data=values)

    return hdf5(fill)


WEIGHTS = numbered({"dense/0": KERNEL, "dense/1": BIAS})


def archive(model: Any = MODEL, weights: bytes | None = WEIGHTS, **more: bytes) -> bytes:
    """Return a .keras file of a description, an object or bytes, and a file of weights."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", model if isinstance(model, bytes) else json.dumps(model))
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        if weights is not None:
            file.writestr("model.weights.h5", weights)
        for name, data in more.items():
            file.writestr(name, data)
    return held.getvalue()


def whole(model: Any = MODEL, version: str = "2.15.0") -> bytes:
    """Return a whole model in HDF5, as Keras 2 writes it."""

    def fill(file: Any) -> None:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(model), version
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"dense"]
        group.create_group("dense").attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        group["dense/dense/kernel:0"], group["dense/dense/bias:0"] = KERNEL, BIAS

    return hdf5(fill)
