"""What a network of Keras is as a model here: its features, its classes, and what Keras 2 meant otherwise."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pgml.artifact.format import unpack
from pgml.columns import Column
from pgml.errors import InvalidValue, NotBuilt
from pgml.exchange import assembly, keras
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.inference import Predictor
from tests.frameworks import Written
from tests.frameworks.keras_models import ROWS
from tests.unit import keras_bytes, keras_files
from tests.unit.keras_bytes import BIAS, DENSE, KERNEL, archive, given, layer, sequential
from tests.unit.keras_files import NOTHING

Floats = npt.NDArray[np.float64]
ROWS_OF_3 = np.random.default_rng(3).normal(size=(20, 3))
NO_WEIGHTS = keras_bytes.hdf5(lambda file: file.create_group("layers"))


def made(shape: Sequence[int], *layers: dict[str, Any]) -> Foreign:
    """Return a model without weights."""
    return keras.read(archive(sequential(given(*shape), *layers), NO_WEIGHTS), NOTHING)


def test_an_array_is_one_feature_and_a_name_for_each_number_splits_it() -> None:
    foreign = keras.read(archive(), NOTHING)
    assert list(foreign.columns) == [Column("given", "double precision[]", 3)]
    assert (foreign.task, foreign.output, foreign.algorithm) == ("regression", "value", "keras")
    assert foreign.versions == {"keras": "3.15.1"}
    assert assembly.target_names(foreign, None) == ["target_1", "target_2"]
    wanted = Wanted(features=["age", {"name": "size", "type": "integer"}, "weight"])
    predictor = Predictor(keras_files.packed(foreign, wanted))
    assert [column.type for column in predictor.columns] == [
        "double precision",
        "integer",
        "double precision",
    ]


def test_each_input_is_a_feature(written: Written) -> None:
    foreign = keras_files.read(written("keras_models") / "branches-float32", "keras")
    assert [(column.name, column.width) for column in foreign.columns] == [("one", 3), ("other", 3)]


def test_a_chain_without_an_input_layer_is_called_by_its_first() -> None:
    first = {**DENSE, "config": {**DENSE["config"], "batch_input_shape": [None, 3]}}
    foreign = keras.read(archive(sequential(first)), NOTHING)
    assert list(foreign.columns) == [Column("dense_input", "double precision[]", 3)]
    built = sequential(DENSE)
    built["config"]["build_input_shape"] = [None, 3]
    assert list(keras.read(archive(built), NOTHING).columns) == list(foreign.columns)


def test_a_functional_model_made_by_hand_is_read() -> None:
    foreign = keras.read(archive(keras_bytes.functional()), NOTHING)
    sums = ROWS_OF_3.astype(np.float32) @ KERNEL + BIAS
    bent = np.tanh(sums)
    padded = np.column_stack([np.zeros(len(bent)), bent])
    pooled = [np.maximum(padded[:, 0], padded[:, 1]), np.maximum(padded[:, 1], padded[:, 2]), padded[:, 2]]
    raised = np.exp(np.column_stack([*pooled, sums]))
    wanted = raised / raised.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(keras_files.predicted(foreign, ROWS_OF_3), wanted, atol=1e-6)
    assert (foreign.task, foreign.labels) == ("classification", [0.0, 1.0, 2.0, 3.0, 4.0])


def test_two_classes_add_up_to_1_exactly(written: Written) -> None:
    foreign = keras_files.read(
        written("keras_models") / "two_classes-float32", "h5", Wanted(labels=[False, True])
    )
    rows, outputs = keras_files.outputs(written("keras_models") / "two_classes-float32")
    found = keras_files.predicted(foreign, rows)
    assert (list(foreign.labels), foreign.label_kind) == ([0.0, 1.0], "boolean")
    assert (found.sum(axis=1) == 1).all()
    np.testing.assert_allclose(found[:, 1:], outputs, atol=1e-6)
    with pytest.raises(InvalidValue, match="tells 2 classes apart"):
        keras_files.read(
            written("keras_models") / "two_classes-float32", "h5", Wanted(labels=["a", "b", "c"])
        )


def test_the_first_files_of_keras_2_are_read() -> None:
    words = layer(
        "Embedding", name="e", input_dim=3, output_dim=1, dtype="int32", batch_input_shape=[None, 2]
    )
    unit = layer("SimpleRNN", name="rnn_1", units=1, activation="linear")
    both = layer("Bidirectional", name="both", layer=unit, merge_mode="concat")
    model = {"class_name": "Sequential", "config": [words, both], "keras_version": "2.0.8"}
    for each in (words, unit, both):
        del each["module"], each["registered_name"]
    for each in (unit, both):
        del each["config"]["dtype"]

    def fill(file: Any) -> None:
        file.attrs["layer_names"], file.attrs["backend"] = [b"e", b"both"], b"tensorflow"
        names = [f"both/{way}_rnn_1/{name}:0" for way in ("forward", "backward") for name in _RNN]
        held = [[[2.0]], [[0.5]], [1.0], [[3.0]], [[0.0]], [0.0]]
        for kind, places, values in (
            ("e", ["e/embeddings:0"], [[[1.0], [2.0], [4.0]]]),
            ("both", names, held),
        ):
            group = file.create_group(kind)
            group.attrs["weight_names"] = np.array([place.encode() for place in places])
            for place, each in zip(places, values, strict=True):
                group[place] = np.array(each, dtype=np.float32)

    foreign = keras.read_parts(json.dumps(model), keras_bytes.hdf5(fill), NOTHING)
    # (2 * 1 + 1) / 2 + 2 * 4 + 1, and three times the first.
    assert keras_files.predicted(foreign, np.array([[0.0, 2.0]])).tolist() == [[10.5, 3.0]]


_RNN = ("kernel", "recurrent_kernel", "bias")


def test_kernels_that_theano_turned_around_are_refused() -> None:
    def fill(file: Any) -> None:
        file.attrs["layer_names"], file.attrs["backend"] = [b"dense"], b"theano"

    with pytest.raises(NotBuilt, match="theano"):
        keras.read_parts(keras_bytes.described(keras_bytes.MODEL, "2.1.0"), keras_bytes.hdf5(fill), NOTHING)


def test_keras_2_has_a_steeper_hard_sigmoid() -> None:
    bend = layer("Activation", activation="hard_sigmoid")
    rows = np.linspace(-4, 4, ROWS).reshape(-1, 1)
    for version, slope in (("2.15.0", 0.2), ("3.0.5", 1 / 6)):
        text = keras_bytes.described(sequential(given(1), bend), version)
        found = keras_files.predicted(keras.read_parts(text, NO_WEIGHTS, NOTHING), rows)
        np.testing.assert_allclose(found, np.clip(rows * slope + 0.5, 0, 1), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_odd_place_is_padded_behind_and_not_counted_as_in_tensorflow(dtype: str) -> None:
    pool = layer("AveragePooling1D", pool_size=[2], strides=[2], padding="same", dtype=dtype)
    flat = layer("Flatten", dtype=dtype)
    found = keras_files.predicted(made((5, 1), pool, flat), np.array([[1.0, 2, 3, 4, 9]]))
    assert found.tolist() == [[1.5, 3.5, 9.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_missing_stays_missing_but_for_embeddings(dtype: str) -> None:
    dense = {**DENSE, "config": {**DENSE["config"], "dtype": dtype, "activation": "relu"}}
    foreign = keras.read(archive(sequential(given(3), dense)), NOTHING)
    assert np.isnan(keras_files.predicted(foreign, np.array([[np.nan, 1.0, 2.0]]))).all()


def test_a_word_out_of_range_is_the_nearest_one() -> None:
    words = layer("Embedding", input_dim=3, output_dim=1)
    weights = keras_bytes.numbered({"embedding/0": np.array([[1.0], [2.0], [4.0]])})
    foreign = keras.read(archive(sequential(given(4), words, layer("Flatten")), weights), NOTHING)
    found = keras_files.predicted(foreign, np.array([[-5.0, 0.0, 2.0, 1e30]]))
    assert found.tolist() == [[1.0, 1.0, 4.0, 4.0]]


def test_several_results_are_values_beside_each_other(written: Written) -> None:
    foreign = keras_files.read(written("keras_models") / "ends-float64", "keras")
    assert (foreign.output, len(assembly.target_names(foreign, None))) == ("value", 3)


def test_the_same_file_gives_the_same_bytes() -> None:
    one, other = (
        keras.read(archive(), NOTHING).graph.SerializeToString(deterministic=True) for _ in range(2)
    )
    assert one == other


def test_long_sequences_are_written_out_up_to_a_bound() -> None:
    def weights(file: Any) -> None:
        group = file.create_group("layers/gru/cell/vars")
        for number, shape in enumerate([(1, 3), (1, 3), (2, 3)]):
            group[str(number)] = np.full(shape, 0.1)

    def read(steps: int, dtype: str) -> Foreign:
        unit = layer("GRU", units=1, reset_after=True, recurrent_activation="sigmoid", dtype=dtype)
        return keras.read(archive(sequential(given(steps, 1), unit), keras_bytes.hdf5(weights)), NOTHING)

    single, double = read(300, "float32"), read(300, "float64")
    rows = np.random.default_rng(0).normal(size=(5, 300))
    answers = [keras_files.predicted(each, rows) for each in (single, double)]
    np.testing.assert_allclose(*answers, atol=1e-6)
    assert read(5000, "float32").columns[0].width == 5000
    assert len(double.graph.graph.value_info) >= len(double.graph.graph.node) - 1
    with pytest.raises(NotBuilt, match="more than 500 steps in float64"):
        read(501, "float64")


def test_large_tensors_are_computed_a_few_rows_at_a_time() -> None:
    many = made((2,), layer("RepeatVector", n=1 << 20), layer("GlobalMaxPooling1D"))
    assert many.rows == 32
    assert unpack(keras_files.packed(many)).decoder["rows"] == 32
    assert made((2,), layer("ELU", alpha=1.0)).rows is None
