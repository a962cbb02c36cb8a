"""Which combinations of hyperparameters are tried: all, or some drawn at random."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

import numpy as np

from pgml.search.space import Dimension, size

Candidate = Mapping[str, Any]
DRAWS = 20
"""Draws a candidate may take to be none of the earlier ones, before the others are taken in their order."""


def grid(space: Sequence[Dimension]) -> Iterator[Candidate]:
    """Return every combination of a finite space; the last name changes first."""
    names = [dimension.name for dimension in space]
    return (dict(zip(names, values, strict=True)) for values in product(*space))


def drawn(space: Sequence[Dimension], count: int, seed: int) -> list[Candidate]:
    """Return combinations drawn at random, all different: so many, or as many as there are.

    Those of a larger ``count`` begin with those of a smaller one, unless they exhaust the space.
    """
    most = int(min(count, size(space)))
    if most == size(space):
        return list(grid(space))
    random = np.random.default_rng(seed)
    found: dict[str, Candidate] = {}
    for _ in range(most * DRAWS):
        places = random.random(len(space))
        candidate = {each.name: each.at(float(place)) for each, place in zip(space, places, strict=True)}
        found.setdefault(key(candidate), candidate)
        if len(found) == most:
            return list(found.values())
    others = (candidate for candidate in grid(space) if key(candidate) not in found)
    return [*found.values(), *islice(others, most - len(found))]


def key(candidate: Candidate) -> str:
    """Return a text that is equal for equal candidates."""
    return json.dumps(candidate, sort_keys=True)
