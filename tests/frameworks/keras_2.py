"""The files that Keras 2 wrote, of models of Keras 3: its JSON, and its HDF5 of weights.

Keras 3 still reads the latter, so its layout is that of `keras.src.legacy.saving.legacy_h5_format`.
"""

import json
from pathlib import Path
from typing import Any

VERSION = "2.15.0"


def write(model: Any, architecture: Path, weights: Path) -> None:
    """Write a model's description and its weights."""
    import h5py

    config = {"class_name": type(model).__name__, "config": _config(model.get_config())}
    architecture.write_text(json.dumps({**config, "keras_version": VERSION, "backend": "tensorflow"}))
    with h5py.File(weights, "w") as file:
        layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", VERSION.encode()
        for layer in layers:
            group = file.create_group(layer.name)
            every = layer.trainable_weights + layer.non_trainable_weights
            names = [_path(weight, layer) for weight in every]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, every, strict=True):
                group.create_dataset(name, data=weight.numpy())


def _path(weight: Any, layer: Any) -> str:
    # Keras 2 does not put the name of a model before those of its layers.
    inside = hasattr(layer, "layers")
    return (weight.path.removeprefix(f"{layer.name}/") if inside else weight.path) + ":0"


def _config(given: Any) -> Any:
    """Return a configuration with the words of Keras 2."""
    if isinstance(given, list):
        return [_config(each) for each in given]
    if not isinstance(given, dict):
        return given
    if given.get("class_name") == "DTypePolicy":
        return given["config"]["name"]
    found = {key: _config(value) for key, value in given.items() if key not in _NEW}
    if "batch_shape" in found:
        found["batch_input_shape"] = found.pop("batch_shape")
    if given.get("class_name") == "LeakyReLU":
        found["config"]["alpha"] = found["config"].pop("negative_slope")
    if given.get("class_name") == "Bidirectional":
        found["config"].pop("backward_layer")
        inner = found["config"]["layer"]["config"]
        inner["name"] = inner["name"].removeprefix("forward_")
    if "inbound_nodes" in given:
        found["inbound_nodes"] = [_node(each) for each in given["inbound_nodes"]]
    return found


def _node(given: Any) -> Any:
    tensors = given["args"][0]
    every = tensors if isinstance(tensors, list) else [tensors]
    return [[*each["config"]["keras_history"], {}] for each in every]


_NEW = ("build_config", "module", "optional", "registered_name", "shared_object_id")
