"""From a structure to a model: which elements, in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pgml.exchange.pmml import clusters, regression
from pgml.exchange.pmml.elements import Element, Value
from pgml.exchange.pmml.ensembles import Grove
from pgml.exchange.pmml.fields import Fields, Source
from pgml.exchange.pmml.structure import Line, Margins, Points, Structure, Unknown
from pgml.exchange.pmml.trees import Forest, schema, segmentation
from pgml.sqlgen.votes import Laid

NORMALIZATIONS = {"identity": "none", "exp": "exp", "logit": "logit", "softmax": "softmax"}
"""Of PMML, by `Margins.link`."""


@dataclass
class Task:
    """What a model is to say.

    Attributes
    ----------
    function : str
        ``regression``, ``classification`` or ``clustering``.
    target : str or None
    labels : sequence of str
    center : float
        What is added to a regression's value at last.
    sources : sequence of Source
        The fields of the columns of the matrix.
    fields : Fields
    after : sequence of Element
        What comes at the end of the model.
    """

    function: str
    target: str | None
    labels: Sequence[str]
    center: float
    sources: Sequence[Source]
    fields: Fields
    after: Sequence[Element]

    def before(self, used: Iterable[str], shift: float = 0.0) -> list[Element]:
        """Return what a model begins with: schema, outputs, targets, and derived fields that are used."""
        target = [] if self.target is None else [_target_field(self.target)]
        inputs = [each.used() for each in self.fields.inputs]
        found = [Element("MiningSchema", {}, [*target, *inputs]), Element("Output", {}, self._outputs())]
        if shift and self.target is not None:
            moved = Element("Target", {"field": self.target, "rescaleConstant": shift})
            found.append(Element("Targets", {}, [moved]))
        derived = self.fields.derived(used)
        return [*found, Element("LocalTransformations", {}, derived)] if derived else found

    def _outputs(self) -> list[Element]:
        if self.function == "regression":
            return [_output(self.fields.free("prediction"), "predictedValue", kind="double")]
        if self.function == "clustering":
            chosen = _output(self.fields.free("cluster"), "predictedValue", kind="string")
            return [chosen, *self._each("distance", "affinity")]
        return self._each("probability", "probability")

    def _each(self, name: str, feature: str) -> list[Element]:
        return [
            _output(self.fields.free(f"{name}({label})"), feature, kind="double", value=label)
            for label in self.labels
        ]


def model(structure: Structure, task: Task) -> Element:
    """Return the model of a structure.

    Raises
    ------
    Unknown
        PMML has no form for it.
    """
    if isinstance(structure, Points):
        used = [each.field for each in task.sources]
        before = task.before(used)
        return clusters.model(structure.points, task.labels, task.sources, before, task.after)
    if task.function == "regression" and len(structure.factor) != 1:
        raise Unknown
    if isinstance(structure.base, Line):
        return _linear(structure, structure.base, task)
    return _trees(structure, structure.base, task)


def _linear(found: Margins, line: Line, task: Task) -> Element:
    weights = line.weights * found.factor
    if len(weights) != len(task.sources) or found.link not in NORMALIZATIONS:
        raise Unknown
    columns = [
        [(each.field, float(weight)) for each, weight in zip(task.sources, one, strict=True) if weight]
        for one in weights.T
    ]
    tables = _tables(columns, found.offset.tolist(), found.link, task)
    before = task.before({name for terms in columns for name, _ in terms}, task.center)
    return regression.model(task.function, NORMALIZATIONS[found.link], before, tables, task.after)


def _tables(
    terms: Sequence[regression.Terms], intercepts: Sequence[float], link: str, task: Task
) -> list[Element]:
    """Return a table a class; of two classes that have one margin the second one's comes first."""
    if task.function == "regression":
        return [regression.table(terms[0], intercepts[0])]
    if link == "logit" and len(task.labels) == 2 and len(terms) == 1:
        first, second = task.labels
        return [regression.table(terms[0], intercepts[0], second), regression.table((), 0.0, first)]
    if link != "softmax" or len(terms) != len(task.labels):
        raise Unknown
    return [
        regression.table(each, intercept, label)
        for each, intercept, label in zip(terms, intercepts, task.labels, strict=True)
    ]


def _trees(found: Margins, grove: Grove, task: Task) -> Element:
    forest = Forest(task.sources, grove.strict)
    used = [each.field for each in forest.used(grove.trees)]
    if found.link == "share":
        return _votes(found, grove, forest, used, task)
    if found.link == "identity" and task.function == "regression":
        return _values(found, grove, forest, used, task)
    if found.link not in NORMALIZATIONS:
        raise Unknown
    return _chain(found, grove, forest, used, task)


def _values(found: Margins, grove: Grove, forest: Forest, used: list[str], task: Task) -> Element:
    """Return one tree, the mean of many or their sum."""
    count = len(grove.trees)
    factor, offset = float(found.factor[0]), float(found.offset[0]) + task.center
    votes = [tree.votes[:, 0] for tree in grove.trees]
    if count == 1:
        before = task.before(used)
        values = (votes[0] * factor + offset).tolist()
        return forest.tree(
            grove.trees[0], "regression", lambda node: (_number(values[node]), ()), before, task.after
        )
    if factor == 1:
        inside = (forest.numbers(tree, vote.tolist()) for tree, vote in zip(grove.trees, votes, strict=True))
        method, before = "sum", task.before(used, offset)
    else:
        # A forest: the mean of leaves that hold values of the target.
        inside = (
            forest.numbers(tree, (vote * (factor * count) + offset).tolist())
            for tree, vote in zip(grove.trees, votes, strict=True)
        )
        method, before = "average", task.before(used)
    return _mining("regression", [*before, segmentation(method, inside), *task.after])


def _votes(found: Margins, grove: Grove, forest: Forest, used: list[str], task: Task) -> Element:
    """Return trees whose leaves hold probabilities, and the mean of these."""
    several = grove.targets > 1
    grove = grove.joined() if several else grove
    count = len(grove.trees)
    if found.offset.any() or (several and grove.targets != len(task.labels)) or len(task.labels) < 2:
        raise Unknown
    factor = found.factor * count
    factor = np.where(np.abs(factor - 1) < 1e-12, 1.0, factor)

    def made(tree: Laid, before: Sequence[Element], after: Sequence[Element] = ()) -> Element:
        votes = tree.votes * factor
        shares = votes if several else np.column_stack([1.0 - votes, votes])

        def leaf(node: int) -> tuple[str, Sequence[tuple[str, float]]]:
            each = shares[node]
            pairs = list(zip(task.labels, each.tolist(), strict=True))
            return task.labels[int(each.argmax())], pairs

        return forest.tree(tree, "classification", leaf, before, after)

    before = task.before(used)
    if count == 1:
        return made(grove.trees[0], before, task.after)
    target = [] if task.target is None else [_target_field(task.target)]
    inside = (
        made(tree, [Element("MiningSchema", {}, [*target, *schema(forest.used([tree])).children])])
        for tree in grove.trees
    )
    return _mining("classification", [*before, segmentation("average", inside), *task.after])


def _chain(found: Margins, grove: Grove, forest: Forest, used: list[str], task: Task) -> Element:
    """Return sums of trees, and a regression of them with the link."""
    models: list[Element] = []
    terms: list[list[tuple[str, float]]] = []
    before = task.before(used, task.center)
    for at, factor in enumerate(found.factor.tolist()):
        terms.append([])
        if any(tree.votes[:, at].any() for tree in grove.trees):
            label = task.labels[at if len(found.factor) > 1 else -1] if task.labels else ""
            name = task.fields.free(f"margin({label})" if label else "margin")
            models.append(forest.total(grove, at, name))
            terms[-1].append((name, factor))
    tables = _tables(terms, found.offset.tolist(), found.link, task)
    target = [] if task.target is None else [_target_field(task.target)]
    margins = [Element("MiningField", {"name": name}) for each in terms for name, _ in each]
    own = [Element("MiningSchema", {}, [*target, *margins])]
    models.append(regression.model(task.function, NORMALIZATIONS[found.link], own, tables))
    return _mining(task.function, [*before, segmentation("modelChain", models), *task.after])


def _mining(function: str, inside: Sequence[Element]) -> Element:
    return Element("MiningModel", {"functionName": function}, inside)


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _target_field(name: str) -> Element:
    return Element("MiningField", {"name": name, "usageType": "target"})


def _output(name: str, feature: str, *, kind: str, value: str | None = None) -> Element:
    given: dict[str, Value] = {
        "name": name,
        "optype": "continuous" if kind == "double" else "categorical",
        "dataType": kind,
        "feature": feature,
        "value": value,
    }
    return Element("OutputField", given)
