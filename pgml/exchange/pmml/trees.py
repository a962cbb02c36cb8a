"""Trees as PMML has them, and many of them as one model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pgml.exchange.pmml.elements import Element, Value, attributes, escaped, number
from pgml.exchange.pmml.ensembles import Grove
from pgml.exchange.pmml.fields import Source
from pgml.sqlgen.votes import Laid

Leaf = Callable[[int], tuple[str, Sequence[tuple[str, float]]]]
"""From the number of a leaf to its score, and the probabilities of labels where it has some."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of a tree, written without recursion: a tree may be deep.

    Attributes
    ----------
    tree : Laid
    strict : bool
    sources : sequence of Source
        Of the columns of the matrix.
    leaf : callable
    named : bool
        Each node has an id, and a branch names the side of missing values.
    """

    tree: Laid
    strict: bool
    sources: Sequence[Source]
    leaf: Leaf
    named: bool

    def lines(self, level: int) -> Iterator[str]:
        """Give the lines of the root and all below it."""
        stack: list[tuple[int, str, int, bool]] = [(0, "<True/>", level, False)]
        while stack:
            node, predicate, depth, closing = stack.pop()
            if closing:
                yield f"{' ' * depth}</Node>"
                continue
            yield f"{' ' * depth}<Node{self._attributes(node)}>"
            yield f"{' ' * (depth + 1)}{predicate}"
            stack.append((node, "", depth, True))
            if self.tree.left[node] < 0:
                yield from self._distribution(node, depth + 1)
                continue
            left, right = self._predicates(node)
            stack.append((int(self.tree.right[node]), right, depth + 1, False))
            stack.append((int(self.tree.left[node]), left, depth + 1, False))

    def _attributes(self, node: int) -> str:
        given: dict[str, Value] = {"id": str(node + 1) if self.named else None}
        if self.tree.left[node] < 0:
            given["score"] = self.leaf(node)[0]
        elif self.named:
            side = self.tree.left if self.tree.missing_left[node] else self.tree.right
            given["defaultChild"] = str(int(side[node]) + 1)
        return attributes(given)

    def _distribution(self, node: int, level: int) -> Iterator[str]:
        for label, share in self.leaf(node)[1]:
            given: dict[str, Value] = {"value": label, "recordCount": share, "probability": share}
            yield f"{' ' * level}<ScoreDistribution{attributes(given)}/>"

    def _predicates(self, node: int) -> tuple[str, str]:
        field = escaped(self.sources[int(self.tree.feature[node])].field)
        value = number(float(self.tree.threshold[node]))
        operators = ("lessThan", "greaterOrEqual") if self.strict else ("lessOrEqual", "greaterThan")
        left, right = (
            f'<SimplePredicate field="{field}" operator="{each}" value="{value}"/>' for each in operators
        )
        return left, right


@dataclass(frozen=True)
class Forest:
    """How trees become models.

    Attributes
    ----------
    sources : sequence of Source
        Of the columns of the matrix.
    strict : bool
    """

    sources: Sequence[Source]
    strict: bool

    def used(self, trees: Iterable[Laid]) -> list[Source]:
        """Return the columns that branches of these look at, each once; the first one if there are none."""
        places = {int(each) for tree in trees for each in np.unique(tree.feature[tree.left >= 0])} or {0}
        return list({self.sources[at].field: self.sources[at] for at in sorted(places)}.values())

    def schema(self, trees: Iterable[Laid]) -> Element:
        """Return the schema of a model of these trees inside another model."""
        return schema(each.field for each in self.used(trees))

    def tree(
        self, tree: Laid, function: str, leaf: Leaf, before: Sequence[Element], after: Sequence[Element] = ()
    ) -> Element:
        """Return a TreeModel.

        Parameters
        ----------
        function : str
            ``regression`` or ``classification``.
        leaf : callable
        before, after : sequence of Element
            What comes before the nodes, the schema first, and after them.
        """
        named = any(source.nullable for source in self.used([tree]))
        given: dict[str, Value] = {
            "functionName": function,
            "missingValueStrategy": "defaultChild" if named else None,
            "splitCharacteristic": "binarySplit",
        }
        nodes = Nodes(tree, self.strict, self.sources, leaf, named)
        return Element("TreeModel", given, [*before, nodes, *after])

    def numbers(
        self, tree: Laid, values: Sequence[float], before: Sequence[Element] | None = None
    ) -> Element:
        """Return a tree of a number each leaf."""
        own = [self.schema([tree])] if before is None else before
        return self.tree(tree, "regression", lambda node: (number(values[node]), ()), own)

    def total(self, grove: Grove, target: int, output: str) -> Element:
        """Return a model of what the trees of one target add up to, under a name."""
        chosen = [tree for tree in grove.trees if tree.votes[:, target].any()]
        votes = [(tree, tree.votes[:, target].tolist()) for tree in chosen]
        inside = (self.numbers(tree, values) for tree, values in votes)
        return Element(
            "MiningModel",
            {"functionName": "regression"},
            [self.schema(chosen), inner_output(output), segmentation("sum", inside)],
        )


def schema(fields: Iterable[str]) -> Element:
    """Return the schema of a model inside another."""
    return Element("MiningSchema", {}, [Element("MiningField", {"name": each}) for each in fields])


def segmentation(method: str, models: Iterable[Element]) -> Element:
    """Return models as segments that all count."""
    segments = (
        Element("Segment", {"id": str(at)}, [Element("True"), model]) for at, model in enumerate(models, 1)
    )
    return Element("Segmentation", {"multipleModelMethod": method}, segments)


def inner_output(name: str) -> Element:
    """Return the output of a model inside another, for those after it."""
    given: dict[str, Value] = {"name": name, "optype": "continuous", "dataType": "double"}
    return Element(
        "Output", {}, [Element("OutputField", given | {"feature": "predictedValue", "isFinalResult": False})]
    )
