"""PMML documents: what is in them, which names they hold, and what is refused rather than written wrongly."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from onnx import ModelProto, helper, numpy_helper

from pgml.artifact.format import Artifact, unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, NotBuilt, PgmlError, TooLarge
from pgml.exchange.pmml import Header, pmml_of
from pgml.exchange.pmml.fields import Source
from pgml.exchange.pmml.trees import Nodes
from pgml.inference import Predictor
from pgml.sqlgen.votes import Laid
from pgml.target import label_text
from tests.unit import builders, pipelines
from tests.unit.pmml_evaluator import Document
from tests.unit.pmml_models import DOUBLE, NOUNS, SINGLE, differences, fitted, records, rows_of, written

HEADER = Header("churn & <more>_1", "linear", "2026-11-21T12:00:00Z", "0.1")
ODD = [
    'quo"te',
    "it's",
    "a<b",
    "a&amp;b",
    "line\nbreak",
    "tab\tand\r",
    " blank ",
    "Ünï 😀",
    "probability(x)",
    "]]>",
]


@pytest.fixture(scope="module")
def linear() -> Artifact:
    return unpack(fitted(rows_of("penguins"), "classification", "linear", ["species"]))


def named(names: list[str], texts: list[str], rows: int = 60) -> Dataset:
    """Return a table with such columns of numbers, a text column, and a class by the first of these."""
    random = np.random.default_rng(2)
    numbers = random.normal(size=(rows, len(names)))
    chosen = [texts[at] for at in random.integers(len(texts), size=rows)]
    label = [texts[0] if value > 0 else texts[-1] for value in numbers[:, 0]]
    columns: dict[str, tuple[str, Any]] = {
        name: ("double precision", each.tolist()) for name, each in zip(names, numbers.T, strict=True)
    }
    return builders.dataset({**columns, "a text": ("text", chosen), "the <class>": ("text", label)})


def test_a_document_says_whose_it_is(linear: Artifact) -> None:
    document = Document(pmml_of(linear, HEADER))
    header = document.root.find("Header")
    application = header.find("Application")
    assert (application.get("name"), application.get("version")) == ("pgml", "0.1")
    assert header.find("Timestamp").text == "2026-11-21T12:00:00Z"
    assert document.model.get("modelName") == "churn & <more>_1"
    assert document.model.get("algorithmName") == "linear"


def test_the_same_model_is_the_same_document() -> None:
    documents = {
        written(
            fitted(rows_of("penguins"), "classification", "random_forest", ["species"], {"n_estimators": 5})
        )
        for _ in range(2)
    }
    assert len(documents) == 1


@pytest.mark.parametrize("name", ["linear", "random_forest", "xgboost", "ridge"])
def test_any_name_and_text_comes_back_as_it_was(name: str) -> None:
    rows = named(ODD, [*ODD, "", "prediction"])
    small = {"n_estimators": 5} if name in ("random_forest", "xgboost") else {}
    model = fitted(rows, "classification", name, ["the <class>"], small, {"a text": {"indicator": True}})
    document = Document(written(model))
    assert document.inputs == [*ODD, "a text"]
    wrong, error = differences(model, rows)
    assert wrong == 0
    assert error < SINGLE


def test_texts_of_a_table_of_means_come_back_as_they_were() -> None:
    rows = named(["x", "y"], [*ODD, "", "prediction"])
    plan = {"a text": {"encode": "target"}}
    model = fitted(rows, "classification", "linear", ["the <class>"], {}, plan)
    wrong, error = differences(model, rows)
    assert wrong == 0
    assert error < DOUBLE


@pytest.mark.parametrize("text", ["bell\x07", "\x0b", "\ufffe"])
def test_a_character_that_xml_has_not_is_refused_with_the_name(text: str) -> None:
    shown = text.encode("unicode_escape").decode().replace("\\x", "\\u00")
    for names, texts in (([f"x{text}", "y"], ["a", "b"]), (["x", "y"], ["a", f"x{text}"])):
        model = fitted(named(names, texts), "classification", "linear", ["the <class>"])
        with pytest.raises(InvalidValue) as raised:
            written(model)
        assert f'"x{shown}" cannot be written as PMML' in raised.value.message
        assert "U+" in raised.value.detail
        assert raised.value.hint


def test_a_document_is_bounded(linear: Artifact) -> None:
    assert pmml_of(linear, HEADER, max_bytes=1 << 20)
    with pytest.raises(TooLarge, match="more than 0 MB as PMML"):
        pmml_of(linear, HEADER, max_bytes=1000)


def changed(artifact: Artifact, change: Any) -> Artifact:
    model = ModelProto.FromString(artifact.graph)
    change(model.graph)
    return replace(artifact, graph=model.SerializeToString(), golden={})


def test_a_graph_that_computes_something_else_is_refused(linear: Artifact) -> None:
    def absolute(graph: Any) -> None:
        """Take absolute margins."""
        last = graph.node[-1]
        graph.node.insert(len(graph.node) - 1, helper.make_node("Abs", [last.input[0]], ["absolute"]))
        last.input[0] = "absolute"

    def sideways(graph: Any) -> None:
        """Make shares of columns."""
        graph.node[-1].attribute[0].i = 0

    def doubled(graph: Any) -> None:
        """Look at twice the features."""
        graph.initializer.append(numpy_helper.from_array(np.array(2.0), "two"))
        graph.node.insert(0, helper.make_node("Mul", ["features", "two"], ["doubled"]))
        graph.node[1].input[0] = "doubled"

    def single(graph: Any) -> None:
        """Compute in float32."""
        graph.node.insert(0, helper.make_node("Cast", ["features"], ["single"], to=1))
        graph.node.insert(1, helper.make_node("Cast", ["single"], ["again"], to=11))
        graph.node[2].input[0] = "again"

    for change in (absolute, sideways, doubled, single):
        with pytest.raises(NotBuilt, match='algorithm "linear" cannot be written as PMML'):
            pmml_of(changed(linear, change), HEADER)
    assert pmml_of(changed(linear, lambda graph: None), HEADER)


def test_a_product_and_a_sum_in_one_operator_are_the_same_model(linear: Artifact) -> None:
    def joined(turned: bool) -> Any:
        def change(graph: Any) -> None:
            """Make one operator of product and sum."""
            product, total = graph.node[0], graph.node[1]
            weights = next(each for each in graph.initializer if each.name == product.input[1])
            if turned:
                array = np.ascontiguousarray(numpy_helper.to_array(weights).T)
                weights.CopyFrom(numpy_helper.from_array(array, weights.name))
            inputs = [*product.input, total.input[1]]
            both = helper.make_node("Gemm", inputs, list(total.output), transB=int(turned))
            del graph.node[0]
            graph.node[0].CopyFrom(both)

        return change

    plain = pmml_of(changed(linear, lambda graph: None), HEADER)
    for turned in (True, False):
        assert pmml_of(changed(linear, joined(turned)), HEADER) == plain


def test_trees_that_compare_or_add_up_otherwise_are_refused() -> None:
    forest = unpack(
        fitted(rows_of("penguins"), "classification", "xgboost", ["species"], {"n_estimators": 2})
    )

    def other(name: str, value: Any) -> Any:
        def change(graph: Any) -> None:
            trees = next(node for node in graph.node if node.op_type == "TreeEnsemble")
            kept = [each for each in trees.attribute if each.name != name]
            del trees.attribute[:]
            trees.attribute.extend([*kept, helper.make_attribute(name, value)])

        return change

    count = len(
        numpy_helper.to_array(
            next(
                each.t
                for node in ModelProto.FromString(forest.graph).graph.node
                for each in node.attribute
                if each.name == "nodes_modes"
            )
        )
    )
    modes = numpy_helper.from_array(np.full(count, 4, dtype=np.uint8), "modes")
    for name, value in (("aggregate_function", 2), ("post_transform", 1), ("nodes_modes", modes)):
        with pytest.raises(NotBuilt, match="cannot be written as PMML"):
            pmml_of(changed(forest, other(name, value)), HEADER)


def test_a_document_checks_itself() -> None:
    text = written(fitted(rows_of("penguins"), "regression", "linear", ["body_mass_g"]))
    assert Document(text).verify() == 5
    at = text.index('intercept="') + len('intercept="')
    with pytest.raises(AssertionError):
        Document(f"{text[:at]}1{text[at:]}").verify()


def test_records_to_check_by_hold_no_label_that_readers_may_take_otherwise() -> None:
    rows = named(["x", "y"], ["", "b"])
    model = fitted(rows, "classification", "linear", ["the <class>"])
    document = Document(written(model))
    assert document.verify() > 0
    held = [each.text for each in document.model.findall("ModelVerification/InlineTable/row/field4")]
    assert set(held) == {"b"}


def test_of_two_equal_probabilities_the_first_class_is_chosen() -> None:
    rows = builders.dataset(
        {"x": ("double precision", [0.0, 1.0] * 20), "y": ("text", ["no", "no", "yes", "yes"] * 10)}
    )
    for name in ("linear", "lightgbm", "decision_tree"):
        model = fitted(rows, "classification", name, ["y"])
        predictor = Predictor(model)
        outputs = predictor.outputs(rows)
        if (outputs[:, 0] == outputs[:, 1]).any():
            assert differences(model, rows)[0] == 0
        # Readers take the first of what they are given.
        document = Document(written(model))
        labels = [
            each.get("targetCategory") or each.get("value")
            for each in document.model.iter()
            if each.tag in ("RegressionTable", "ScoreDistribution")
        ]
        assert labels[:2] == ["no", "yes"]


def test_a_deep_tree_is_written() -> None:
    depth = 5000
    nodes = 2 * depth + 1
    left = np.full(nodes, -1)
    left[0 : nodes - 2 : 2] = np.arange(1, nodes, 2)
    right = np.where(left < 0, -1, left + 1)
    tree = Laid(
        left, right, np.zeros(nodes, int), np.arange(nodes) * 1.0, np.zeros(nodes, bool), np.ones((nodes, 1))
    )
    source = Source("x", nullable=False)
    made = Nodes(tree, strict=False, sources=[source], leaf=lambda node: ("1", ()), named=False)
    lines = list(made.lines(0))
    assert lines.count(" " * depth + "</Node>") == 2
    assert sum(line.endswith("</Node>") for line in lines) == nodes


NAMES = ("linear", "ridge", "decision_tree", "random_forest", "hist_gradient_boosting", "xgboost", "kmeans")
CASES = [case for case in pipelines.every() if case[1] in NAMES]


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(pipelines.pipelines(CASES))
def test_a_random_pipeline_answers_there_as_here(pipeline: pipelines.Pipeline) -> None:
    try:
        model = pipeline.fitted()
    except PgmlError:
        return
    rows = pipelines.probes(pipeline, np.random.default_rng(pipeline.seed))
    predictor = Predictor(model)
    outputs = np.atleast_2d(predictor.outputs(rows).T).T
    text = written(model)
    document = Document(text)
    document.verify()
    chosen = next(
        each.get("name")
        for each in document.model.iter("OutputField")
        if each.get("feature") == "predictedValue" and each.get("isFinalResult") is None
    )
    labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
    names = [chosen] if not labels else [f"{NOUNS[predictor.output]}({label})" for label in labels]
    # A forest's shares and sums of float32 are rounded, and far from 0 so is all of a margin.
    near = SINGLE * np.maximum(np.abs(outputs), np.abs(outputs).max(initial=1.0))
    values = records(rows)
    for at in range(len(rows)):
        with np.errstate(all="ignore"):
            found = document.evaluate({name: each[at] for name, each in values.items()})
        for place, name in enumerate(names):
            assert found[name] == pytest.approx(outputs[at, place], abs=near[at, place])
