"""From a structure to a model: which elements, in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pgml.exchange.pmml import clusters, regression
from pgml.exchange.pmml.elements import Element, Value, applied, number, reference
from pgml.exchange.pmml.ensembles import Grove
from pgml.exchange.pmml.fields import Fields, Source
from pgml.exchange.pmml.structure import Line, Margins, Points, Structure, Unknown
from pgml.exchange.pmml.trees import Forest, inner_output, schema, segmentation
from pgml.sqlgen.votes import Laid

NORMALIZATIONS = {"identity": "none", "exp": "exp", "logit": "logit", "softmax": "softmax"}
"""Of PMML, by `Margins.link`; where there is none, what the numbers are made to first is then a softmax."""


@dataclass(frozen=True)
class Task:
    """What a model is to say.

    Attributes
    ----------
    function : str
        ``regression``, ``classification`` or ``clustering``.
    target : str or None
    kind : str
        The type of what is predicted: ``string``, ``boolean``, ``integer`` or ``double``.
    labels : sequence of str
    center : float
        What is added to a regression's value at last.
    sources : sequence of Source
        The fields of the columns of the matrix.
    fields : Fields
    chosen : str
        The output field of what is predicted.
    numbers : sequence of str
        Those of the numbers of the labels.
    after : sequence of Element
        What comes at the end of the model.
    """

    function: str
    target: str | None
    kind: str
    labels: Sequence[str]
    center: float
    sources: Sequence[Source]
    fields: Fields
    chosen: str
    numbers: Sequence[str]
    after: Sequence[Element] = ()

    def before(self, used: Iterable[str], shift: float = 0.0, *, outputs: bool = True) -> list[Element]:
        """Return what a model begins with: schema, outputs, targets, and derived fields that are used."""
        inputs = [each.used() for each in self.fields.inputs]
        found = [Element("MiningSchema", {}, [*self.aimed(), *inputs])]
        if outputs:
            feature = "affinity" if self.function == "clustering" else "probability"
            found.append(self.outputs([_output(name, feature) for name in self.numbers]))
        if shift and self.target is not None:
            moved = Element("Target", {"field": self.target, "rescaleConstant": shift})
            found.append(Element("Targets", {}, [moved]))
        derived = self.fields.derived(used)
        return [*found, Element("LocalTransformations", {}, derived)] if derived else found

    def aimed(self) -> list[Element]:
        """Return the place of the target in a schema."""
        return (
            []
            if self.target is None
            else [Element("MiningField", {"name": self.target, "usageType": "target"})]
        )

    def outputs(self, numbers: Sequence[Element]) -> Element:
        """Return the output fields, those of the labels each with its value."""
        optype = "continuous" if self.kind == "double" and not self.labels else "categorical"
        given: dict[str, Value] = {"name": self.chosen, "optype": optype, "dataType": self.kind}
        chosen = Element("OutputField", given | {"feature": "predictedValue"})
        of_labels = [
            replace(each, attributes={**each.attributes, "value": label})
            for each, label in zip(numbers, self.labels, strict=True)
        ]
        return Element("Output", {}, [chosen, *of_labels])


def model(structure: Structure, task: Task) -> Element:
    """Return the model of a structure.

    Raises
    ------
    Unknown
        PMML has no form for it.
    """
    if isinstance(structure, Points):
        if structure.points.shape != (len(task.labels), len(task.sources)):
            raise Unknown
        before = task.before([each.field for each in task.sources])
        return clusters.model(structure.points, task.labels, task.sources, before, task.after)
    count = len(structure.factor)
    if task.function == "regression" and count != 1:
        raise Unknown
    if structure.link == "scores" and count == 1:
        structure = _of_both(structure)
    if isinstance(structure.base, Line):
        if len(structure.base.weights) != len(task.sources):
            raise Unknown
        plain = structure.link in NORMALIZATIONS
        return (
            _linear(structure, structure.base, task)
            if plain
            else _line_chain(structure, structure.base, task)
        )
    return _trees(structure, structure.base, task)


def _of_both(found: Margins) -> Margins:
    """Return the scores of two classes, from that of the second one."""
    if not isinstance(found.base, Line):
        raise Unknown
    weights = np.column_stack([found.base.weights, found.base.weights])
    signs = np.array([-1.0, 1.0])
    return replace(found, base=Line(weights), factor=found.factor * signs, offset=found.offset * signs)


def _terms(found: Margins, line: Line, task: Task) -> list[list[tuple[str, float]]]:
    """Return the coefficients of each margin that are not 0."""
    return [
        [(each.field, float(weight)) for each, weight in zip(task.sources, one, strict=True) if weight]
        for one in (line.weights * found.factor).T
    ]


def _linear(found: Margins, line: Line, task: Task) -> Element:
    columns = _terms(found, line, task)
    tables = _tables(columns, found.offset.tolist(), found.link, task)
    before = task.before({name for terms in columns for name, _ in terms}, task.center)
    return regression.model(task.function, NORMALIZATIONS[found.link], before, tables, task.after)


def _tables(
    terms: Sequence[regression.Terms], intercepts: Sequence[float], link: str, task: Task
) -> list[Element]:
    """Return a table a class.

    Of two classes that have one margin the first one comes first, with the other sign: of equal probabilities
    readers take the first.
    """
    if task.function == "regression":
        return [regression.table(terms[0], intercepts[0])]
    if link == "logit" and len(task.labels) == 2 and len(terms) == 1:
        first, second = task.labels
        opposite = [(name, -weight) for name, weight in terms[0]]
        return [regression.table(opposite, -intercepts[0], first), regression.table((), 0.0, second)]
    if link in ("identity", "exp", "logit") or len(terms) != len(task.labels):
        raise Unknown
    return [
        regression.table(each, intercept, label)
        for each, intercept, label in zip(terms, intercepts, task.labels, strict=True)
    ]


def _trees(found: Margins, grove: Grove, task: Task) -> Element:
    forest = Forest(task.sources, grove.strict)
    if not grove.features <= set(range(len(task.sources))):
        raise Unknown
    used = [each.field for each in forest.used(grove.trees)]
    if found.link == "share":
        return _votes(found, grove, forest, used, task)
    if found.link == "identity" and task.function == "regression":
        return _values(found, grove, forest, used, task)
    margins = _margin_names(found, task)
    models = []
    terms: list[list[tuple[str, float]]] = []
    for at, (name, factor) in enumerate(zip(margins, found.factor.tolist(), strict=True)):
        voted = any(tree.votes[:, at].any() for tree in grove.trees)
        terms.append([(name, factor)] if voted else [])
        models += [forest.total(grove, at, name)] if voted else []
    return _chain(models, terms, found, used, task)


def _values(found: Margins, grove: Grove, forest: Forest, used: list[str], task: Task) -> Element:
    """Return one tree, the mean of many or their sum."""
    count = len(grove.trees)
    factor, offset = float(found.factor[0]), float(found.offset[0]) + task.center
    votes = [tree.votes[:, 0] for tree in grove.trees]
    if count == 1:
        before = task.before(used)
        values = (votes[0] * factor + offset).tolist()
        return forest.tree(
            grove.trees[0], "regression", lambda node: (number(values[node]), ()), before, task.after
        )
    # A forest is the mean of leaves that hold values of the target, what is boosted a sum.
    method = "sum" if factor == 1 else "average"
    if method == "average":
        votes = [vote * (factor * count) + offset for vote in votes]
    before = task.before(used, offset if method == "sum" else 0.0)
    inside = (forest.numbers(tree, vote.tolist()) for tree, vote in zip(grove.trees, votes, strict=True))
    return _mining("regression", [*before, segmentation(method, inside), *task.after])


def _votes(found: Margins, grove: Grove, forest: Forest, used: list[str], task: Task) -> Element:
    """Return trees whose leaves hold probabilities, and the mean of these."""
    several = grove.targets > 1
    grove = grove.joined() if several else grove
    count = len(grove.trees)
    if found.offset.any() or grove.targets != (len(task.labels) if several else len(task.labels) - 1):
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
    inside = (
        made(tree, [Element("MiningSchema", {}, [*task.aimed(), *forest.schema([tree]).children])])
        for tree in grove.trees
    )
    return _mining("classification", [*before, segmentation("average", inside), *task.after])


def _line_chain(found: Margins, line: Line, task: Task) -> Element:
    """Return a margin each class, and a choice among them."""
    columns = _terms(found, line, task)
    names = _margin_names(found, task)
    models = []
    for terms, intercept, name in zip(columns, found.offset.tolist(), names, strict=True):
        # A schema has one field at least.
        fields = [field for field, _ in terms] or [task.sources[0].field]
        own = [schema(fields), inner_output(name)]
        models.append(regression.model("regression", "none", own, [regression.table(terms, intercept)]))
    used = {task.sources[0].field, *(name for terms in columns for name, _ in terms)}
    whole = replace(found, offset=np.zeros(len(names)))
    return _chain(models, [[(name, 1.0)] for name in names], whole, used, task)


def _margin_names(found: Margins, task: Task) -> list[str]:
    noun = "score" if found.link == "scores" else "margin"
    if not task.labels:
        return [task.fields.free(noun)]
    several = len(found.factor) > 1
    if several and len(found.factor) != len(task.labels):
        raise Unknown
    labels = task.labels if several else task.labels[-1:]
    return [task.fields.free(f"{noun} of {label}") for label in labels]


def _chain(
    models: list[Element],
    terms: Sequence[regression.Terms],
    found: Margins,
    used: Iterable[str],
    task: Task,
) -> Element:
    """Return models of margins, and a regression of these with the link.

    The last one has the output fields: there some readers find the numbers of labels that are no texts.
    """
    margins = [name for each in terms for name, _ in each]
    before = task.before(used, task.center, outputs=False)
    given = [Element("MiningField", {"name": name}) for name in margins]
    own = [Element("MiningSchema", {}, [*task.aimed(), *given])]
    probabilities = [_output(name, "probability") for name in task.numbers]
    if found.link == "scores":
        probabilities = [
            replace(_output(name, "transformedValue"), children=[reference(margin)])
            for name, margin in zip(task.numbers, margins, strict=True)
        ]
    own.append(task.outputs(probabilities))
    if found.link == "simplemax":
        logarithms = [task.fields.free(f"logarithm of {name}") for name in margins]
        own.append(Element("LocalTransformations", {}, list(map(_log_sigmoid, logarithms, margins))))
        terms = [[(name, 1.0)] for name in logarithms]
    tables = _tables(terms, found.offset.tolist(), found.link, task)
    link = NORMALIZATIONS.get(found.link, "softmax")
    models.append(regression.model(task.function, link, own, tables))
    return _mining(task.function, [*before, segmentation("modelChain", models), *task.after])


def _log_sigmoid(name: str, margin: str) -> Element:
    """Return a field of ``log(1 / (1 + exp(-margin)))``, which no margin makes infinite."""
    value = reference(margin)
    tail = applied("ln1p", applied("exp", applied("-", 0.0, applied("abs", value))))
    least = applied("if", applied("lessThan", value, 0.0), value, 0.0)
    given = {"name": name, "optype": "continuous", "dataType": "double"}
    return Element("DerivedField", given, [applied("-", least, tail)])


def _mining(function: str, inside: Sequence[Element]) -> Element:
    return Element("MiningModel", {"functionName": function}, inside)


def _output(name: str, feature: str) -> Element:
    return Element(
        "OutputField", {"name": name, "optype": "continuous", "dataType": "double", "feature": feature}
    )
