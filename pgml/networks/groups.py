"""Outputs of several targets side by side in one last layer, each a group of its own.

A target of two classes has one output, a sigmoid; one of more has an output for each class, and the softmax
is over these alone.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pgml.networks.activations import ACTIVATIONS, Activation, Floats
from pgml.networks.costs import Cost, of_classes, of_classes_slopes, of_two, of_two_slopes

Span = tuple[slice, bool]
"""Neighbouring outputs, and whether each of them is a group of its own."""


def sizes_of(counts: Sequence[int]) -> tuple[int, ...]:
    """Return how many outputs targets have that are so many classes each."""
    return tuple(count if count > 2 else 1 for count in counts)


def places(sizes: Sequence[int]) -> list[slice]:
    """Return where the outputs of each group are."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


@lru_cache
def activation(sizes: tuple[int, ...]) -> Activation:
    """Return the activation of a last layer whose groups have so many outputs each."""
    spans = _spans(sizes)

    def of(sums: Floats) -> Floats:
        for place, single in spans:
            ACTIVATIONS[_name(single)].of(sums[..., place])
        return sums

    def back(sums: Floats, results: Floats, slopes: Floats) -> Floats:
        found = np.empty_like(slopes)
        for place, single in spans:
            parts = sums[..., place], results[..., place], slopes[..., place]
            found[..., place] = ACTIVATIONS[_name(single)].back(*parts)
        return found

    return Activation(of, back)


@lru_cache
def entropy(sizes: tuple[int, ...]) -> Cost:
    """Return the cross-entropy of each group, summed over the groups of a row."""
    spans = _spans(sizes)

    def losses(actual: Floats, predicted: Floats) -> Floats:
        found = np.empty_like(predicted)
        for place, single in spans:
            found[..., place] = (of_two if single else of_classes)(actual[..., place], predicted[..., place])
        return found

    def slopes(actual: Floats, predicted: Floats) -> Floats:
        found = np.empty_like(predicted)
        for place, single in spans:
            of = of_two_slopes if single else of_classes_slopes
            found[..., place] = of(actual[..., place], predicted[..., place])
        return found

    return Cost("cross_entropy", losses, slopes, added=True)


def _name(single: bool) -> str:
    return "sigmoid" if single else "softmax"


def _spans(sizes: tuple[int, ...]) -> list[Span]:
    """Return groups, those of one output that are neighbours as one."""
    found: list[Span] = []
    for place, size in zip(places(sizes), sizes, strict=True):
        if size == 1 and found and found[-1][1]:
            found[-1] = slice(found[-1][0].start, place.stop), True
        else:
            found.append((place, size == 1))
    return found
