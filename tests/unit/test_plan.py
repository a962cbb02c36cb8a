"""What users may say of columns, and what is refused before any row is read."""

from typing import Any

import pytest

from pgml.columns import Column
from pgml.errors import InvalidValue, UnknownColumn
from pgml.preprocessing import ColumnPlan, checked

COLUMNS = [
    Column("age", "integer"),
    Column("flag", "boolean"),
    Column("plan", "text"),
    Column("pixels", "smallint[]", 4),
    Column("day", "date"),
    Column("tenure", "interval"),
    Column("y", "double precision"),
]


def plans(preprocess: Any, targets: tuple[str, ...] = ("y",)) -> Any:
    return checked(preprocess, COLUMNS, targets)


def refusal(preprocess: Any, targets: tuple[str, ...] = ("y",)) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        plans(preprocess, targets)
    assert caught.value.hint.endswith(".")
    return caught.value


def test_nothing_said_plans_nothing() -> None:
    assert plans({}) == plans({"age": {}}) == plans({"*": {}}) == plans({"age": {"encode": None}}) == {}


@pytest.mark.parametrize(
    ("column", "said", "plan"),
    [
        ("age", {"impute": "mean", "scale": "standard"}, ColumnPlan(impute="mean", scale="standard")),
        ("age", {"impute": {"constant": 3}, "indicator": True},
         ColumnPlan(impute="constant", constant=3.0, indicator=True)),
        ("flag", {"impute": {"constant": True}}, ColumnPlan(impute="constant", constant=1.0)),
        ("plan", {"impute": {"constant": "none"}}, ColumnPlan(impute="constant", constant="none")),
        ("plan", {"encode": "tfidf"}, ColumnPlan("tfidf", size=256)),
        ("plan", {"encode": {"tfidf": {"max_features": 9}}}, ColumnPlan("tfidf", size=9)),
        ("plan", {"encode": "hash"}, ColumnPlan("hash", size=64)),
        ("plan", {"encode": {"hash": {"features": 8}}}, ColumnPlan("hash", size=8)),
        ("plan", {"encode": {"ordinal": ["s", "m"]}}, ColumnPlan("ordinal", ("s", "m"))),
        ("plan", {"encode": "target", "scale": "min_max"}, ColumnPlan("target", scale="min_max")),
        ("age", {"encode": {"ordinal": [3, 1]}, "impute": {"constant": 1}, "scale": "robust"},
         ColumnPlan("ordinal", (3.0, 1.0), impute="constant", constant=1.0, scale="robust")),
        ("flag", {"encode": {"ordinal": [True, False]}}, ColumnPlan("ordinal", (1.0, 0.0))),
        ("age", {"encode": "bins"}, ColumnPlan("bins", size=10)),
        ("age", {"encode": {"bins": 4}}, ColumnPlan("bins", size=4)),
        ("age", {"encode": {"bins": [0, 18, 65]}}, ColumnPlan("bins", edges=(0.0, 18.0, 65.0))),
        ("age", {"encode": "one_hot", "impute": "max"}, ColumnPlan("one_hot", impute="max")),
        ("day", {"encode": "cyclic", "impute": "median"}, ColumnPlan("cyclic", impute="median")),
        ("pixels", {"encode": "native", "scale": "quantile"}, ColumnPlan("native", scale="quantile")),
        ("plan", {"scale": "preserve"}, ColumnPlan(scale="preserve")),
    ],
)  # fmt: skip
def test_what_is_said_of_a_column_is_its_plan(column: str, said: Any, plan: ColumnPlan) -> None:
    assert plans({column: said}) == {column: plan}


def test_a_star_holds_where_nothing_is_said_and_where_it_can() -> None:
    found = plans({"*": {"impute": "mean", "scale": "robust", "indicator": True}, "age": {"scale": "power"}})
    number = ColumnPlan(impute="mean", scale="robust", indicator=True)
    assert found == {
        "age": ColumnPlan(impute="mean", scale="power", indicator=True),
        "plan": ColumnPlan(indicator=True),
        **dict.fromkeys(["flag", "pixels", "day", "tenure"], number),
    }


@pytest.mark.parametrize("encode", ["one_hot", "target", "tfidf", "hash", {"ordinal": ["a"]}])
def test_a_star_makes_no_categories_of_numbers(encode: Any) -> None:
    assert list(plans({"*": {"encode": encode}})) == ["plan"]


def test_a_star_gives_each_kind_of_column_what_suits_it() -> None:
    assert list(plans({"*": {"encode": "cyclic"}})) == ["day"]
    assert list(plans({"*": {"encode": "bins"}})) == ["age", "flag", "day", "tenure"]
    assert list(plans({"*": {"impute": {"constant": "x"}}})) == ["plan"]
    assert plans({"*": {"encode": "target"}}, targets=()) == {}
    binned = plans({"*": {"scale": "standard"}, "age": {"encode": "bins"}, "plan": {"encode": "target"}})
    assert (binned["age"].scale, binned["plan"].scale) == (None, "standard")


def test_a_column_that_is_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownColumn, match='the column "Age", which is no feature') as caught:
        plans({"Age": {}})
    assert '"age", "flag", "plan"' in caught.value.hint
    assert '"y"' not in caught.value.hint


def test_a_target_cannot_be_planned() -> None:
    assert refusal({"y": {"scale": "standard"}}).message == 'preprocess names the target "y"'


@pytest.mark.parametrize("preprocess", [None, [], "age", 5, True])
def test_what_is_no_object_is_refused(preprocess: Any) -> None:
    assert refusal(preprocess).message == "preprocess is no object"
    assert refusal({"age": preprocess}).message == 'preprocess of column "age" is no object'
    assert refusal({"*": preprocess}).message == 'preprocess of "*" is no object'


@pytest.mark.parametrize("where", ["age", "*"])
@pytest.mark.parametrize(
    ("said", "what", "valid"),
    [
        ({"encoding": "bins"}, 'unknown key "encoding"', '"encode", "impute", "scale", "indicator"'),
        ({"encode": "onehot"}, 'encode is "onehot"', 'Perhaps you meant "one_hot".'),
        ({"impute": "average"}, 'impute is "average"', '"error", "mean", "median"'),
        ({"scale": "minmax"}, 'scale is "minmax"', '"preserve", "standard", "min_max"'),
        ({"scale": 5}, "scale is no name", '"preserve"'),
        ({"encode": ["bins"]}, "encode is no name", '"native"'),
        ({"encode": {}}, "encode is no name", '"native"'),
        ({"encode": {"bins": 5, "hash": {}}}, "encode is no name", '"native"'),
        ({"encode": {"one_hot": 5}}, 'encode "one_hot" takes no options', "alone"),
        ({"impute": {"mean": 5}}, 'impute "mean" takes no options', "alone"),
        ({"scale": {"power": 1}}, 'scale "power" takes no options', "alone"),
        ({"indicator": 1}, "indicator is neither true nor false", "true or false"),
        ({"encode": "ordinal"}, "the ordinal list is missing or empty", '{"ordinal": ['),
        ({"encode": {"ordinal": []}}, "the ordinal list is missing or empty", '{"ordinal": ['),
        ({"encode": {"ordinal": "a"}}, "the ordinal list is missing or empty", '{"ordinal": ['),
        ({"encode": {"ordinal": ["a", 1]}}, "holds other than texts alone or numbers alone", "ordinal"),
        ({"encode": {"ordinal": [None]}}, "holds other than texts alone or numbers alone", "ordinal"),
        ({"encode": {"ordinal": [2, 1, 2.0]}}, 'the ordinal list holds "2.0" twice', "ordinal"),
        ({"encode": {"bins": 1}}, '"bins" is no integer from 2 to 1000', '{"bins": 10}'),
        ({"encode": {"bins": True}}, '"bins" is no integer', '{"bins": 10}'),
        ({"encode": {"bins": "5"}}, '"bins" is no integer', '{"bins": 10}'),
        ({"encode": {"bins": None}}, 'encode "bins" has the option null', "the name alone"),
        ({"encode": {"bins": []}}, "the edges of the bins do not ascend", "[0, 18, 65]"),
        ({"encode": {"bins": [1, 1]}}, "the edges of the bins do not ascend", "[0, 18, 65]"),
        ({"encode": {"bins": [2, 1]}}, "the edges of the bins do not ascend", "[0, 18, 65]"),
        ({"encode": {"bins": ["a"]}}, "the edges of the bins do not ascend", "[0, 18, 65]"),
        ({"encode": {"bins": [10**400]}}, "the edges of the bins do not ascend", "[0, 18, 65]"),
        ({"encode": {"tfidf": 5}}, 'options of encode "tfidf" are other than "max_features"', "256"),
        ({"encode": {"tfidf": {"features": 5}}}, 'options of encode "tfidf" are other than', "256"),
        ({"encode": {"tfidf": {"max_features": 0}}}, '"max_features" is no integer from 1', "256"),
        ({"encode": {"hash": {"features": 1.5}}}, '"features" is no integer from 1', "64"),
        ({"impute": "constant"}, "the constant is missing", '{"constant": 0}'),
        ({"impute": {"constant": [1]}}, "the constant is missing", '{"constant": 0}'),
    ],
)
def test_what_is_none_of_the_words_is_refused_with_those_there_are(
    where: str, said: Any, what: str, valid: str
) -> None:
    error = refusal({where: said})
    assert what in error.message
    assert (f'"{where}"') in error.message
    assert valid in error.hint


@pytest.mark.parametrize(
    ("name", "said", "what"),
    [
        ("plan", {"encode": "native"}, 'encode "native" of a text'),
        ("plan", {"encode": "bins"}, 'encode "bins" of a text'),
        ("plan", {"encode": "cyclic"}, 'encode "cyclic" of a text'),
        ("age", {"encode": "tfidf"}, 'encode "tfidf" of a number'),
        ("flag", {"encode": "hash"}, 'encode "hash" of a number'),
        ("age", {"encode": "cyclic"}, 'encode "cyclic" of type integer'),
        ("tenure", {"encode": "cyclic"}, 'encode "cyclic" of type interval'),
        ("pixels", {"encode": "bins"}, 'encode "bins" of an array'),
        ("pixels", {"encode": "one_hot"}, 'encode "one_hot" of an array'),
        ("age", {"encode": {"ordinal": ["a"]}}, "the ordinal list is not of numbers"),
        ("plan", {"encode": {"ordinal": [1]}}, "the ordinal list is not of texts"),
        ("plan", {"scale": "standard"}, 'scale "standard" of a text'),
        ("plan", {"encode": "one_hot", "scale": "robust"}, 'scale "robust" of a column with'),
        ("plan", {"encode": "hash", "scale": "max_abs"}, 'scale "max_abs" of a column with encode "hash"'),
        ("plan", {"encode": "target", "scale": "power"}, 'scale "power" of a column with encode "target"'),
        ("age", {"encode": "bins", "scale": "min_max"}, 'scale "min_max" of a column with encode "bins"'),
        ("day", {"encode": "cyclic", "scale": "standard"}, 'scale "standard" of a column with'),
        ("plan", {"impute": "mean"}, 'impute "mean" of a text'),
        ("plan", {"impute": "zero"}, 'impute "zero" of a text'),
        ("age", {"encode": "one_hot", "impute": "mean"}, 'impute "mean" of a column with encode "one_hot"'),
        ("plan", {"impute": {"constant": 1}}, "the constant is not a text"),
        ("age", {"impute": {"constant": "1"}}, "the constant is not a number"),
        ("day", {"impute": {"constant": "2026-11-21"}}, "the constant is not a number"),
        ("plan", {"encode": {"ordinal": ["a"]}, "impute": {"constant": "b"}}, 'the ordinal list lacks "b"'),
        ("age", {"encode": {"ordinal": [1]}, "impute": "zero"}, 'the ordinal list lacks "0.0"'),
    ],
)  # fmt: skip
def test_what_contradicts_itself_or_the_column_is_refused(name: str, said: Any, what: str) -> None:
    assert refusal({name: said}).message.startswith(f'preprocess of column "{name}": {what}')


def test_means_of_a_target_want_a_target() -> None:
    assert 'encode "target" without a target' in refusal({"plan": {"encode": "target"}}, ()).message
