"""Sums over the same table as one subquery that gives them all, where a database has arrays.

A table is then read once for each row of the relation, and the kernel between a row and a stored point
computed once, however many classes or machines weigh it.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace

from pgml.sqlgen import layers
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.tables import Gathered

Names = Mapping[int, str]


def gathered(outputs: Mapping[str, Expr], names: Names) -> tuple[dict[str, Expr], dict[int, str]]:
    """Return expressions in which aggregates over the same rows of a table are parts of one array.

    None of them is an operand of another.

    Parameters
    ----------
    outputs : mapping of str to Expr
    names : mapping of int to str
        What expressions are called by their id.

    Returns
    -------
    dict of str to Expr
        In the place of the outputs.
    dict of int to str
        The names, also of what takes the place of what is named.
    """
    order = layers.ordered(outputs.values())
    depths = _depths(order)
    groups = _groups(order, depths)
    if not groups:
        return dict(outputs), dict(names)
    group_of = {id(each): group for group in groups for each in group}
    made: dict[int, Expr] = {}
    found = dict(names)
    # What is gathered comes before all that may use it.
    for node in sorted(order, key=lambda each: (depths[id(each)], id(each) not in group_of)):
        if id(node) in made:
            continue
        group = group_of.get(id(node))
        if group is None:
            made[id(node)] = _with(node, made)
        else:
            made |= _parts(group, made)
    for node in order:
        if id(node) in names:
            found[id(made[id(node)])] = names[id(node)]
    return {name: made[id(each)] for name, each in outputs.items()}, found


def _depths(order: list[Expr]) -> dict[int, int]:
    """Return by the id of a node how many subqueries stand above one another in it."""
    depths: dict[int, int] = {}
    for node in order:
        below = max((depths[id(each)] for each in node.args), default=0)
        depths[id(node)] = below + (node.op in ("aggregate", "nth"))
    return depths


def _groups(order: list[Expr], depths: Mapping[int, int]) -> list[list[Expr]]:
    """Return groups of aggregates over the same rows, or of what is at one place, at the same depth."""
    groups: dict[Hashable, list[Expr]] = {}
    for node in order:
        if node.op in ("aggregate", "nth"):
            place = node.value.place if node.op == "nth" else None
            key = depths[id(node)], place, id(node.value.table), tuple(map(id, node.args[1:]))
            groups.setdefault(key, []).append(node)
    return [each for each in groups.values() if len(each) > 1]


def _parts(group: list[Expr], made: Mapping[int, Expr]) -> dict[int, Expr]:
    """Return by their ids what takes the place of the members of a group."""
    given = [made[id(each.args[0])] for each in group]
    condition = [made[id(each)] for each in group[0].args[1:]]
    table = group[0].value.table
    if group[0].op == "nth":
        value = Gathered((), table, group[0].value.place)
    else:
        value = Gathered(tuple(each.value.function for each in group), table)
    whole = Expr("gathered", (*given, *condition), value, nullable=True, kind="array")
    return {
        id(each): Expr("part", (whole,), place, each.range, each.nullable)
        for place, each in enumerate(group, 1)
    }


def _with(node: Expr, made: Mapping[int, Expr]) -> Expr:
    """Return a node of what took the place of its operands."""
    args = tuple(made[id(each)] for each in node.args)
    same = all(one is other for one, other in zip(args, node.args, strict=True))
    return node if same else replace(node, args=args)
