"""Loaded models of this session, least recently used out first, within a bound in bytes."""

from collections import OrderedDict
from collections.abc import Callable

from pgml.inference import Predictor

Key = tuple[int, str]
"""Model id and SHA-256: the same model is the same bytes, whatever happened to its row."""


class Cache:
    """Predictors by key; the last one used stays, however large."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[Key, tuple[Predictor, int]] = OrderedDict()
        self._bytes = 0

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
        self._loaded[key] = (predictor, len(data))
        self._bytes += len(data)
        while self._bytes > bound and len(self._loaded) > 1:
            _, (_, size) = self._loaded.popitem(last=False)
            self._bytes -= size
        return predictor

    @property
    def bytes(self) -> int:
        """Bytes of the models held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._loaded)
