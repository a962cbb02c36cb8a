"""Arithmetic with one tree and a constant, done to the tree's leaves: they then are what people read."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pgml.sqlgen import ranges
from pgml.sqlgen.branches import Branches, Floats
from pgml.sqlgen.expressions import Expr


def of_tree(tree: Expr, function: Callable[[Floats], Floats]) -> Expr:
    """Return a tree whose leaves are a function of another's."""
    branches: Branches = tree.value
    leaf = branches.left < 0
    values = np.where(leaf, function(branches.value), 0.0)
    known = ranges.joined(*(ranges.of_literal(each) for each in values[leaf].tolist()))
    return replace(tree, value=replace(branches, value=values, digits=17), range=known)
