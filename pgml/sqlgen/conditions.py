"""The text of a tree: conditions in conditions, and below a depth a list of its leaves."""

from pgml.sqlgen.branches import Branches
from pgml.sqlgen.dialects.base import Dialect


def nested(tree: Branches, operands: list[str], dialect: Dialect) -> str:
    """Return a tree as CASE expressions.

    Parameters
    ----------
    tree : Branches
    operands : list of str
        What it compares.
    dialect : Dialect
    """
    return _Text(tree, operands, dialect).node(0, dialect.tree_depth)


class _Text:
    def __init__(self, tree: Branches, operands: list[str], dialect: Dialect) -> None:
        self._left, self._right = tree.left.tolist(), tree.right.tolist()
        self._feature, self._missing_left = tree.feature.tolist(), tree.missing_left.tolist()
        self._threshold, self._value = tree.threshold.tolist(), tree.value.tolist()
        self._tree, self._operands, self._dialect = tree, operands, dialect
        self._sides = ("<", ">=") if tree.strict else ("<=", ">")

    def node(self, at: int, depth: int) -> str:
        """Return the text of a subtree that may be nested so deeply."""
        if self._left[at] < 0:
            return self._leaf(at)
        if depth == 0:
            return self._listed(at)
        first, second = self._ordered(at)
        typed = self._left[first] < 0 and self._left[second] < 0
        met = self._leaf(first, typed=True) if typed else self.node(first, depth - 1)
        return f"case when {self._condition(at)} then {met} else {self.node(second, depth - 1)} end"

    def _ordered(self, at: int) -> tuple[int, int]:
        """Return the child where the condition is met, and that where it is not, as for NULL."""
        if self._missing_left[at]:
            return self._right[at], self._left[at]
        return self._left[at], self._right[at]

    def _condition(self, at: int) -> str:
        sign = self._sides[1 if self._missing_left[at] else 0]
        return f"{self._operands[self._feature[at]]} {sign} {self._dialect.threshold(self._threshold[at])}"

    def _leaf(self, at: int, *, typed: bool = False) -> str:
        return self._dialect.number(self._value[at], typed=typed, digits=self._tree.digits)

    def _listed(self, root: int) -> str:
        """Return one CASE of all leaves below: each after the leaves of the side where conditions are met."""
        parts: list[str] = []
        stack: list[tuple[int, tuple[str, ...]]] = [(root, ())]
        while stack:
            at, path = stack.pop()
            if self._left[at] < 0:
                leaf = self._leaf(at, typed=not parts)
                parts.append(f"when {' and '.join(path)} then {leaf}" if path else f"else {leaf}")
                continue
            first, second = self._ordered(at)
            stack.append((second, path))
            stack.append((first, (*path, self._condition(at))))
        return f"case {' '.join(parts)} end"
