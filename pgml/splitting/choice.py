"""The split that a recipe names: chosen for these rows, and told again on later ones."""

from dataclasses import replace

from pgml.dataset import Dataset, Floats
from pgml.errors import InvalidValue
from pgml.recipe import Recipe
from pgml.splitting import order, samples, sides
from pgml.splitting.hashes import Mask, fingerprint


class SplitLost(Exception):
    """The test rows of a recipe were drawn from other data and cannot be told now.

    No user meets it: who compares models says what that means for them.
    """


def choose(
    dataset: Dataset, recipe: Recipe, outcome: Floats, classes: bool
) -> tuple[Recipe, Mask, list[str]]:
    """Complete a recipe for these rows and apply it.

    Parameters
    ----------
    dataset : Dataset
        Rows whose target is known, in the order of their relation.
    recipe : Recipe
        With the rows the project has moved before.
    outcome : ndarray of shape (rows,) or (rows, targets)
        The target: numbers, or the code of a class; (rows, 0) where there is none.
    classes : bool
        Each value of the target must be on the training side, unless rows are split by their order.

    Returns
    -------
    recipe, mask of the test rows of shape (rows,), notes for the user

    Raises
    ------
    InvalidValue
        Too few rows for two sides, or for the count in ``test_size``.
    """
    by_type = dataset.find(recipe.by).type if recipe.by is not None else ""
    recipe = replace(recipe, classes=classes, by_type=by_type, one_by_one=False, cut=None, fingerprint="")
    notes: list[str] = []
    if recipe.sampling in ("hash", "group"):
        recipe, mask, notes = sides.complete(dataset, recipe, outcome)
    elif recipe.sampling == "time":
        recipe, mask, notes = order.complete(dataset, recipe)
    else:
        mask = _applied(dataset, recipe, outcome)
    if recipe.sampling in ("first", "last", "time"):
        notes += order.unseen(outcome, recipe, mask)
    if recipe.needs_same_data:
        recipe = replace(recipe, fingerprint=fingerprint(dataset, mask))
    return recipe, mask, notes


def test_rows(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Mask:
    """Return which of these rows are test rows by a complete recipe, shape (rows,).

    Raises
    ------
    SplitLost
        The test rows were drawn from other rows and are not all found again, and only they.
    """
    try:
        mask = _applied(dataset, recipe, outcome)
    except InvalidValue as error:
        raise SplitLost from error
    if recipe.fingerprint and fingerprint(dataset, mask) != recipe.fingerprint:
        raise SplitLost
    return mask


def _applied(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Mask:
    match recipe.sampling:
        case "random":
            return samples.random(dataset, recipe, outcome)
        case "stratified":
            return samples.stratified(dataset, recipe, outcome)
        case "first" | "last":
            return order.ends(dataset, recipe)
        case "time":
            return order.apply(dataset, recipe)
        case "hash" | "group":
            return sides.apply(dataset, recipe, outcome)
