"""Free texts as weighted counts of their words."""

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import md5
from typing import Any

import numpy as np

from pgml.dataset import MISSING, Codes, Dataset
from pgml.preprocessing.base import Encoding, Matrix, refused

_WORD = re.compile(r"\w+")
Weights = Mapping[int, float]
"""What is not 0 of a text's columns."""


def tokens(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores of a text, in lower case."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class WordEncoding(Encoding):
    """A text as the weights of its words, of length 1 as a vector; without any word all 0.

    Attributes
    ----------
    fill : str
        What a missing text becomes; the empty text has no words.
    """

    fill: str

    @property
    def filled(self) -> Any:
        return None if self.missing == "refuse" else self.fill

    @abstractmethod
    def weights(self, text: str) -> Weights:
        """Return the weights of a text, before they are made of length 1."""

    def write(self, dataset: Dataset, part: Matrix) -> None:
        codes, texts = dataset.coded(self.column.name)
        absent = codes == MISSING
        if absent.any():
            if self.missing == "refuse":
                raise refused(self.column)
            codes, texts = np.where(absent, len(texts), codes), [*texts, self.fill]
        _scatter(codes, texts, self.weights, part)


def _scatter(codes: Codes, texts: Sequence[str], weigh: Callable[[str], Weights], part: Matrix) -> None:
    """Write the weights of each row's text; each text that some row holds is weighed once."""
    used, rows = np.unique(codes, return_inverse=True)
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for code in used.tolist():
        weights = weigh(texts[code])
        length = sum(value * value for value in weights.values()) ** 0.5
        if length:
            columns += weights
            values += [value / length for value in weights.values()]
        ends.append(len(columns))
    counts = np.diff(ends)[rows]
    begins = np.array(ends)[rows]
    # The position of each entry among those of its row.
    within_row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    entries = np.repeat(begins, counts) + within_row
    part[np.repeat(np.arange(len(codes)), counts), np.array(columns, np.intp)[entries]] = np.array(values)[
        entries
    ]


@dataclass(frozen=True)
class TfidfEncoding(WordEncoding):
    """Counts of words times the logarithm of how few rows have them.

    Attributes
    ----------
    words : tuple of str
        Sorted, one matrix column each; others do not count.
    weight : tuple of float
        ln((1 + rows) / (1 + rows with the word)) + 1 of the training rows, one a word.
    """

    kind = "tfidf"

    words: tuple[str, ...]
    weight: tuple[float, ...]

    @property
    def width(self) -> int:
        return len(self.words)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The place of each word."""
        return {word: place for place, word in enumerate(self.words)}

    def names(self) -> list[str]:
        return [f"{self.column.name}~{word}" for word in self.words]

    def weights(self, text: str) -> Weights:
        counts = Counter(self.place[word] for word in tokens(text) if word in self.place)
        return {place: count * self.weight[place] for place, count in counts.items()}


@dataclass(frozen=True)
class HashEncoding(WordEncoding):
    """Counts of words at places that follow from a hash, some of them negative so that collisions cancel.

    Attributes
    ----------
    features : int
        Matrix columns.
    """

    kind = "hash"

    features: int

    @property
    def width(self) -> int:
        return self.features

    def names(self) -> list[str]:
        return [f"{self.column.name}#{place}" for place in range(self.features)]

    def weights(self, text: str) -> Weights:
        found: Counter[int] = Counter()
        for word, count in Counter(tokens(text)).items():
            place, sign = hashed(word, self.features)
            found[place] += sign * count
        return found


def hashed(word: str, features: int) -> tuple[int, int]:
    """Return the place of a word, MD5's first four bytes modulo the features, and 1 or -1 by the next bit."""
    digest = md5(word.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "little") % features, 1 - 2 * (digest[4] & 1)


def vocabulary(
    codes: Codes, texts: Sequence[str], fill: str, most: int
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return the words that most rows have, sorted, and the weight of each; of equals the first."""
    rows: Counter[str] = Counter()
    for code, count in zip(*(each.tolist() for each in np.unique(codes, return_counts=True)), strict=True):
        for word in set(tokens(fill if code == MISSING else texts[code])):
            rows[word] += count
    words = sorted(sorted(rows, key=lambda word: (-rows[word], word))[:most])
    weights = np.log((1 + len(codes)) / (1 + np.array([rows[word] for word in words], float))) + 1
    return tuple(words), tuple(weights.tolist())
