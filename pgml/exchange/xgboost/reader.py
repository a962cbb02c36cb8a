"""A file of XGBoost as a model that pgml can serve."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pgml.algorithms import links, xgboost_model
from pgml.algorithms.base import Floats
from pgml.algorithms.xgboost_model import BoosterModel
from pgml.artifact import trees
from pgml.artifact.graph import INPUT, Graph
from pgml.artifact.trees import Tree
from pgml.columns import Column
from pgml.errors import InvalidValue, MalformedText, NotBuilt, TooLarge, hint_of_names
from pgml.exchange import boosted_categories
from pgml.exchange.boosted_categories import Categories
from pgml.exchange.boosters import check_objective_task, labels_for, rows_at_a_time
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.exchange.xgboost import ubjson
from pgml.exchange.xgboost.features import features_of
from pgml.exchange.xgboost.learner import checked
from pgml.exchange.xgboost.parts import broken, mapping
from pgml.spec import Output

_VALUES = (
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:linear",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:quantileerror",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
)
LINKS: Mapping[str, Mapping[str, str]] = {
    "regression": {
        **dict.fromkeys(_VALUES, "identity"),
        "reg:logistic": "logistic",
        "reg:gamma": "log",
        "reg:tweedie": "log",
        "count:poisson": "log",
    },
    "classification": {
        "binary:logistic": "logistic",
        "binary:logitraw": "raw",
        "binary:hinge": "sign",
        "multi:softprob": "softmax",
        "multi:softmax": "softmax",
    },
}
"""For each task the objectives that can be served, each with its link from margin to prediction."""
_LEAST = np.float32(1e-6)
"""Of a base score that is a probability; 1 less this is the largest."""
_OLD = (b"binf", b"CONFIG-offset:")
"""How files of the binary form begin that was given up with 3.1."""


def read(data: bytes, wanted: Wanted) -> Foreign:
    """Read a file of ``save_model``, as JSON or as UBJSON.

    Up to the best iteration, where early stopping found one, as the library's scikit-learn classes predict.
    A category that the model does not know goes where those go that a branch does not name.

    Raises
    ------
    MalformedText, InvalidValue
        The file is broken, or does not fit what is wanted.
    NotBuilt
        It is of the former binary form, or the model is of a kind that cannot be served.
    TooLarge
        Reading it takes more than it may.
    """
    try:
        return _read(data, wanted)
    except RecursionError:
        raise TooLarge("model is nested too deeply", hint="Save it anew, or a smaller one.") from None


def _read(data: bytes, wanted: Wanted) -> Foreign:
    document = _document(data)
    given = mapping(document, "learner")
    learner = checked(given)
    task, link = _objective(learner)
    check_objective_task(wanted, task, learner["objective"]["name"])
    columns, categories = features_of(given, learner["learner_model_param"]["num_feature"])
    graph = Graph(len(columns), "float64" if categories.numbers else "float32")
    shape = learner["learner_model_param"]
    groups = max(1, shape["num_class"], shape["num_target"])
    labels, label_kind = labels_for(wanted, _classes(link, groups) if task == "classification" else 0)
    margin = _margin(graph, learner, link, columns, categories)
    output: Output = "value" if task == "regression" else "scores" if link == "sign" else "probabilities"
    if link == "sign":
        result = graph.apply("Concat", graph.apply("Neg", margin), margin, axis=1)
    else:
        # A raw score is one before the logistic curve, and its base score too.
        result = links.applied(
            graph, margin, "logistic" if link == "raw" else link, classes=task == "classification"
        )
    return Foreign(
        columns=columns,
        texts={columns[at].name: texts for at, texts in categories.texts.items()},
        graph=graph.finish(result, output, len(labels) or groups),
        dtype="float64" if categories.numbers else "float32",
        task=task,
        output=output,
        labels=labels,
        label_kind=label_kind,
        rows=rows_at_a_time(len(columns), categories.looked_up, len(labels) or groups),
        algorithm="xgboost",
        versions=_versions(document),
        expects_missing=True,
    )


def _document(data: bytes) -> Mapping[str, Any]:
    if data.startswith(_OLD):
        raise NotBuilt(
            "file has the binary form that XGBoost gave up",
            hint='Load it with a version before 3.1 and save it again with save_model("model.json").',
        )
    if not data.startswith(b"{"):
        raise MalformedText(
            "file is no model of XGBoost",
            hint='Save the model with save_model("model.json") or save_model("model.ubj").',
        )
    if data[1:65].lstrip()[:1] not in (b'"', b"}"):
        found = ubjson.decoded(data)
    else:
        try:
            found = json.loads(data)
        except ValueError as error:
            raise broken(f"it is no JSON ({str(error)[:100]})") from None
    if not isinstance(found, Mapping):
        raise broken("it is no object")
    return found


def _objective(learner: Mapping[str, Any]) -> tuple[str, str]:
    """Return the task and the link of a learner's objective."""
    name = learner["objective"]["name"]
    for task, known in LINKS.items():
        if name in known:
            return task, known[name]
    every = [each for known in LINKS.values() for each in known]
    raise NotBuilt(
        f'a model with objective "{name:.60}" cannot be imported',
        hint=hint_of_names("objectives", name[:60], every),
    )


def _classes(link: str, groups: int) -> int:
    """Return how many classes a model tells apart."""
    if link == "softmax":
        if groups < 2:
            raise InvalidValue("model tells one class apart", hint="Train it on two or more.")
        return groups
    if groups > 1:
        raise NotBuilt(
            "a model of several targets that are classes cannot be imported",
            hint="Train a model for each target.",
        )
    return 2


def _margin(
    graph: Graph, learner: Mapping[str, Any], link: str, columns: list[Column], categories: Categories
) -> str:
    """Append what a row adds up to, of shape (rows, groups)."""
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        if categories.texts or categories.numbers or categories.codes:
            raise NotBuilt(
                "a linear booster over categories cannot be imported",
                hint="Train it on numbers, such as an indicator for each category.",
            )
        return _linear(graph, learner, link)
    model = xgboost_model.read_learner(learner)
    source = boosted_categories.append(graph, INPUT, categories, "floor")
    placed = _placed(model, categories, [column.name for column in columns])
    total = trees.append(graph, source, placed, model.groups, trees.LESS)
    return graph.apply("Add", total, graph.constant(_base(model.base_score, link)))


def _base(score: Floats, link: str) -> Floats:
    """Return the margins of base scores, as the library finds them."""
    valid = (score >= 0) & (score <= 1) if link == "logistic" else score > 0
    if link in ("logistic", "log") and not valid.all():
        raise InvalidValue(
            "base score of the model cannot be that of its objective",
            detail="It is a probability of a logistic objective, a mean of one with a logarithm.",
            hint="Train the model without base_score.",
        )
    if link == "logistic":
        score = score.clip(_LEAST, 1 - _LEAST)
    return xgboost_model.base_margin(score, link)


def _placed(model: BoosterModel, categories: Categories, names: list[str]) -> Iterator[Tree]:
    """Give the trees with branches for categories that look where their codes are."""
    places = categories.places(len(names))
    for tree in xgboost_model.trees(model):
        asked = np.zeros(len(tree.left), dtype=np.bool_)
        asked[list(tree.sets)] = True
        compared = np.unique(tree.feature[(tree.left >= 0) & ~asked]).tolist()
        if wrong := [at for at in compared if at in categories.texts]:
            raise broken(f'a branch compares the category "{names[wrong[0]]}" by size')
        if not tree.sets:
            yield tree
            continue
        feature, missing, sets = tree.feature.copy(), tree.missing_left.copy(), {}
        for node, known in tree.sets.items():
            at = int(feature[node])
            if at not in places:
                raise broken(f'a branch asks for categories of "{names[at]}", which has none')
            feature[node] = places[at]
            joined = at in categories.texts and missing[node]
            sets[node] = np.append(known, categories.missing_code(at)) if joined else known
        yield replace(tree, feature=feature, missing_left=missing, sets=sets)


def _linear(graph: Graph, learner: Mapping[str, Any], link: str) -> str:
    shape = learner["learner_model_param"]
    groups = max(1, shape["num_class"], shape["num_target"])
    weights = learner["gradient_booster"]["weights"].astype(np.float64).reshape(-1, groups)
    given = graph.float64(INPUT)
    filled = graph.apply("Where", graph.apply("IsNaN", given), graph.constant(0.0), given)
    total = graph.apply("MatMul", filled, graph.constant(weights[:-1]))
    # Of several base scores, the library takes the first for all.
    base = _base(xgboost_model.base_score(shape)[:1], link)
    return graph.apply("Add", total, graph.constant(weights[-1] + base))


def _versions(document: Mapping[str, Any]) -> dict[str, str]:
    given = document.get("version")
    parts = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(parts, list) or not all(type(each) is int for each in parts[:3]):
        return {}
    return {"xgboost": ".".join(map(str, parts[:3]))}
