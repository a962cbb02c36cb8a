import json
import math
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml.artifact.format import FORMAT, MAGIC, Artifact, digest, pack, unpack
from pgml.errors import Corrupted, NotBuilt

MODEL = Artifact(
    {"encodings": [{"fill": [0.1, 1e300, -0.0]}], "dtype": "float32"},
    {"task": "classification", "labels": ["é", "\U0001f418", 'a"b\\'], "label_kind": "text"},
    {"matrix": [[0.1, float("nan")]], "outputs": [[1e-9]], "runtime": "onnxruntime 1.2.3"},
    b"\0\xffgraph{}" * 3,
)


def with_header(text: bytes) -> bytes:
    return struct.pack("<4sIQ", MAGIC, FORMAT, len(text)) + text


@pytest.mark.parametrize("graph", [MODEL.graph, b"", b"pgml", b"{}"])
def test_a_model_comes_back_from_its_bytes(graph: bytes) -> None:
    model = Artifact(MODEL.encoder, MODEL.decoder, {}, graph)
    assert unpack(pack(model)) == model
    assert pack(unpack(pack(MODEL))) == pack(MODEL)
    assert math.isnan(unpack(pack(MODEL)).golden["matrix"][0][1])


def test_the_layout_is_the_one_of_format_1() -> None:
    text = b'{"decoder":{},"encoder":{"a":[1.5]},"golden":{}}'
    expected = b"pgml" + (1).to_bytes(4, "little") + len(text).to_bytes(8, "little") + text + b"graph"
    assert pack(Artifact({"a": [1.5]}, {}, {}, b"graph")) == expected
    assert FORMAT == 1


def test_a_threshold_makes_a_model_of_format_2_which_older_versions_refuse_rather_than_disobey() -> None:
    model = Artifact({}, {"threshold": 0.25}, {}, b"graph")
    data = pack(model)
    assert data[4:8] == (2).to_bytes(4, "little")
    assert unpack(data) == model
    assert pack(unpack(data)) == data


def test_the_same_model_always_has_the_same_bytes() -> None:
    encoder, decoder = (dict(reversed(list(each.items()))) for each in (MODEL.encoder, MODEL.decoder))
    backwards = Artifact(encoder, decoder, MODEL.golden, MODEL.graph)
    assert pack(backwards) == pack(MODEL)
    assert digest(pack(backwards)) == digest(pack(MODEL))


def test_a_digest_knows_every_bit() -> None:
    data = pack(MODEL)
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for position in range(0, len(data), 7):
        altered = bytearray(data)
        altered[position] ^= 1
        assert digest(bytes(altered)) != digest(data)


def test_bytes_cut_off_before_the_graph_are_damaged() -> None:
    data = pack(MODEL)
    for length in range(len(data) - len(MODEL.graph)):
        with pytest.raises(Corrupted, match="model bytes are damaged") as caught:
            unpack(data[:length])
        assert caught.value.sqlstate == "XX001"
        assert caught.value.detail


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + b"\0" * 40,
        b"\x80\x04" + pack(MODEL),
        with_header(b"{}"),
        with_header(b"[]"),
        with_header(b"null"),
        with_header(b'"encoder"'),
        with_header(b"7"),
        with_header(b"[" * 100_000),
        with_header(b"\xff\xfe"),
        with_header(b'{"encoder":{},"decoder":{}}'),
        struct.pack("<4sIQ", MAGIC, FORMAT, 2**64 - 1) + b"{}",
        struct.pack("<4sIQ", MAGIC, FORMAT, 0),
    ],
)
def test_what_pack_never_wrote_is_damaged(data: bytes) -> None:
    with pytest.raises(Corrupted, match="model bytes are damaged"):
        unpack(data)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_altered_bytes_are_an_artifact_or_an_error_and_never_a_crash(draw: st.DataObject) -> None:
    data = bytearray(pack(MODEL))
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(Corrupted, NotBuilt):
        assert isinstance(unpack(bytes(data)), Artifact)


@pytest.mark.parametrize("number", [3, 2**32 - 1])
def test_the_format_of_a_later_version_is_named(number: int) -> None:
    data = struct.pack("<4sIQ", MAGIC, number, 0) + b"whatever it means there"
    with pytest.raises(
        NotBuilt, match=f"model has format {number}, this version of pgml reads 1 and 2"
    ) as caught:
        unpack(data)
    assert caught.value.hint


def test_nothing_but_json_and_the_graph_is_in_the_bytes() -> None:
    data = pack(MODEL)
    (length,) = struct.unpack_from("<Q", data, 8)
    assert set(json.loads(data[16 : 16 + length])) == {"encoder", "decoder", "golden"}
    assert data[16 + length :] == MODEL.graph


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        pack(Artifact({"fill": b"bytes"}, {}, {}, b""))
