"""A text of LightGBM as a model that pgml can serve."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pgml.algorithms import lightgbm_model, links
from pgml.artifact import trees
from pgml.artifact.graph import INPUT, Graph
from pgml.artifact.trees import Tree
from pgml.columns import Column
from pgml.errors import InvalidValue, NotBuilt, TooLarge, hint_of_names
from pgml.exchange import boosted_categories
from pgml.exchange.boosted_categories import Categories, checked_numbers, checked_texts, mixed
from pgml.exchange.boosters import check_objective_task, checked_text, labels_for, names_of, rows_at_a_time
from pgml.exchange.foreign import Foreign
from pgml.exchange.lightgbm.texts import File, broken, taken_apart
from pgml.exchange.naming import Wanted
from pgml.spec import Output

_VALUES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
LINKS: Mapping[str, Mapping[str, str]] = {
    "regression": {
        **dict.fromkeys(_VALUES, "identity"),
        **dict.fromkeys(("lambdarank", "rank_xendcg", "custom"), "identity"),
        "poisson": "log",
        "gamma": "log",
        "tweedie": "log",
        "cross_entropy": "logistic",
        "cross_entropy_lambda": "softplus",
    },
    "classification": {"binary": "logistic", "multiclass": "softmax", "multiclassova": "each"},
}
"""For each task the objectives that can be served, each with its link from margin to prediction."""


def read(data: bytes, wanted: Wanted) -> Foreign:
    """Read a text of ``save_model``, with all the rounds that it holds.

    A category that the model does not know, and a missing one, is in no set of categories, as with LightGBM.

    Raises
    ------
    MalformedText, InvalidValue
        The text is broken, or does not fit what is wanted.
    NotBuilt
        The model is of a kind that cannot be served.
    TooLarge
        Reading it takes more than it may.
    """
    try:
        return _read(data, wanted)
    except RecursionError:
        raise TooLarge("model is nested too deeply", hint="Save it anew, or a smaller one.") from None


def _read(data: bytes, wanted: Wanted) -> Foreign:
    file = taken_apart(data)
    name = file.objective[0] if file.objective else "custom"
    task, link = _objective(name)
    check_objective_task(wanted, task, name)
    columns, categories = _features(file)
    labels, label_kind = labels_for(wanted, _classes(link, file.margins) if task == "classification" else 0)
    graph = Graph(len(columns), "float64")
    result = _linked(graph, _margin(graph, file, categories), link, file.objective)
    output: Output = "value" if task == "regression" else "probabilities"
    return Foreign(
        columns=columns,
        texts={columns[at].name: texts for at, texts in categories.texts.items()},
        graph=graph.finish(result, output, len(labels) or file.margins),
        dtype="float64",
        task=task,
        output=output,
        labels=labels,
        label_kind=label_kind,
        rows=rows_at_a_time(len(columns), categories.looked_up, len(labels) or file.margins),
        algorithm="lightgbm",
        versions={"lightgbm": file.version} if file.version else {},
        expects_missing=True,
    )


def _objective(name: str) -> tuple[str, str]:
    """Return the task and the link of an objective."""
    for task, known in LINKS.items():
        if name in known:
            return task, known[name]
    every = [each for known in LINKS.values() for each in known]
    raise NotBuilt(
        f'a model with objective "{name:.60}" cannot be imported',
        hint=hint_of_names("objectives", name[:60], every),
    )


def _classes(link: str, margins: int) -> int:
    """Return how many classes a model tells apart."""
    if (margins > 1) == (link == "logistic"):
        raise InvalidValue(
            f"objective of the model does not fit its {margins} tree(s) a round",
            hint="Save the model again.",
        )
    return 2 if link == "logistic" else margins


def _linked(graph: Graph, margin: str, link: str, objective: Sequence[str]) -> str:
    """Append what the objective makes of the margins."""
    if link == "softplus":
        return _softplus(graph, margin)
    if link == "identity" and "sqrt" in objective[1:]:
        return graph.apply("Mul", margin, graph.apply("Abs", margin))
    steepness = _steepness(objective)
    if link in ("logistic", "each") and steepness != 1:
        margin = graph.apply("Mul", margin, graph.constant(steepness))
    if link == "each":
        return graph.apply("Sigmoid", margin)
    return links.applied(graph, margin, link, classes=objective[:1] == ["binary"])


def _softplus(graph: Graph, margin: str) -> str:
    """Append log(1 + exp(x)); ONNX Runtime's own is not for float64."""
    small = graph.apply("Exp", graph.apply("Neg", graph.apply("Abs", margin)))
    logarithm = graph.apply("Log", graph.apply("Add", small, graph.constant(1.0)))
    return graph.apply("Add", graph.apply("Max", margin, graph.constant(0.0)), logarithm)


def _steepness(objective: Sequence[str]) -> float:
    """Return what margins are multiplied by before the logistic curve."""
    given = [each.removeprefix("sigmoid:") for each in objective if each.startswith("sigmoid:")]
    try:
        found = float(given[0]) if given else 1.0
    except ValueError:
        raise broken('"sigmoid" is no number') from None
    if not 0 < found < np.inf:
        raise broken('"sigmoid" is not above 0')
    return found


def _features(file: File) -> tuple[list[Column], Categories]:
    """Return the columns, and what is known of their categories."""
    names = names_of(file.names, file.features, "Column_")
    listed = file.categories
    if listed and len(listed) != len(file.categorical):
        raise NotBuilt(
            "model does not say which of its columns have which categories",
            detail=f"It has categories of {len(listed)} columns of pandas, "
            f"and {len(file.categorical)} columns of categories.",
            hint="Train it on ordered categories as numbers, and on others as categories of pandas.",
        )
    texts: dict[int, list[str]] = {}
    numbers: dict[int, Any] = {}
    truths = []
    for at, known in zip(file.categorical, listed, strict=False):
        kinds = {type(each) for each in known}
        if kinds <= {str}:
            texts[at] = checked_texts([checked_text(each, "a category") for each in known], names[at])
        elif kinds <= {int, float} or kinds == {bool}:
            try:
                numbers[at] = checked_numbers(np.array(known, dtype=np.float64), names[at])
            except OverflowError:
                raise mixed(names[at]) from None
        else:
            raise mixed(names[at])
        truths += [at] if kinds == {bool} else []
    columns = [
        Column(name, "text" if at in texts else "boolean" if at in truths else "double precision")
        for at, name in enumerate(names)
    ]
    asked = {int(tree.feature[node]) for tree, _ in file.trees for node in tree.sets}
    return columns, Categories(texts, numbers, sorted(asked - set(texts) - set(numbers)))


def _margin(graph: Graph, file: File, categories: Categories) -> str:
    """Append the sums or means of the trees, of shape (rows, margins)."""
    source = boosted_categories.append(graph, INPUT, categories, "cut")
    width = file.features + len(categories.codes) + len(categories.numbers)
    zeros = sorted({int(each) for tree, zero in file.trees for each in np.unique(tree.feature[zero])})
    if zeros:
        source = graph.apply("Concat", graph.float64(source), _without_zeros(graph, zeros), axis=1)
    places = categories.places(file.features)
    moved = {feature: width + at for at, feature in enumerate(zeros)}
    placed = _placed(file.trees, places, moved, categories)
    total = trees.append(graph, source, placed, file.margins, trees.LESS_OR_EQUAL)
    return graph.apply("Div", total, graph.constant(float(file.divisor))) if file.divisor > 1 else total


def _without_zeros(graph: Graph, features: Sequence[int]) -> str:
    """Return columns in which 0 is a missing value."""
    given = graph.float64(graph.columns(INPUT, features))
    near = graph.apply("LessOrEqual", graph.apply("Abs", given), graph.constant(lightgbm_model.ZERO))
    return graph.apply("Where", near, graph.constant(np.nan), given)


def _placed(
    given: Sequence[tuple[Tree, Any]],
    places: Mapping[int, int],
    moved: Mapping[int, int],
    categories: Categories,
) -> Iterator[Tree]:
    """Give the trees with branches that look where the codes are, and the numbers without zeros."""
    for tree, zero in given:
        feature = tree.feature.copy()
        asked = np.zeros(len(feature), dtype=np.bool_)
        asked[list(tree.sets)] = True
        if set(feature[(tree.left >= 0) & ~asked].tolist()) & set(categories.texts):
            raise broken("a branch compares a category by size")
        for node in tree.sets:
            feature[node] = places[int(feature[node])]
        for node in np.flatnonzero(zero).tolist():
            feature[node] = moved[int(feature[node])]
        yield replace(tree, feature=feature)
