"""Models are let go of, the least recently used first, and it is said."""

import pytest

from pgml import cache
from pgml.cache import MEMORY_BYTES, MEMORY_FACTOR, Cache

MODEL = b"model"
SIZE = MEMORY_BYTES + MEMORY_FACTOR * len(MODEL)


def test_the_least_recently_used_goes_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "Predictor", lambda data: object())
    held = Cache()
    said: list[int] = []
    held.on_evict = lambda: said.append(len(held))
    for number in range(3):
        held.load((number, ""), lambda: MODEL, 3 * SIZE)
    assert (held.bytes, said) == (3 * SIZE, [])
    held.get((0, ""))
    held.load((3, ""), lambda: MODEL, 3 * SIZE)
    assert (list(held.sizes()), said) == ([2, 0, 3], [3])
    held.load((4, ""), lambda: MODEL, 1)
    assert (list(held.sizes()), held.bytes, said) == ([4], SIZE, [3, 1])
