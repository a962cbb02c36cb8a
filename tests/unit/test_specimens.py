"""The first tree of a model, in the words of its features and labels."""

from typing import Any

import pytest

from pgml import specimens
from pgml.errors import WrongType
from pgml.inference import Predictor
from pgml.native import Matrix
from tests.unit import builders
from tests.unit.test_training import fitted


def tree(goal: str, algorithm: str, depth: int = 9, **changes: Any) -> tuple[dict[str, Any], bytes]:
    _, model, _ = fitted(goal, algorithm, **changes)
    found, _ = specimens.first_tree({"depth": depth}, model, lambda message: None)
    return found, model


def walked(node: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return the leaf that a row comes to by answering the questions."""
    while "question" in node:
        feature, asked = node["question"]
        if asked.startswith("is "):
            yes = row[feature] == asked.removeprefix("is ")
        else:
            sign, threshold = asked.split(" ")
            yes = row[feature] < float(threshold) if sign == "<" else row[feature] <= float(threshold)
        node = node["answers"][0 if yes else 1]
    return node


ROWS = [
    {"a": a, "b": b, "c": c}
    for a in (-2.2, -0.5, 0.1, 0.7, 2.1)
    for b in (1, 5)
    for c in ("red", "green", "blue")
]


def outputs(model: bytes) -> Matrix:
    columns = {
        "a": ("double precision", [row["a"] for row in ROWS]),
        "b": ("integer", [row["b"] for row in ROWS]),
        "c": ("text", [row["c"] for row in ROWS]),
    }
    return Predictor(model).outputs(builders.dataset(columns))


def test_who_answers_its_questions_comes_to_the_predicted_label() -> None:
    found, model = tree("sign", "decision_tree", hyperparams={"max_depth": 4})
    labels = Predictor(model).labels
    predicted = [labels[each] for each in outputs(model).argmax(axis=1)]
    assert found["trees"] == 1
    assert found["leaves"] == "shares"
    assert [walked(found["root"], row)["label"] for row in ROWS] == predicted


def test_who_answers_its_questions_comes_to_the_predicted_number() -> None:
    found, model = tree("y", "decision_tree", hyperparams={"max_depth": 4})
    assert found["leaves"] == "values"
    assert [walked(found["root"], row)["value"][0] for row in ROWS] == pytest.approx(outputs(model).tolist())


def test_the_steps_of_boosted_trees_are_told_as_such() -> None:
    found, _ = tree("sign", "xgboost", hyperparams={"n_estimators": 5})
    assert (found["trees"], found["leaves"], found["label"]) == (5, "steps", None)
    values = [walked(found["root"], row)["value"][0] for row in ROWS]
    assert min(values) < 0 < max(values)


def test_the_trees_of_a_forest_are_counted_once_for_all_classes() -> None:
    found, _ = tree("sign", "random_forest", hyperparams={"n_estimators": 7})
    assert found["trees"] == 7
    assert found["leaves"] == "shares"


def test_what_is_below_the_depth_is_counted() -> None:
    whole, _ = tree("y", "decision_tree", hyperparams={"max_depth": 5})
    short, _ = tree("y", "decision_tree", depth=1, hyperparams={"max_depth": 5})

    def leaves(node: dict[str, Any]) -> int:
        return sum(map(leaves, node["answers"])) if "answers" in node else node.get("below", 1)

    assert [set(each) for each in short["root"]["answers"]] == [{"below"}, {"below"}]
    assert leaves(short["root"]) == leaves(whole["root"])


@pytest.mark.parametrize("algorithm", ["linear", "knn", "mlp"])
def test_a_model_without_trees_is_refused(algorithm: str) -> None:
    with pytest.raises(WrongType, match="has no trees"):
        tree("y", algorithm)
