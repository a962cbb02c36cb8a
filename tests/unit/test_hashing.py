"""The mixer of all hashes: its values are stored with projects, so they are those of splitmix64 for good."""

import numpy as np

from pgml.hashing import STEP, mixed


def test_values_are_those_of_splitmix64() -> None:
    states = np.array([1234567], np.uint64) + STEP * np.arange(1, 5, dtype=np.uint64)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert mixed(states).tolist() == published


def test_each_bit_of_a_value_changes_about_half_of_the_hash() -> None:
    values = np.random.default_rng(0).integers(0, 2**64, 500, dtype=np.uint64)
    for bit in range(64):
        changed = mixed(values) ^ mixed(values ^ np.uint64(1 << bit))
        share = np.unpackbits(changed.view(np.uint8)).mean()
        assert 0.47 < share < 0.53, bit


def test_an_array_keeps_its_shape_and_its_values() -> None:
    values = np.arange(6, dtype=np.uint64).reshape(2, 3)
    assert mixed(values).shape == (2, 3)
    np.testing.assert_array_equal(values, np.arange(6).reshape(2, 3))
