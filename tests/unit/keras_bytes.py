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
