"""Files of Keras that are damaged, contradict themselves, or want more than memory or trust allows."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import h5py
import numpy as np
import pytest

from pgml.errors import InvalidValue, MalformedText, NotBuilt, PgmlError, TooLarge
from pgml.exchange import keras
from pgml.exchange.keras import archive as containers
from pgml.exchange.naming import Wanted
from tests.unit import keras_bytes, keras_files, mutations
from tests.unit.keras_bytes import BIAS, DENSE, KERNEL, WEIGHTS, archive, layer, sequential, whole

NOTHING = Wanted()
PARTS = json.dumps(keras_bytes.MODEL)
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    float("nan"),
    "",
    "x",
    "\0",
    [],
    {},
    [[]],
    [None, 3],
    "LSTM",
]


def _after(*layers: dict[str, Any]) -> dict[str, Any]:
    return sequential(keras_bytes.given(3), *layers)


def test_a_file_made_by_hand_is_read() -> None:
    rows = np.array([[1.0, 2.0, 3.0]])
    for data in (archive(), whole()):
        found = keras_files.predicted(keras.read(data, NOTHING), rows)
        np.testing.assert_array_equal(found, rows @ KERNEL + BIAS)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", containers.SIGNATURE, b"{}", archive()[:200], whole()[:600], archive(weights=None)],
)
def test_what_is_no_file_of_keras_is_told(data: bytes) -> None:
    with pytest.raises(MalformedText) as caught:
        keras.read(data, NOTHING)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            _after(layer("Lambda", name="odd", function="code")),
            '"odd" (Lambda) runs code',
        ),
        (_after(layer("Attention", name="look")), '"look" (Attention)'),
        (_after({**DENSE, "module": "mine"}), "class of your own, mine.Dense"),
        (_after({**DENSE, "registered_name": "Mine>Dense"}), "own, Mine>Dense"),
        (_after({**DENSE, "class_name": "Mine>Dense"}), "class of your own"),
        (sequential(keras_bytes.given(None, 3), layer("LSTM", units=2)), "whose size is not fixed"),
        (sequential(keras_bytes.given(4, 3), layer("LSTM", units=2, stateful=True)), "stateful"),
        (_after(layer("Dense", units=2, activation="odd")), "activation 'odd'"),
        (_after(layer("Dense", units=2, dtype="mixed_float16")), "mixed_float16"),
        (
            _after(DENSE, layer("Dense", name="b", units=2, dtype="float64")),
            "computes in float64",
        ),
        ({**keras_bytes.MODEL, "class_name": "Mine", "module": "mine"}, "class of your own"),
    ],
)
def test_what_cannot_be_imported_is_named_first(model: dict[str, Any], words: str) -> None:
    # The weights are not looked at: they would be an error of their own.
    with pytest.raises(NotBuilt) as caught:
        keras.read(archive(model, keras_bytes.hdf5(lambda file: file.create_group("layers"))), NOTHING)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_mask_that_a_layer_would_use_is_refused() -> None:
    words = layer("Embedding", input_dim=5, output_dim=2, mask_zero=True)
    weights = keras_bytes.numbered({"embedding/0": np.ones((5, 2))})
    for after in (
        layer("LSTM", units=2),
        layer("GlobalAveragePooling1D"),
        layer("Bidirectional", layer=layer("GRU", units=2)),
        layer("TimeDistributed", layer=DENSE),
    ):
        with pytest.raises(NotBuilt, match="mask_zero"):
            keras.read(archive(sequential(keras_bytes.given(4), words, after), weights), NOTHING)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"units": -1}, '"units"'),
        ({"units": "2"}, '"units"'),
        ({"units": True}, '"units"'),
        ({"units": 3}, "another size"),
        ({"use_bias": False}, "2 arrays"),
        ({"name": 7}, "without a name"),
    ],
)
def test_a_description_that_does_not_fit_is_told(config: dict[str, Any], words: str) -> None:
    changed = {**DENSE, "config": {**DENSE["config"], **config}}
    with pytest.raises(MalformedText) as caught:
        keras.read(archive(_after(changed)), NOTHING)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"a\\u0000b"', "[" * 200_000, '{"a":' * 100_000, "9" * 10_000, "", "nul", "\xff"]
)
def test_json_that_is_none_or_deep_is_told(text: str) -> None:
    with pytest.raises(MalformedText):
        keras.read(archive(text.encode("latin-1")), NOTHING)
    with pytest.raises(MalformedText):
        keras.read_parts(text, WEIGHTS, NOTHING)


def test_models_within_models_are_bounded() -> None:
    model = _after(DENSE)
    for _ in range(50):
        model = sequential(model)
    with pytest.raises(TooLarge):
        keras.read(archive(model), NOTHING)


def test_calls_of_models_in_models_are_bounded() -> None:
    model = sequential(keras_bytes.given(3), layer("Dropout", rate=0.5))
    for depth in range(9):
        inside = {**model, "config": {**model["config"], "name": f"inside_{depth}"}}
        nodes = [[[f"inside_{depth}", at, 0, {}]] for at in range(1, 30)]
        layers = [
            {**keras_bytes.given(3), "inbound_nodes": []},
            {**inside, "inbound_nodes": [[["given", 0, 0, {}]], *nodes]},
        ]
        ends = {"input_layers": [["given", 0, 0]], "output_layers": [[f"inside_{depth}", 30, 0]]}
        model = {"class_name": "Functional", "config": {"name": "model", "layers": layers, **ends}}
    with pytest.raises(TooLarge, match="calls layers more than"):
        keras.read(archive(model), NOTHING)


def test_layers_that_need_their_own_results_are_told() -> None:
    calls = [[["b", 0, 0, {}]]], [[["a", 0, 0, {}]]]
    layers = [
        {**layer("Activation", name=name), "inbound_nodes": node}
        for name, node in zip("ab", calls, strict=True)
    ]
    layers.append({**keras_bytes.given(3), "inbound_nodes": []})
    config = {
        "name": "m",
        "layers": layers,
        "input_layers": [["given", 0, 0]],
        "output_layers": [["a", 0, 0]],
    }
    with pytest.raises(MalformedText, match="need their own results"):
        keras.read(archive({"class_name": "Functional", "config": config}), NOTHING)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(InvalidValue, match="NaN or infinity"):
        keras.read(
            archive(weights=keras_bytes.numbered({"dense/0": np.full((3, 2), value), "dense/1": BIAS})),
            NOTHING,
        )


def test_weights_that_the_type_cannot_hold_are_refused() -> None:
    weights = keras_bytes.numbered({"dense/0": KERNEL.astype(np.float64) * 1e60, "dense/1": BIAS})
    with pytest.raises(InvalidValue, match="float32 cannot hold"):
        keras.read(archive(weights=weights), NOTHING)


def test_a_member_that_unpacks_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        keras.read(archive(b" " * (containers.MOST_TEXT + 1)), NOTHING)
    # One that says it is smaller than it is.
    data = bytearray(archive(b"[" + b" " * (4 << 20) + b"]"))
    for sign, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(sign) + at
        data[place : place + 4] = (100).to_bytes(4, "little")
    with pytest.raises(PgmlError):
        keras.read(bytes(data), NOTHING)


def test_a_member_packed_in_another_way_is_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("config.json", "{}")
        file.writestr("model.weights.h5", WEIGHTS)
    with pytest.raises(MalformedText, match="packed in another way"):
        keras.read(held.getvalue(), NOTHING)


def _external(file: Any) -> None:
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")
    file["layers/dense/vars/1"] = BIAS


def _soft(file: Any) -> None:
    file["layers/dense/vars/1"], file["other"] = BIAS, KERNEL
    file["layers/dense/vars/0"] = h5py.SoftLink("/other")


def _stored_elsewhere(file: Any) -> None:
    group = file.create_group("layers/dense/vars")
    group.create_dataset("0", (3, 2), "f4", external=[("/etc/passwd", 0, 24)])
    group["1"] = BIAS


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 2))
    file.create_group("layers/dense/vars").create_virtual_dataset("0", layout)
    file["layers/dense/vars/1"] = BIAS


def _texts(file: Any) -> None:
    group = file.create_group("layers/dense/vars")
    group.create_dataset("0", (3, 2), h5py.string_dtype())
    group["1"] = BIAS


@pytest.mark.parametrize("fill", [_external, _soft, _stored_elsewhere, _virtual, _texts])
def test_weights_that_are_elsewhere_or_no_numbers_are_refused(fill: keras_bytes.Fill) -> None:
    with pytest.raises(MalformedText):
        keras.read(archive(weights=keras_bytes.hdf5(fill)), NOTHING)


def test_weights_that_say_they_are_huge_are_not_read() -> None:
    count, width = 1 << 20, 1 << 10

    def fill(file: Any) -> None:
        group = file.create_group("layers/embedding/vars")
        group.create_dataset("0", (count, width), "f8", chunks=(1024, 1), compression="gzip")

    def chunked(file: Any) -> None:
        group = file.create_group("layers/embedding/vars")
        group.create_dataset("0", (3, 2), "f8", maxshape=(None, None), chunks=(1 << 14, 1 << 14))

    for shape, file in (((count, width), fill), ((3, 2), chunked)):
        words = layer("Embedding", input_dim=shape[0], output_dim=shape[1])
        with pytest.raises(TooLarge):
            keras.read(archive(_after(words), keras_bytes.hdf5(file)), NOTHING)


def test_sizes_inside_the_network_are_bounded() -> None:
    pad = layer("ZeroPadding1D", padding=1 << 23)
    for each in (pad, layer("RepeatVector", n=1 << 24)):
        shape = (2, 3) if each is pad else (3,)
        with pytest.raises(TooLarge):
            keras.read(archive(sequential(keras_bytes.given(*shape), each), WEIGHTS), NOTHING)


def test_labels_and_task_have_to_fit() -> None:
    bent = {**DENSE, "config": {**DENSE["config"], "activation": "softmax"}}
    classes = archive(_after(bent))
    found = keras.read(classes, Wanted(labels=["no", "yes"]))
    assert (found.task, list(found.labels), found.label_kind) == ("classification", ["no", "yes"], "text")
    assert keras.read(classes, Wanted(task="regression")).output == "value"
    for data, wanted in (
        (classes, Wanted(labels=["a", "b", "c"])),
        (archive(), Wanted(labels=["a", "b"])),
        (archive(), Wanted(task="classification")),
        (archive(), Wanted(task="clustering")),
    ):
        with pytest.raises(InvalidValue):
            keras.read(data, wanted)


def _changed(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a few of them others, gone, or doubled."""
    found = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(found))
        kind = rng.random()
        if kind < 0.6:
            found[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind < 0.8:
            del found[at : at + rng.choice([1, 8, 100])]
        else:
            found[at:at] = found[at : at + 8]
        found = found or bytearray(b"x")
    return bytes(found)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as what holds it and its key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


def _other_model(rng: random.Random) -> Any:
    model = json.loads(json.dumps(rng.choice([keras_bytes.MODEL, keras_bytes.functional()])))
    for _ in range(rng.choice([1, 2])):
        held, key = rng.choice(_places(model))
        if rng.random() < 0.8:
            held[key] = deepcopy(rng.choice(ODD))
        else:
            del held[key]
        if not _places(model):
            break
    return model


pytestmark = pytest.mark.timeout(1800)
"""With PGML_FULL=1 some take minutes."""
CHANGES: dict[str, Callable[[random.Random], tuple[dict[str, Any], bytes]]] = {
    "archive": lambda rng: ({}, _changed(archive(), rng)),
    "archive, weights": lambda rng: ({}, archive(weights=_changed(WEIGHTS, rng))),
    "archive, model": lambda rng: ({}, archive(_other_model(rng))),
    "whole": lambda rng: ({}, _changed(whole(), rng)),
    "whole, model": lambda rng: ({}, whole(_other_model(rng))),
    "parts, weights": lambda rng: ({"architecture": PARTS}, _changed(WEIGHTS, rng)),
    "parts, model": lambda rng: ({"architecture": json.dumps(_other_model(rng))}, WEIGHTS),
}


@pytest.mark.parametrize("change", CHANGES)
def test_of_changed_files_only_our_own_errors_come(change: str) -> None:
    """HDF5 itself crashes on some, so they are read where imports are."""
    rng = random.Random(change)
    verb = "import_keras_parts" if change.startswith("parts") else "import_keras"
    count = mutations.COUNT // 2
    found = mutations.imported(verb, (CHANGES[change](rng) for _ in range(count)))
    assert len(found) > count // 10
    assert sum(error.message.startswith(mutations.DEATH) for error in found) <= count // 100
