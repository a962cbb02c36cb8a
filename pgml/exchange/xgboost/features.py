"""The features of a learner: their names, and what it knows of their categories."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pgml.columns import Column
from pgml.errors import NotBuilt
from pgml.exchange.boosted_categories import Categories, checked_numbers, checked_texts
from pgml.exchange.boosters import checked_text, names_of
from pgml.exchange.xgboost.parts import broken, floats, integers, mapping, sequence

KINDS = ("float", "int", "i", "q", "c")


def features_of(learner: Mapping[str, Any], count: int) -> tuple[list[Column], Categories]:
    """Return the columns of a file and their categories.

    Since 3.1 a file holds the categories of the data frame it was trained on; without them, and
    in older files, a column of categories has their codes.

    Raises
    ------
    MalformedText, NotBuilt, TooLarge
        They contradict each other, or are of no kind that is known.
    """
    names = names_of(sequence(learner, "feature_names"), count, "f")
    kinds = sequence(learner, "feature_types") or ["float"] * count
    if len(kinds) != count or not all(kind in KINDS for kind in kinds):
        raise broken('"feature_types" is no list of types, one for each feature')
    asked = [at for at, kind in enumerate(kinds) if kind == "c"]
    known = _known(learner, count)
    texts: dict[int, list[str]] = {}
    numbers: dict[int, Any] = {}
    for at in asked:
        if known and "offsets" in known[at]:
            if len(found := _texts(known[at], names[at])):
                texts[at] = checked_texts(found, names[at])
        elif known:
            numbers[at] = checked_numbers(floats(known[at], "values"), names[at])
    columns = [
        Column(name, "text" if at in texts else "boolean" if kind == "i" else "double precision")
        for at, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    return columns, Categories(texts, numbers, [at for at in asked if at not in texts and at not in numbers])


def _known(learner: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """Return what the file says of each feature's categories; nothing where it says nothing."""
    booster = mapping(learner, "gradient_booster")
    model = mapping(mapping(booster, "gbtree") if "gbtree" in booster else booster, "model")
    if "cats" not in model:
        return []
    found = sequence(mapping(model, "cats"), "enc")
    if not found:
        return []
    if len(found) != count or not all(isinstance(each, Mapping) for each in found):
        raise broken('"cats" does not speak of each feature')
    return list(found)


def _texts(column: Mapping[str, Any], feature: str) -> list[str]:
    """Return texts, held as the bytes of all and the place where each begins, and the last ends."""
    ends = integers(column, "offsets")
    held = integers(column, "values")
    if not len(ends):
        return []
    if ends[0] != 0 or (np.diff(ends) < 0).any() or ends[-1] != len(held):
        raise broken('"cats" has texts that begin nowhere')
    if ((held < 0) | (held > 127)).any():
        # Of a data frame of pandas it counts letters where it means bytes, and the last ones are lost.
        raise NotBuilt(
            f'feature "{feature}" has categories with letters beyond ASCII',
            detail="XGBoost up to 3.2 writes them to its file cut and moved.",
            hint="Train the model on categories of ASCII letters, or on their codes.",
        )
    data = held.astype(np.uint8).tobytes().decode("ascii")
    found = [data[a:b] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
    return [checked_text(each, "a category") for each in found]
