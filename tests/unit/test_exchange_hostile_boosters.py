"""Files of boosted trees that were cut, bent or made up: each is read or refused, nothing else happens."""

import json
import struct
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgml.artifact.format import pack
from pgml.errors import InvalidValue, MalformedText, NotBuilt, PgmlError, TooLarge
from pgml.exchange import assembly, boosters
from pgml.exchange import lightgbm as lightgbm_files
from pgml.exchange import xgboost as xgboost_files
from pgml.exchange.naming import Wanted
from pgml.exchange.xgboost import ubjson
from pgml.inference import Predictor
from tests.unit import boosted, mutations

_TEXTS = ("ash", "birch", "cedar", "doug", "elm", "fir")
pytestmark = pytest.mark.timeout(1800)
"""With PGML_FULL=1 some take minutes."""
_MANY = settings(max_examples=mutations.COUNT, deadline=20_000, suppress_health_check=list(HealthCheck))
Read = Callable[[bytes, Wanted], Any]


@cache
def xgboost_document() -> dict[str, Any]:
    rows = boosted.frame(400, texts=_TEXTS)
    data = xgboost.DMatrix(rows, np.arange(400) % 3, enable_categorical=True)
    options = {
        "objective": "multi:softprob",
        "num_class": 3,
        "max_depth": 3,
        "max_cat_to_onehot": 2,
        "nthread": 1,
    }
    booster = xgboost.train(options, data, 3)
    found: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))
    return found


@cache
def xgboost_bytes(form: str) -> bytes:
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(xgboost_document()).encode()))
    return bytes(booster.save_raw(form))


@cache
def lightgbm_text() -> str:
    rows = boosted.frame(400, texts=_TEXTS)
    options = {"objective": "multiclass", "num_class": 3, "num_leaves": 6, "verbose": -1, "num_threads": 1}
    options |= {"min_data_per_group": 5, "cat_smooth": 1.0, "min_data_in_leaf": 5}
    booster = lightgbm.train(options, lightgbm.Dataset(rows, np.arange(400) % 3), 3)
    return str(booster.model_to_string())


def tried(read: Read, data: bytes) -> None:
    """Read a file, and run what comes of it; errors of pgml are as good."""
    refusal: PgmlError | None = None
    try:
        foreign = read(data, Wanted())
        targets = assembly.target_names(foreign, None)
        Predictor(pack(assembly.artifact(foreign, Wanted(), targets, 1 << 24)))
    except PgmlError as error:
        refusal = error
    assert refusal is None or (refusal.hint and refusal.sqlstate in ("22P02", "22023", "0A000", "54000"))


def bent(draw: st.DataObject, data: bytes) -> bytes:
    """Return bytes of which some were changed, left out, repeated or cut."""
    found = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, max(len(found) - 1, 0)))
        length = draw.draw(st.integers(1, 9))
        kind = draw.draw(st.sampled_from(["change", "drop", "repeat", "cut", "grow"]))
        if kind == "change":
            found[at : at + length] = draw.draw(st.binary(min_size=length, max_size=length))
        elif kind == "drop":
            del found[at : at + length]
        elif kind == "repeat":
            found[at:at] = found[at : at + length * 20]
        elif kind == "cut":
            del found[at:]
        else:
            found[at:at] = draw.draw(
                st.sampled_from([b"9" * 30, b"-1", b"[[[[", b"\xff" * 8, b"1e999", b"nan "])
            )
    return bytes(found)


@_MANY
@given(st.data())
def test_bent_json_is_read_or_refused(draw: st.DataObject) -> None:
    tried(xgboost_files.read, bent(draw, xgboost_bytes("json")))


@_MANY
@given(st.data())
def test_bent_binary_json_is_read_or_refused(draw: st.DataObject) -> None:
    tried(xgboost_files.read, bent(draw, xgboost_bytes("ubj")))


@_MANY
@given(st.data())
def test_bent_texts_are_read_or_refused(draw: st.DataObject) -> None:
    tried(lightgbm_files.read, bent(draw, lightgbm_text().encode()))


ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        2,
        7,
        10**6,
        2**31,
        2**63,
        10**400,
        0.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "3",
    ]
) | st.sampled_from(["-1", "9" * 25, [], {}, [1], ["a"], [[1]], [None], {"a": 1}, [2**70], [-1] * 40])


@_MANY
@given(st.data())
def test_documents_with_odd_parts_are_read_or_refused(draw: st.DataObject) -> None:
    document = json.loads(json.dumps(xgboost_document()))
    for _ in range(draw.draw(st.integers(1, 3))):
        owner: Any = document
        while True:
            places = list(owner) if isinstance(owner, dict) else list(range(len(owner)))
            if not places:
                break
            place = draw.draw(st.sampled_from(places))
            if (
                not isinstance(owner[place], dict | list)
                or not owner[place]
                or draw.draw(st.integers(0, 5)) == 0
            ):
                owner[place] = deepcopy(draw.draw(ODD))
                break
            owner = owner[place]
    tried(xgboost_files.read, json.dumps(document).encode())


@_MANY
@given(st.data())
def test_texts_with_odd_fields_are_read_or_refused(draw: st.DataObject) -> None:
    lines = lightgbm_text().split("\n")
    fields = [at for at, line in enumerate(lines) if "=" in line]
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.sampled_from(fields))
        name, _, value = lines[at].partition("=")
        parts = value.split()
        odd = draw.draw(
            st.sampled_from(
                ["", "-1", "0", "1", "5", "99", "4294967295", "9" * 25, "nan", "inf", "x", "1e400"]
            )
        )
        if parts and draw.draw(st.booleans()):
            parts[draw.draw(st.integers(0, len(parts) - 1))] = odd
        elif parts and draw.draw(st.booleans()):
            parts = parts * 2
        else:
            parts = [odd]
        lines[at] = f"{name}={' '.join(parts)}"
    tried(lightgbm_files.read, "\n".join(lines).encode())


def changed(**parts: Any) -> bytes:
    """Return a file of XGBoost whose first tree has other arrays."""
    document = json.loads(json.dumps(xgboost_document()))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    for name, value in parts.items():
        tree[name] = value(tree[name])
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left_children": lambda a: [0, *a[1:]]}, "two branches lead to"),
        ({"left_children": lambda a: [10**6, *a[1:]]}, "does not exist"),
        ({"right_children": lambda a: a[1:]}, "elements in place of"),
        ({"split_indices": lambda a: [6] * len(a)}, "feature that is not there"),
        ({"split_conditions": lambda a: [float("nan")] * len(a)}, "no number|infinite"),
        ({"split_conditions": lambda a: [1e39] * len(a)}, "leaf that is infinite"),
        ({"categories": lambda a: [-1] * len(a)}, "category that is none"),
        ({"categories_sizes": lambda a: [10**9] * len(a)}, "categories that are not there"),
        ({"categories_nodes": lambda a: [0] * len(a)}, "without its categories"),
        ({"split_type": lambda a: [1] * len(a)}, "without its categories|which has none"),
    ],
)
def test_trees_that_are_no_trees_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedText, match=message):
        xgboost_files.read(changed(**change), Wanted())


def chain(depth: int) -> dict[str, list[int]]:
    """Return the children of a tree that is as deep as it can be."""
    left = [at + 1 if at % 2 == 0 and at < 2 * depth else -1 for at in range(2 * depth + 1)]
    right = [at + 2 if child >= 0 else -1 for at, child in enumerate(left)]
    return {"left_children": left, "right_children": right}


@pytest.mark.parametrize("depth", [boosters.MOST_DEPTH, boosters.MOST_DEPTH + 1, 100_000])
def test_trees_are_not_deeper_than_can_be_loaded(depth: int) -> None:
    document = json.loads(json.dumps(xgboost_document()))
    count = 2 * depth + 1
    document["learner"]["gradient_booster"]["model"]["trees"][0] = chain(depth) | {
        "split_indices": [0] * count,
        "split_conditions": [0.5] * count,
        "default_left": [0] * count,
        "tree_param": {"size_leaf_vector": "1"},
    }
    data = json.dumps(document).encode()
    if depth > boosters.MOST_DEPTH:
        with pytest.raises(TooLarge, match="branches deep"):
            xgboost_files.read(data, Wanted())
    else:
        tried(xgboost_files.read, data)
        assert xgboost_files.read(data, Wanted()).labels


def test_deep_nesting_is_refused() -> None:
    for data in (b'{"a":' * 100_000, b'{"a":' + b"[" * 1_000_000):
        with pytest.raises((TooLarge, MalformedText)):
            xgboost_files.read(data, Wanted())
    for data in (b"[" * 1_000_000, b"{i\x01a" * 100_000):
        with pytest.raises(TooLarge, match="nested more than"):
            ubjson.decoded(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[#L" + struct.pack(">q", 1 << 40),
        b"[$d#L" + struct.pack(">q", 1 << 40),
        b"[$d#L" + struct.pack(">q", -1),
        b"[$Z#L" + struct.pack(">q", 1 << 40),
        b"[$[#i\x05",
        b"SL" + struct.pack(">q", 1 << 62),
        b"Si\x01\xff",
        b"Sd" + struct.pack(">f", 1),
        b"[i\x01",
        b"{i\x01a",
        b"i\x01i\x02",
        b"q",
        b"[$",
    ],
)
def test_binary_json_that_says_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedText):
        ubjson.decoded(data)


def test_values_of_binary_json_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ubjson, "MOST_VALUES", 1000)
    assert ubjson.decoded(b"[" + b"Z" * 999 + b"]") == [None] * 999
    with pytest.raises(TooLarge, match="more than 1000 values"):
        ubjson.decoded(b"[" + b"Z" * 1000 + b"]")


def test_binary_json_of_every_kind_is_read() -> None:
    data = (
        b"{i\x01a[i\x05U\xffI\xff\xfel\x00\x00\x00\x07D?\xf8\x00\x00\x00\x00\x00\x00Cx]"
        b"U\x01b[#i\x03ZTF"
        b"i\x01c{}"
        b"i\x01d[$I#i\x02\x00\x01\xff\xff"
        b"Ni\x01eSi\x02\xc3\xb6"
        b"i\x01f[]}"
    )
    found = ubjson.decoded(data)
    assert found["d"].tolist() == [1, -1]
    del found["d"]
    assert found == {"a": [5, 255, -2, 7, 1.5, "x"], "b": [None, True, False], "c": {}, "e": "ö", "f": []}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"binf\x00\x00", "the binary form that XGBoost gave up"),
        (b"CONFIG-offset:", "the binary form that XGBoost gave up"),
    ],
)
def test_the_former_binary_form_is_not_built(data: bytes, message: str) -> None:
    with pytest.raises(NotBuilt, match=message) as caught:
        xgboost_files.read(data, Wanted())
    assert "save_model" in caught.value.hint


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04pickle", b"tree", b"PK\x03\x04", b"{}", b'{"learner": 3}', b"[]"]
)
@pytest.mark.parametrize("read", [xgboost_files.read, lightgbm_files.read])
def test_what_is_no_model_is_refused(read: Read, data: bytes) -> None:
    with pytest.raises(MalformedText):
        read(data, Wanted())


@pytest.mark.parametrize(
    "wanted",
    [
        {"task": "regression"},
        {"task": "clustering"},
        {"labels": ["a", "b"]},
        {"labels": ["a", "b", "b"]},
        {"labels": ["a", "b", 3]},
    ],
)
def test_what_is_wanted_must_fit_the_model(wanted: dict[str, Any]) -> None:
    for read, data in (
        (xgboost_files.read, xgboost_bytes("ubj")),
        (lightgbm_files.read, lightgbm_text().encode()),
    ):
        with pytest.raises(InvalidValue):
            read(data, Wanted(**wanted))


def test_objectives_that_are_not_known_are_not_built() -> None:
    document = json.loads(json.dumps(xgboost_document()))
    document["learner"]["objective"]["name"] = "survival:cox"
    with pytest.raises(NotBuilt, match="survival:cox"):
        xgboost_files.read(json.dumps(document).encode(), Wanted())
    text = lightgbm_text().replace("objective=multiclass ", "objective=novel ")
    with pytest.raises(NotBuilt, match="novel"):
        lightgbm_files.read(text.encode(), Wanted())
