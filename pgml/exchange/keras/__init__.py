"""Networks of Keras 2 and 3: ``.keras`` files, whole models in HDF5, and JSON with HDF5.

Only JSON and arrays are read.  Layers that hold code, and those of other packages, are refused before
anything else.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from pgml.columns import Column
from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.foreign import Foreign
from pgml.exchange.keras import document, ends, layers, topology
from pgml.exchange.keras.archive import MOST_BYTES, MOST_TEXT, SIGNATURE, Hdf5, members, shown
from pgml.exchange.keras.document import HINT, Described
from pgml.exchange.keras.net import Net, Tensor
from pgml.exchange.keras.weights import Weights, weights_of
from pgml.exchange.naming import Wanted

ZIP = b"PK\x03\x04"
WEIGHTS = "model.weights.h5"


def read(data: bytes, wanted: Wanted) -> Foreign:
    """Return the model of a ``.keras`` file, or of a whole model in HDF5.

    Parameters
    ----------
    data : bytes
    wanted : Wanted
        Labels and task that the user names.

    Raises
    ------
    MalformedText
        It is no such file, or damaged.
    InvalidValue
        Its weights are no numbers, or what is wanted does not fit.
    NotBuilt
        It has a layer that this version does not know, or knows otherwise.
    TooLarge
    """
    if data.startswith(ZIP):
        return _read_archive(data, wanted)
    if data.startswith(SIGNATURE):
        return _read_whole(data, wanted)
    raise MalformedText(
        "the file is neither a .keras file nor HDF5",
        hint='Give the bytes of a file that model.save("model.keras") or model.save("model.h5") has written.',
    )


def read_parts(architecture: str, weights: bytes, wanted: Wanted) -> Foreign:
    """Return the model of ``model.to_json()`` with the file of ``model.save_weights()``; errors as `read`."""
    given = document.parsed(architecture, "the architecture")
    version = given.get("keras_version") if isinstance(given, dict) else None
    if not weights.startswith(SIGNATURE):
        raise MalformedText(
            "the file of weights is not HDF5",
            hint='Give the bytes of a file that model.save_weights("model.weights.h5") has written.',
        )
    file = Hdf5(weights, "the file of weights")
    version = version if isinstance(version, str) else file.text("keras_version")
    return _foreign(given, version, file, wanted)


def _read_archive(data: bytes, wanted: Wanted) -> Foreign:
    held = members(data, {"config.json": MOST_TEXT, "metadata.json": MOST_TEXT, WEIGHTS: MOST_BYTES})
    for name in ("config.json", WEIGHTS):
        if name not in held:
            raise MalformedText(f'the .keras file has no "{name}"', hint=HINT)
    metadata = document.parsed(held.get("metadata.json", b"{}"), '"metadata.json"')
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    model = document.parsed(held["config.json"], '"config.json"')
    file = Hdf5(held[WEIGHTS], f'"{WEIGHTS}"') if held[WEIGHTS].startswith(SIGNATURE) else None
    if file is None:
        raise MalformedText(f'"{WEIGHTS}" in the .keras file is not HDF5', hint=HINT)
    return _foreign(model, version, file, wanted)


def _read_whole(data: bytes, wanted: Wanted) -> Foreign:
    file = Hdf5(data, "the file")
    text = file.text("model_config")
    if text is None:
        raise MalformedText(
            "the file has weights alone, and no model",
            hint="Save the model with model.save(), or give what model.to_json() says as well.",
        )
    version = file.text("keras_version") or file.text("keras_version", ("model_weights",))
    return _foreign(document.parsed(text, "the model's description"), version, file, wanted)


def _foreign(given: Any, version: Any, file: Hdf5, wanted: Wanted) -> Foreign:
    said = shown(version)[:60] if isinstance(version, str) else ""
    with document.bounded("the model's description"):
        return _built(given, said, file, wanted)


def _built(given: Any, said: str, file: Hdf5, wanted: Wanted) -> Foreign:
    number = 3 if said.startswith(("3", "4")) or _is_of_keras_3(given) else 2
    model = document.described(given, number)
    if not model.is_model:
        raise NotBuilt(
            f"model {model.options.layer} is of a class that cannot be imported",
            hint="Build it as a Sequential or functional model, or export it to ONNX for pgml.import_onnx.",
        )
    layers.check(model)
    dtype = document.dtype_of(model)
    return _translated(model, weights_of(file), dtype, said, wanted)


def _is_of_keras_3(given: Any) -> bool:
    """Return whether a description without a version has what Keras 3 alone writes."""
    return isinstance(given, dict) and str(given.get("module", "")).startswith("keras.src.models")


def _translated(model: Described, weights: Weights, dtype: str, version: str, wanted: Wanted) -> Foreign:
    given = topology.inputs(model)
    columns = [_column(each) for each in given]
    net = Net(sum(column.width for column in columns), dtype)
    tensors = _split(net, given, [column.width for column in columns])
    results = topology.applied(model, weights, tensors, net)
    output, width, (task, kind, labels, label_kind) = ends.finished(net, results, wanted)
    return Foreign(
        columns=columns,
        texts={},
        graph=net.finish(output, kind, width),
        dtype=dtype,
        task=task,
        output=kind,
        labels=labels,
        label_kind=label_kind,
        algorithm="keras",
        versions={"keras": version} if version else {},
        rows=net.rows,
    )


def _column(given: topology.Input) -> Column:
    width = prod(given.shape)
    return (
        Column(given.name, "double precision[]", width)
        if width > 1
        else Column(given.name, "double precision")
    )


def _split(net: Net, given: Sequence[topology.Input], widths: Sequence[int]) -> list[Tensor]:
    """Return the tensors that a model is given, from the one matrix of all features."""
    found, start = [], 0
    for each, width in zip(given, widths, strict=True):
        shaped = net.tensor("features", each.shape)
        name = net.part("features", 1, start, start + width) if len(given) > 1 else "features"
        name = net.reshaped(name, each.shape) if len(each.shape) > 1 else name
        found.append(net.tensor(name, shaped.shape))
        start += width
    return found
