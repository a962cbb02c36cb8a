"""Operators of ai.onnx.ml on numbers answer in standard ones as ONNX Runtime has them answer."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.onnx.lowering import lowered, needed
from tests.unit.lowerings import Array, answers, assert_alike, model, operator

TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
ROUNDED = 3e-7
"""Sums in another order, and functions of another library, in float32."""


def numbers(seed: int = 0, width: int = 4, *, missing: bool = True) -> Array:
    """Return rows with zeros, equal numbers, a row of zeros and, if asked for, NaN."""
    found = np.random.default_rng(seed).normal(size=(150, width)).astype(np.float32)
    found[::5, 2] = 0
    found[:, -1] = np.round(found[:, -1])
    found[3] = 0
    if missing:
        found[::7, 1] = np.nan
    return found


def wholes(seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(-3, 6, (60, 3))


def check(
    kind: str,
    rows: Array,
    to: int = TensorProto.FLOAT,
    tolerance: float = 0.0,
    version: int = 3,
    **attributes: Any,
) -> None:
    given = model([operator(kind, ["X"], ["Y"], **attributes)], {"X": rows}, {"Y": to}, version=version)
    assert_alike(given, {"X": rows}, tolerance)


@pytest.mark.parametrize("rows", [numbers(), numbers().astype(np.float64) * 1.1, wholes() * 10**8])
def test_a_scaler_moves_in_the_type_it_is_given(rows: Array) -> None:
    width = rows.shape[1]
    check("Scaler", rows, offset=[1.5], scale=[0.3])
    check("Scaler", rows, offset=np.arange(width) * 0.1, scale=np.arange(width) + 0.7)


def test_an_imputer_fills_what_is_missing_or_a_number_that_stands_for_it() -> None:
    check("Imputer", numbers(), imputed_value_floats=[1.0, 2, 3, 4], replaced_value_float=float("nan"))
    check("Imputer", numbers(), imputed_value_floats=[9.0], replaced_value_float=0.0)
    check("Imputer", wholes(), TensorProto.INT64, imputed_value_int64s=[7, 8, 9], replaced_value_int64=2)


def test_an_imputer_keeps_doubles_which_onnx_runtime_does_not_take() -> None:
    rows = numbers().astype(np.float64) * 1.1
    nodes = [
        operator("Imputer", ["X"], ["F"], imputed_value_floats=[1.5, 2, 3, 4], replaced_value_float=np.nan),
        helper.make_node("Concat", ["F", "Z"], ["Y"], axis=1),
    ]
    feed = {"X": rows, "Z": rows[:, :1]}
    found = answers(lowered(model(nodes, feed, {"Y": TensorProto.DOUBLE})), feed)["Y"]
    expected = np.where(np.isnan(rows), [1.5, 2, 3, 4], rows)
    np.testing.assert_array_equal(found, np.hstack([expected, rows[:, :1]]))


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
@pytest.mark.parametrize("rows", [numbers(), numbers().astype(np.float64) * 1.1, wholes()])
def test_a_normalizer_leaves_rows_of_zeros_as_they_are(norm: str, rows: Array) -> None:
    check("Normalizer", rows, tolerance=ROUNDED, norm=norm)


def test_a_binarizer_says_what_lies_above() -> None:
    check("Binarizer", numbers(missing=False), threshold=1.0)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("targets", [1, 2])
def test_a_linear_regressor_transforms_as_the_runtime_does(transform: str, targets: int) -> None:
    weights = (np.arange(4 * targets) * 0.01 + 0.01).tolist()
    check(
        "LinearRegressor",
        numbers(),
        tolerance=1e-5 if transform == "PROBIT" else ROUNDED,
        targets=targets,
        coefficients=weights,
        intercepts=[0.3] * targets,
        post_transform=transform,
    )


@pytest.mark.parametrize(
    "labels", [{"classlabels_ints": [5, 6, 7]}, {"classlabels_strings": ["a", "b", "c"]}]
)
@pytest.mark.parametrize(
    ("transform", "count", "classes"),
    [
        (transform, *sizes)
        for transform in TRANSFORMS
        for sizes in [(1, 2), (2, 2), (3, 3)]
        if (transform, sizes[0]) != ("PROBIT", 1)
    ],
)
def test_a_linear_classifier_gives_labels_and_scores(
    labels: dict[str, list[Any]], transform: str, count: int, classes: int
) -> None:
    rows = numbers(missing=False)
    ((kind, held),) = labels.items()
    weights = np.random.default_rng(1).normal(size=4 * count) * 0.02
    attributes: dict[str, Any] = {
        kind: held[:classes],
        "coefficients": weights,
        "intercepts": np.arange(count) * 0.1 + 0.4,
        "post_transform": transform,
    }
    node = operator("LinearClassifier", ["X"], ["label", "scores"], **attributes)
    to = TensorProto.STRING if kind == "classlabels_strings" else TensorProto.INT64
    given = model([node], {"X": rows}, {"label": to, "scores": TensorProto.FLOAT})
    # About 0 the approximation is the difference of two numbers that are nearly the same.
    found = assert_alike(given, {"X": rows}, 3e-3 if transform == "PROBIT" else ROUNDED)
    assert found.labels == held[:classes]
    assert found.classes["scores"] == held[:classes]


def test_a_probit_of_two_classes_is_refused_as_the_runtime_gives_one_number() -> None:
    attributes: dict[str, Any] = {"coefficients": [0.1] * 4, "intercepts": [0.4], "post_transform": "PROBIT"}
    node = operator("LinearClassifier", ["X"], ["label", "scores"], classlabels_ints=[0, 1], **attributes)
    outputs = {"label": TensorProto.INT64, "scores": TensorProto.FLOAT}
    given = model([node], {"X": numbers()}, outputs)
    assert [each.name for each in lowered(given).model.graph.output] == ["label"]
    with pytest.raises(NotBuilt, match="operator LinearClassifier of the ONNX file has a PROBIT"):
        lowered(needed(given, ["scores"]))


@pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("one_class", [0, 1])
def test_a_support_vector_regressor_sums_kernels(kernel: str, one_class: int) -> None:
    random = np.random.default_rng(2)
    check(
        "SVMRegressor",
        numbers(missing=False),
        tolerance=3e-6,
        kernel_type=kernel,
        kernel_params=[0.3, 0.1, 3.0],
        coefficients=random.normal(size=6),
        support_vectors=random.normal(size=24),
        rho=[0.2],
        n_supports=6,
        one_class=one_class,
    )


@pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX"])
def test_a_support_vector_classifier_has_a_margin_for_each_pair(
    kernel: str, classes: int, transform: str
) -> None:
    random, rows = np.random.default_rng(3), numbers(missing=False)
    sizes = [2, 3, 4, 1][:classes]
    node = operator(
        "SVMClassifier",
        ["X"],
        ["label", "scores"],
        kernel_type=kernel,
        kernel_params=[0.3, 0.1, 3.0],
        coefficients=random.normal(size=sum(sizes) * (classes - 1)),
        support_vectors=random.normal(size=4 * sum(sizes)),
        rho=random.normal(size=classes * (classes - 1) // 2),
        vectors_per_class=sizes,
        classlabels_ints=[4, 7, 1, 2][:classes],
        post_transform=transform,
    )
    outputs = {"label": TensorProto.INT64, "scores": TensorProto.FLOAT}
    assert_alike(model([node], {"X": rows}, outputs), {"X": rows}, 3e-6)


def test_linear_machines_have_weights_of_the_columns() -> None:
    rows = numbers(missing=False)
    common: dict[str, Any] = {"kernel_params": [0.3, 0.1, 3.0], "rho": [0.2]}
    check("SVMRegressor", rows, coefficients=[1.0, -2, 3, 4], n_supports=0, **common)
    node = operator(
        "SVMClassifier",
        ["X"],
        ["label", "scores"],
        coefficients=np.arange(12) * 0.3 - 2,
        classlabels_ints=[1, 2, 3],
        post_transform="SOFTMAX",
        **common,
    )
    outputs = {"label": TensorProto.INT64, "scores": TensorProto.FLOAT}
    assert_alike(model([node], {"X": rows}, outputs), {"X": rows}, ROUNDED)


def test_columns_are_picked_and_joined() -> None:
    rows, others = numbers(), numbers(1, 3)
    places = {"places": np.array([3, 1])}
    node = operator("ArrayFeatureExtractor", ["X", "places"], ["Y"])
    assert_alike(model([node], {"X": rows}, {"Y": TensorProto.FLOAT}, places), {"X": rows})
    node = operator("FeatureVectorizer", ["X", "Z"], ["Y"], inputdimensions=[2, 3])
    feed = {"X": rows, "Z": others}
    assert_alike(model([node], feed, {"Y": TensorProto.FLOAT}), feed)


def test_a_map_of_scores_is_its_columns() -> None:
    rows = numbers(missing=False)
    node = operator("ZipMap", ["X"], ["Y"], classlabels_strings=["a", "b", "c", "d"])
    given = model([node], {"X": rows}, {"Y": TensorProto.FLOAT})
    key = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    given.graph.output[0].type.CopyFrom(helper.make_sequence_type_proto(key))
    assert assert_alike(given, {"X": rows}).labels == ["a", "b", "c", "d"]


@pytest.mark.parametrize("rows", [wholes(), wholes()[:, 0], numbers() * 3, numbers().astype(np.float64) * 3])
@pytest.mark.parametrize("categories", [[0, 3, 1], [0, 3, 1, 3]])
def test_numbers_become_indicators(rows: Array, categories: list[int]) -> None:
    check("OneHotEncoder", np.nan_to_num(rows), cats_int64s=categories)


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("values", [{"values_int64s": [10, 20, 30]}, {"values_floats": [0.1, 0.2, 0.3]}])
@pytest.mark.parametrize("default", [{}, {"default_int64": 7, "default_float": 0.7}])
def test_numbers_are_looked_up(version: int, values: dict[str, list[Any]], default: dict[str, float]) -> None:
    to = TensorProto.INT64 if "values_int64s" in values else TensorProto.FLOAT
    check("LabelEncoder", wholes(), to, version=version, keys_int64s=[1, 3, 1], **values, **default)
    rows = np.where(wholes() > 3, np.nan, wholes()).astype(np.float32)
    keys = [1.0, 3.0, float("nan")]
    check("LabelEncoder", rows, to, version=version, keys_floats=keys, **values, **default)


def test_doubles_are_looked_up_as_they_are() -> None:
    def tensor(*held: float) -> Any:
        return helper.make_tensor("held", TensorProto.DOUBLE, [len(held)], held)

    rows = np.where(wholes() > 3, np.nan, wholes()) + 0.1
    attributes = {
        "keys_tensor": tensor(1.1, 3.1, float("nan")),
        "values_tensor": tensor(0.5, 0.25, 3.0),
        "default_tensor": tensor(9.0),
    }
    check("LabelEncoder", rows, TensorProto.DOUBLE, version=4, **attributes)


def test_what_nothing_asks_for_is_not_looked_at() -> None:
    rows = numbers()
    nodes = [
        operator("Scaler", ["X"], ["Y"], offset=[0.0], scale=[2.0]),
        operator("Scaler", ["X"], ["other"], offset=[0.0], scale=[2.0, 3.0]),
    ]
    given = model(nodes, {"X": rows}, {"Y": TensorProto.FLOAT, "other": TensorProto.FLOAT})
    with pytest.raises(MalformedText, match="operator Scaler of the ONNX file has not as many offsets"):
        lowered(given)
    assert_alike(needed(given, ["Y"]), {"X": rows})


def test_an_operator_that_has_no_standard_form_is_named() -> None:
    rows = numbers()
    node = operator("DictVectorizer", ["X"], ["Y"], string_vocabulary=["a"])
    with pytest.raises(NotBuilt, match="operator DictVectorizer of the ONNX file is not supported"):
        lowered(model([node], {"X": rows}, {"Y": TensorProto.FLOAT}))


@pytest.mark.parametrize("classes", [2, 3, 5, 10])
def test_probabilities_of_pairs_become_those_of_classes(classes: int) -> None:
    random, rows = np.random.default_rng(4), numbers(missing=False) * 2
    pairs = classes * (classes - 1) // 2
    node = operator(
        "SVMClassifier",
        ["X"],
        ["label", "scores"],
        kernel_type="RBF",
        kernel_params=[0.2, 0.0, 0.0],
        coefficients=random.normal(size=2 * classes * (classes - 1)) * 3,
        support_vectors=random.normal(size=8 * classes),
        vectors_per_class=[2] * classes,
        rho=random.normal(size=pairs),
        prob_a=-random.random(pairs) * 9,
        prob_b=random.normal(size=pairs),
        classlabels_ints=list(range(classes)),
    )
    outputs = {"label": TensorProto.INT64, "scores": TensorProto.FLOAT}
    assert_alike(model([node], {"X": rows}, outputs), {"X": rows}, 1e-4)


@pytest.mark.parametrize(
    ("given", "classes"), [({"prob_a": [1.0], "prob_b": []}, 2), ({"prob_a": [1.0] * 2}, 3)]
)
def test_probabilities_of_too_few_pairs_are_refused(given: dict[str, list[float]], classes: int) -> None:
    rows = numbers()
    node = operator(
        "SVMClassifier",
        ["X"],
        ["label", "scores"],
        coefficients=[1.0] * (classes * (classes - 1)),
        support_vectors=[1.0] * (4 * classes),
        vectors_per_class=[1] * classes,
        rho=[0.0] * (classes * (classes - 1) // 2),
        classlabels_ints=list(range(classes)),
        **{name: held for name, held in given.items() if held},
    )
    with pytest.raises(MalformedText, match="a prob_a and a prob_b for each pair"):
        lowered(model([node], {"X": rows}, {"label": TensorProto.INT64, "scores": TensorProto.FLOAT}))
