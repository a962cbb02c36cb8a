"""What a PMML 4.4 document says of a record, by the standard (dmg.org/pmml/v4-4), so far as ours need it.

It knows nothing of how they are written.  A model sees the fields of its own mining schema and those derived
in it, and of an element that it does not know it says so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np

from tests.unit.pmml_expressions import COMPARISONS, Value, expression, shown, typed

NAMESPACE = "{http://www.dmg.org/PMML-4_4}"
Record = Mapping[str, Value]
MODELS = ("MiningModel", "TreeModel", "RegressionModel", "ClusteringModel")


class Invalid(Exception):
    """A value for which the document says that there is no result."""


@dataclass
class Scope:
    """The fields a model sees; derived ones are computed where they are asked for."""

    values: dict[str, Value]
    derived: dict[str, ElementTree.Element] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self.derived

    def __getitem__(self, name: str) -> Value:
        if name not in self.values:
            given = self.derived[name]
            self.values[name] = typed(given.get("dataType"), expression(given[0], self))
        return self.values[name]


@dataclass(frozen=True)
class Answer:
    """What a model says: a value, and numbers by category."""

    value: Value
    numbers: Mapping[str, float]
    outputs: Mapping[str, Value] = field(default_factory=dict)


class Document:
    """A document, to be asked about records.

    Attributes
    ----------
    inputs : list of str
        The fields it wants.
    """

    def __init__(self, text: str) -> None:
        self.root = stripped(ElementTree.fromstring(text.encode()))
        assert self.root.get("version") == "4.4"
        self.fields = {each.get("name"): each for each in self.root.findall("DataDictionary/DataField")}
        assert self.root.find("DataDictionary").get("numberOfFields") == str(len(self.fields))
        (self.model,) = [each for each in self.root if each.tag in MODELS]
        self.inputs = [
            each.get("name")
            for each in self.model.findall("MiningSchema/MiningField")
            if each.get("usageType") != "target"
        ]

    def evaluate(self, record: Record) -> dict[str, Value]:
        """Return the output fields."""
        values = {name: self._treated(name, record.get(name)) for name in self.inputs}
        return dict(self._answer(self.model, Scope(values)).outputs)

    def verify(self) -> int:
        """Check the records that the document holds and return how many."""
        fields = self.model.findall("ModelVerification/VerificationFields/VerificationField")
        rows = self.model.findall("ModelVerification/InlineTable/row")
        for row in rows:
            cells = {
                each.get("field"): each_cell.text or ""
                for each in fields
                if (each_cell := row.find(each.get("column"))) is not None
            }
            given = {name: typed(self.fields[name].get("dataType"), cells.get(name)) for name in self.inputs}
            found = self.evaluate(given)
            for each in fields[len(self.inputs) :]:
                expected, value = cells[each.get("field")], found[each.get("field")]
                if not isinstance(value, float):
                    assert shown(value) == expected
                    continue
                near = math.isclose(
                    value,
                    float(expected),
                    rel_tol=float(each.get("precision")),
                    abs_tol=float(each.get("zeroThreshold")),
                )
                assert near, (value, expected)
        return len(rows)

    def _treated(self, name: str, value: Value) -> Value:
        """Return a given value as the schema treats it."""
        schema = next(
            each for each in self.model.findall("MiningSchema/MiningField") if each.get("name") == name
        )
        described = self.fields[name]
        kind = described.get("dataType")
        if value is None:
            if schema.get("missingValueTreatment") == "returnInvalid":
                raise Invalid(name)
            return typed(kind, schema.get("missingValueReplacement"))
        known = [each.get("value") for each in described.findall("Value")]
        if known and shown(value) not in known:
            treatment = schema.get("invalidValueTreatment", "returnInvalid")
            if treatment == "returnInvalid":
                raise Invalid(name)
            assert treatment == "asIs"
        return typed(kind, value)

    def _answer(self, model: ElementTree.Element, known: Scope) -> Answer:
        """Return what a model says that sees of what is known only the fields of its schema."""
        fields = model.findall("MiningSchema/MiningField")
        target = next((each.get("name") for each in fields if each.get("usageType") == "target"), None)
        own = Scope({name: known[name] for each in fields if (name := each.get("name")) != target})
        derived = model.findall("LocalTransformations/DerivedField")
        own.derived.update({each.get("name"): each for each in derived})
        found = {
            "MiningModel": self._mining,
            "TreeModel": self._tree,
            "RegressionModel": self._regression,
            "ClusteringModel": self._clusters,
        }[model.tag](model, own, target)
        moved = model.find("Targets/Target")
        if moved is not None:
            assert moved.get("field") == target
            constant = float(moved.get("rescaleConstant", 0))
            found = Answer(
                found.value * float(moved.get("rescaleFactor", 1)) + constant, found.numbers, found.outputs
            )
        for each in model.findall("Output/OutputField"):
            scope = Scope(own.values | dict(found.outputs), own.derived)
            found.outputs[each.get("name")] = output(each, found, scope)
        return found

    def _chosen(self, numbers: Mapping[str, float], target: str) -> Answer:
        """Return the likeliest category; the standard leaves open which of equal ones."""
        values = [each.get("value") for each in self.fields[target].findall("Value")]
        assert set(values) == set(numbers)
        best = max(values, key=lambda value: numbers[value])
        return Answer(typed(self.fields[target].get("dataType"), best), numbers, {})

    def _mining(self, model: ElementTree.Element, scope: Scope, target: str) -> Answer:
        method = model.find("Segmentation").get("multipleModelMethod")
        segments = model.findall("Segmentation/Segment")
        assert all(segment[0].tag == "True" for segment in segments)
        if method == "modelChain":
            for segment in segments:
                found = self._answer(segment[1], scope)
                # Later ones see what earlier ones give.
                scope.values.update(found.outputs)
            return found
        answers = [self._answer(segment[1], scope) for segment in segments]
        if model.get("functionName") == "classification":
            assert method == "average"
            labels = answers[0].numbers
            shares = {label: sum(each.numbers[label] for each in answers) / len(answers) for label in labels}
            return self._chosen(shares, target)
        total = sum(each.value for each in answers)
        return Answer({"sum": total, "average": total / len(answers)}[method], {}, {})

    def _tree(self, model: ElementTree.Element, scope: Scope, target: str) -> Answer:
        node = model.find("Node")
        assert predicate(node, scope)
        strategy = model.get("missingValueStrategy", "none")
        while children := node.findall("Node"):
            node = child(node, children, strategy, scope)
        if model.get("functionName") == "regression":
            return Answer(float(node.get("score")), {}, {})
        shares = {
            each.get("value"): float(each.get("probability")) for each in node.findall("ScoreDistribution")
        }
        assert shares[node.get("score")] == max(shares.values())
        return self._chosen(shares, target)

    def _regression(self, model: ElementTree.Element, scope: Scope, target: str) -> Answer:
        link = model.get("normalizationMethod", "none")
        tables = model.findall("RegressionTable")
        values = [
            float(table.get("intercept"))
            + math.fsum(
                float(each.get("coefficient")) * scope[each.get("name")]
                for each in table.findall("NumericPredictor")
            )
            for table in tables
        ]
        if model.get("functionName") == "regression":
            (value,) = values
            return Answer(
                {"none": lambda: value, "exp": lambda: math.exp(value), "logit": lambda: logistic(value)}[
                    link
                ](),
                {},
                {},
            )
        labels = [table.get("targetCategory") for table in tables]
        if link == "softmax":
            powers = np.exp(np.array(values) - max(values))
            return self._chosen(dict(zip(labels, (powers / powers.sum()).tolist(), strict=True)), target)
        assert link == "logit"
        assert len(labels) == 2
        first = logistic(values[0])
        return self._chosen({labels[0]: first, labels[1]: 1 - first}, target)

    def _clusters(self, model: ElementTree.Element, scope: Scope, target: None) -> Answer:
        measure = model.find("ComparisonMeasure")
        assert [measure.get("kind"), measure[0].tag] == ["distance", "euclidean"]
        row = np.array([scope[each.get("field")] for each in model.findall("ClusteringField")])
        distances = {
            each.get("id"): float(np.sqrt(((row - numbers(each.find("Array"))) ** 2).sum()))
            for each in model.findall("Cluster")
        }
        assert model.get("numberOfClusters") == str(len(distances))
        return Answer(min(distances, key=lambda label: distances[label]), distances, {})


def stripped(element: ElementTree.Element) -> ElementTree.Element:
    """Return an element with names of its namespace alone, which must be that of PMML 4.4."""
    for each in element.iter():
        assert each.tag.startswith(NAMESPACE), each.tag
        each.tag = each.tag.removeprefix(NAMESPACE)
    return element


def numbers(array: ElementTree.Element) -> np.ndarray[Any, Any]:
    """Return the numbers of an array."""
    found = np.array(array.text.split(), dtype=np.float64)
    assert array.get("n") == str(len(found))
    return found


def logistic(value: float) -> float:
    """Return 1 / (1 + exp(-value))."""
    return 1 / (1 + math.exp(-value)) if value > -700 else math.exp(value)


def output(element: ElementTree.Element, found: Answer, scope: Scope) -> Value:
    """Return an output field."""
    feature = element.get("feature")
    if feature == "predictedValue":
        return found.value
    if feature == "transformedValue":
        return expression(element[0], scope)
    assert feature in ("probability", "affinity")
    return found.numbers[element.get("value")]


def child(
    node: ElementTree.Element, children: Sequence[ElementTree.Element], strategy: str, scope: Scope
) -> ElementTree.Element:
    """Return the node below another that a record goes to."""
    for each in children:
        found = predicate(each, scope)
        if found is None:
            assert strategy == "defaultChild"
            return next(one for one in children if one.get("id") == node.get("defaultChild"))
        if found:
            return each
    raise AssertionError("no child is true")


def predicate(node: ElementTree.Element, scope: Scope) -> bool | None:
    """Return whether a record is of a node; None where that is unknown."""
    given = node[0]
    if given.tag == "True":
        return True
    assert given.tag == "SimplePredicate"
    value = scope[given.get("field")]
    return None if value is None else COMPARISONS[given.get("operator")](value, float(given.get("value")))
