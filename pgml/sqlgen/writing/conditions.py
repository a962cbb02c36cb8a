"""The text of a tree: a CASE with a line of conditions, in whose results are further ones.

What follows a condition that is not met goes on in the same CASE, so only results nest.  As either side of a
branch can be the result, the one that needs less depth is it where depth is short: a tree of n leaves then
nests no deeper than log2(n), and every branch is written once.  Where a database takes less than that, the
last CASE lists leaves with all conditions on their way.
"""

from collections.abc import Iterator, Sequence

from pgml.sqlgen.branches import WHOLE, Branches
from pgml.sqlgen.dialects.base import Dialect


def nested(tree: Branches, operands: Sequence[str], nullable: Sequence[bool], dialect: Dialect) -> str:
    """Return a tree as CASE expressions.

    Parameters
    ----------
    tree : Branches
    operands : sequence of str
        What it compares.
    nullable : sequence of bool
        Which of them may be NULL.
    dialect : Dialect
    """
    return _Text(tree, operands, nullable, dialect).case(0, dialect.tree_depth)


class _Text:
    def __init__(
        self, tree: Branches, operands: Sequence[str], nullable: Sequence[bool], dialect: Dialect
    ) -> None:
        self._left, self._right = tree.left.tolist(), tree.right.tolist()
        self._feature, self._missing_left = tree.feature.tolist(), tree.missing_left.tolist()
        self._threshold, self._value = tree.threshold.tolist(), tree.value.tolist()
        self._tree, self._operands, self._nullable, self._dialect = tree, operands, nullable, dialect
        self._signs = ("<", ">=") if tree.strict else ("<=", ">")
        self._needs = self._depths()

    def case(self, root: int, depth: int) -> str:
        """Return a subtree, nested at most so deeply."""
        if self._left[root] < 0:
            return self._leaf(root)
        parts: list[str] = []
        for path, at in self._results(root, depth):
            leaf = self._left[at] < 0
            result = self._leaf(at, typed=not parts) if leaf else self.case(at, depth - 1)
            parts.append(f"when {' and '.join(path)} then {result}" if path else f"else {result}")
        return f"case {' '.join(parts)} end"

    def _results(self, root: int, depth: int) -> Iterator[tuple[tuple[str, ...], int]]:
        """Give the subtrees that are results of one CASE, in order, with the conditions of each."""
        stack: list[tuple[int, tuple[str, ...], bool]] = [(root, (), False)]
        while stack:
            at, path, ready = stack.pop()
            if ready or self._left[at] < 0:
                yield path, at
                continue
            met = self._met(at, depth)
            condition = self._condition(at, met)
            other = self._right[at] if met == self._left[at] else self._left[at]
            stack.append((other, path, False))
            stack.append((met, (*path, condition), depth > 1))

    def _met(self, at: int, depth: int) -> int:
        """Return the child that becomes a result: of NULL the one where it does not go, if depth allows."""
        left, right = self._left[at], self._right[at]
        plain, other = (right, left) if self._missing_left[at] else (left, right)
        fits = self._needs[plain] < depth and self._needs[other] <= depth
        return int(plain if fits or self._needs[plain] <= self._needs[other] else other)

    def _condition(self, at: int, met: int) -> str:
        feature, to_left = self._feature[at], met == self._left[at]
        operand, limit = self._operands[feature], self._dialect.threshold(self._threshold[at])
        met_by, inverse = (f"{operand} {self._signs[side]} {limit}" for side in (not to_left, to_left))
        if at in self._tree.sets:
            listed = ", ".join(map(self._dialect.threshold, self._tree.sets[at]))
            inside, outside = f"{operand} in ({listed})", f"{operand} not in ({listed})"
            met_by, inverse = (inside, outside) if to_left else (outside, inside)
        if to_left == self._missing_left[at] and self._nullable[feature]:
            return self._dialect.unmet(inverse, met_by, operand)
        return met_by

    def _leaf(self, at: int, *, typed: bool = False) -> str:
        if self._tree.digits == WHOLE:
            return str(int(self._value[at]))
        return self._dialect.number(self._value[at], typed=typed, digits=self._tree.digits)

    def _depths(self) -> list[int]:
        """Return how deeply CASEs nest at least in each subtree."""
        needs = [0] * len(self._left)
        for at in range(len(needs) - 1, -1, -1):
            if self._left[at] >= 0:
                one, other = needs[self._left[at]], needs[self._right[at]]
                needs[at] = max(one, other, min(one, other) + 1)
        return needs
