"""Which expressions become columns, and in which order.

What is used more than once is computed once: it becomes a column of a layer, a select below the one that uses
it.  What is used once stays where it is used, unless nesting would become deeper than a database can parse.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Expr

LONGEST = 63
"""Bytes of a name in PostgreSQL."""
LIGHT = 1.6
"""Times the nodes of a model that may be computed anew to do without layers."""


@dataclass(frozen=True)
class Layer:
    """One select.

    Attributes
    ----------
    computed : dict of str to Expr
        Its new columns.
    passed : list of str
        Columns of earlier layers that later ones need.
    """

    computed: dict[str, Expr]
    passed: list[str]


@dataclass(frozen=True)
class Plan:
    """All of a model's steps.

    Attributes
    ----------
    layers : list of Layer
        The first reads the relation, each other one that before it.
    outputs : dict of str to Expr
        The last select: over the last layer, or the relation where there is none.
    names : dict of int to str
        The column that holds an expression, by its id.
    """

    layers: list[Layer]
    outputs: dict[str, Expr]
    names: dict[int, str]

    @property
    def steps(self) -> Iterator[tuple[str, Expr]]:
        """Every column in an order in which each needs only earlier ones."""
        for layer in self.layers:
            yield from layer.computed.items()


def plan(
    outputs: Mapping[str, Expr],
    hints: Mapping[int, str],
    taken: Iterable[str],
    dialect: Dialect,
) -> Plan:
    """Return the layers of expressions.

    Parameters
    ----------
    outputs : mapping of str to Expr
    hints : mapping of int to str
        What expressions are called by their id, if they become columns.
    taken : iterable of str
        Names that are no longer free.
    dialect : Dialect
        Whose parser has to hold what is nested.
    """
    order = ordered(outputs.values())
    if _is_light(order, outputs.values(), dialect):
        return Plan([], dict(outputs), {})
    named = _repeated(order, outputs.values(), dialect)
    _cut(order, named, dialect)
    if named:
        named |= {id(node) for node in order if node.op == "refused"}
    levels = _levels(order, named)
    last = 1 + max((levels[id(each)] for each in outputs.values()), default=0)
    while _lowered(order, named, levels, outputs.values()):
        levels = _levels(order, named)
        last = 1 + max((levels[id(each)] for each in outputs.values()), default=0)
    columns = [each for each in order if id(each) in named]
    names = _names(columns, hints, [*taken, *outputs], outputs)
    return _layered(outputs, columns, names, levels, last)


def _layered(
    outputs: Mapping[str, Expr], columns: list[Expr], names: dict[int, str], levels: dict[int, int], last: int
) -> Plan:
    needed = _needed(outputs, columns, names, levels, last)
    layers = []
    for level in range(1, last):
        computed = {names[id(each)]: each for each in columns if levels[id(each)] == level}
        passed = [names[id(each)] for each in columns if levels[id(each)] < level < needed.get(id(each), 0)]
        layers.append(Layer(computed, passed))
    return Plan(layers, dict(outputs), names)


def operands(expr: Expr) -> list[tuple[Expr, int]]:
    """Return the operands of a node, and how often it writes each."""
    if expr.op in ("tree", "leaf"):
        branches = expr.value
        counts = np.bincount(branches.feature[branches.left >= 0], minlength=len(expr.args))
        return list(zip(expr.args, counts.tolist(), strict=True))
    if expr.op in ("aggregate", "gathered", "nth"):
        # Computed anew for each row of the table.
        return [(each, 2) for each in expr.args]
    return [(each, 1) for each in expr.args]


def ordered(roots: Iterable[Expr]) -> list[Expr]:
    """Return every node once, operands before those that use them."""
    order: list[Expr] = []
    seen: set[int] = set()
    for root in roots:
        stack = [(root, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
                continue
            if id(node) in seen:
                continue
            seen.add(id(node))
            stack.append((node, True))
            stack += [(each, False) for each in reversed(node.args) if id(each) not in seen]
    return order


def _is_light(order: list[Expr], roots: Iterable[Expr], dialect: Dialect) -> bool:
    """Return whether all can be written in one select, which takes little more than the layers would."""
    sizes: dict[int, int] = {}
    heights: dict[int, int] = {}
    for node in order:
        below = max((heights[id(each)] for each in node.args), default=0)
        heights[id(node)] = _symbols(node, dialect.tree_depth) + below
        sizes[id(node)] = _own_size(node) + sum(
            count * sizes[id(each)] for each, count in _written(node, dialect)
        )
    tables = any(node.op in ("aggregate", "nth") for node in order)
    whole = sum(sizes[id(each)] for each in roots)
    alone = sum(map(_own_size, order))
    return not tables and max(heights.values(), default=0) <= dialect.depth and whole <= LIGHT * alone


def _written(node: Expr, dialect: Dialect) -> list[tuple[Expr, int]]:
    """Return the operands of a node, and how often a dialect writes each."""
    times = dialect.repeated.get(node.op, 1)
    return [(each, times * count) for each, count in operands(node)]


def _own_size(node: Expr) -> int:
    return int((node.value.left >= 0).sum()) if node.op in ("tree", "leaf") else 1


def _repeated(order: list[Expr], roots: Iterable[Expr], dialect: Dialect) -> set[int]:
    """Return the ids of the nodes that would be written more than once."""
    uses = dict.fromkeys(map(id, order), 0)
    for root in roots:
        uses[id(root)] += 1
    named = set()
    for node in reversed(order):
        times = uses[id(node)]
        if times > 1 and _can_be_column(node) and not (times == 2 and _is_moved(node)):
            named.add(id(node))
            times = 1
        for each, count in _written(node, dialect):
            uses[id(each)] += times * count
    return named


def _is_moved(node: Expr) -> bool:
    """Return whether a node only takes a constant away: its square is shorter than a column of it."""
    return node.op == "difference" and node.args[1].is_literal


_LEAST: Mapping[str, float] = {"ln": 2.0**-1074, "sqrt": 0.0, "exp": -708.0}
"""Functions that a condition guards where their operand may be smaller, see `pgml.sqlgen.arithmetic`."""


def _can_be_column(node: Expr) -> bool:
    """Return whether a node may be computed for every row, also where a condition would leave it out."""
    if node.op in _LEAST and node.args[0].range.low < _LEAST[node.op]:
        return False
    if node.op == "refused":
        return True
    return not (node.is_literal or node.bound or node.kind == "truth" or node.op == "entry")


def _cut(order: list[Expr], named: set[int], dialect: Dialect) -> None:
    """Name what would be nested too deeply otherwise."""
    heights: dict[int, int] = {}
    for node in order:
        height = _symbols(node, dialect.tree_depth) + max(
            (heights[id(each)] for each in node.args), default=0
        )
        if height > dialect.depth and _can_be_column(node):
            named.add(id(node))
        heights[id(node)] = 0 if id(node) in named else height


_SYMBOLS: Mapping[str, int] = {
    **dict.fromkeys(("literal", "negative", "not", "is null"), 2),
    **dict.fromkeys(("case", "coalesce", "least", "greatest"), 5),
    **dict.fromkeys(("column", "element", "single", "tokens", "words"), 8),
    **dict.fromkeys(("aggregate", "gathered", "nth"), 12),
}


def _symbols(node: Expr, tree_depth: int) -> int:
    """Return how many symbols of a node a parser holds, and cannot yet combine, where it reads an operand."""
    if node.op in ("tree", "leaf"):
        return 5 + 5 * min(int(node.value.depth), tree_depth)
    if node.op == "sum":
        # Of very many terms a sum of sums.
        return 3 * (1 + int(math.log(len(node.args), 24)))
    return _SYMBOLS.get(node.op, 3)


def _levels(order: list[Expr], named: set[int]) -> dict[int, int]:
    """Return for a column its layer, from 1; for other nodes the layer that they need, 0 for the relation."""
    levels: dict[int, int] = {}
    for node in order:
        # Whether a row is refused is seen in the relation alone.
        below = max((levels[id(each)] for each in node.args if node.op != "refused"), default=0)
        levels[id(node)] = below + 1 if id(node) in named else below
    return levels


def _lowered(order: list[Expr], named: set[int], levels: dict[int, int], roots: Iterable[Expr]) -> bool:
    """Name the columns of the relation that a later layer reads; return whether there were any."""
    roots = list(roots)
    late = {id(root) for root in roots} if named else set()
    bare = {id(root) for root in roots if named and root.op == "column"} - named
    named |= bare
    found = bool(bare)
    late |= {id(node) for node in order if id(node) in named and levels[id(node)] > 1}
    for node in reversed(order):
        if id(node) not in late:
            continue
        for each in node.args:
            if each.op == "column" and id(each) not in named:
                named.add(id(each))
                found = True
            elif id(each) not in named:
                late.add(id(each))
    return found


def _needed(
    outputs: Mapping[str, Expr], columns: list[Expr], names: dict[int, str], levels: dict[int, int], last: int
) -> dict[int, int]:
    """Return for each column the last layer that reads it."""
    needed: dict[int, int] = {}
    users = [(each, levels[id(each)]) for each in columns] + [(each, last) for each in outputs.values()]
    for user, level in users:
        top = [user] if level == last else list(user.args)
        seen: set[int] = set()
        while top:
            node = top.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if id(node) in names:
                needed[id(node)] = max(needed.get(id(node), 0), level)
            else:
                top += node.args
    return needed


def _names(
    columns: list[Expr], hints: Mapping[int, str], taken: list[str], outputs: Mapping[str, Expr]
) -> dict[int, str]:
    """Return a name for each column: that of the output that it is, if that one is like no other."""
    found: dict[int, str] = {}
    # SQLite drops the names true and false from the columns of a subquery.
    used = Counter(map(_alike, [*taken, "true", "false"]))
    own = {id(each): name for name, each in reversed(list(outputs.items())) if used[_alike(name)] == 1}
    ordinals: dict[str, int] = {}
    for each in columns:
        if id(each) in own:
            found[id(each)] = own[id(each)]
            continue
        name = hints.get(id(each)) or _default(each)
        free = shortened(name)
        while _alike(free) in used:
            ordinals[name] = ordinals.get(name, 1) + 1
            free = shortened(name, f"_{ordinals[name]}")
        used[_alike(free)] += 1
        found[id(each)] = free
    return found


def _alike(name: str) -> str:
    """Return what two names share that some database takes for the same: cut, small, without accents."""
    letters = unicodedata.normalize("NFKD", shortened(name)).casefold()
    return "".join(each for each in letters if not unicodedata.combining(each)).rstrip()


def _default(node: Expr) -> str:
    if node.op in ("column", "coalesce") and (node.op == "column" or node.args[0].op == "column"):
        feature = (node if node.op == "column" else node.args[0]).value
        name: str = feature.column.name
        return name if feature.element is None else f"{name}_{feature.element}"
    if node.op == "element":
        return f"{node.args[0].value.column.name}_{node.value}"
    return {
        "refused": "refused",
        "gathered": "sums",
        "product": "term",
        "quotient": "ratio",
        "tree": "tree",
        "leaf": "leaf",
        "greatest": "largest",
    }.get(node.op, "step")


def shortened(name: str, suffix: str = "") -> str:
    """Return a name of at most `LONGEST` bytes."""
    return name.encode()[: LONGEST - len(suffix)].decode(errors="ignore") + suffix
