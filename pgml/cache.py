"""Loaded models of this session, least recently used out first, within a bound in bytes."""

from collections import OrderedDict
from collections.abc import Callable

from pgml.inference import Predictor

Key = tuple[int, str]
"""Model id and SHA-256: the same model is the same bytes, whatever happened to its row."""
MEMORY_FACTOR = 7
"""Bytes of memory that a stored byte takes once loaded; measured on forests, which are the large models."""
MEMORY_BYTES = 128 << 10
"""Bytes of memory that the smallest model takes."""


def memory(stored: int) -> int:
    """Return an estimate of the memory that so many stored bytes take once loaded."""
    return MEMORY_BYTES + MEMORY_FACTOR * stored


class Cache:
    """Predictors by key; the last one used stays, however large.

    Attributes
    ----------
    on_evict : callable
        Called when models were let go of, so that who holds one apart lets go of it too.
    """

    def __init__(self) -> None:
        self._loaded: OrderedDict[Key, tuple[Predictor, int]] = OrderedDict()
        self._bytes = 0
        self.on_evict: Callable[[], None] = lambda: None

    def get(self, key: Key) -> Predictor | None:
        """Return a loaded model; None if it is not loaded."""
        found = self._loaded.get(key)
        if found is None:
            return None
        self._loaded.move_to_end(key)
        return found[0]

    def load(self, key: Key, read: Callable[[], bytes], bound: int) -> Predictor:
        """Load a model and let go of others until the bound, in bytes, holds."""
        data = read()
        predictor = Predictor(data)
        size = memory(len(data))
        self._loaded[key] = (predictor, size)
        self._bytes += size
        self._let_go(bound)
        return predictor

    def grow(self, predictor: Predictor, size: int, bound: int) -> None:
        """Count what else a model holds now, in bytes, and let go of others until the bound holds."""
        for key, (each, before) in self._loaded.items():
            if each.held is predictor.held:
                self._loaded[key] = (each, before + size)
                self._bytes += size
        self._let_go(bound)

    def _let_go(self, bound: int) -> None:
        before = len(self._loaded)
        while self._bytes > bound and len(self._loaded) > 1:
            _, (_, freed) = self._loaded.popitem(last=False)
            self._bytes -= freed
        if len(self._loaded) < before:
            self.on_evict()

    def sizes(self) -> dict[int, int]:
        """Return the bytes of each model by its id, the least recently used first."""
        return {model_id: size for (model_id, _), (_, size) in self._loaded.items()}

    @property
    def bytes(self) -> int:
        """Estimate of the memory that the models held take, in bytes."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._loaded)
