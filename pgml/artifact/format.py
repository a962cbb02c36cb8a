"""A model as bytes: encoder, graph and decoder, and nothing that could run.

Layout, little endian: ``pgml``, format number (uint32), length of the header
(uint64), the header (JSON in UTF-8), the graph (ONNX).  A change of the layout
or of the header's keys takes the next format number, and a reader of the old
one stays here with its test.

Format 2 has a ``threshold`` in the decoder, which a reader of format 1 would not
obey; a model without one is of format 1.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pgml.errors import Corrupted, NotBuilt

MAGIC = b"pgml"
FORMAT = 1
WITH_THRESHOLD = 2
_PREFIX = struct.Struct("<4sIQ")


@dataclass(frozen=True)
class Artifact:
    """What prediction needs.

    Attributes
    ----------
    encoder : mapping
        Of `pgml.preprocessing.Encoder`.
    decoder : mapping
        ``task``, ``targets``, ``labels``, ``label_kind`` and ``center``, ``divisor``, ``added``, ``dot``, and
        perhaps ``threshold``, see `pgml.decision`.
    golden : mapping
        ``matrix`` and ``outputs`` of a few test rows, the ``scale`` of what varies in these, and the
        ``runtime`` that computed them; checked again when another runtime loads the model.
    graph : bytes
        An ONNX model, see `pgml.artifact.graph`.
    """

    encoder: Mapping[str, Any]
    decoder: Mapping[str, Any]
    golden: Mapping[str, Any]
    graph: bytes


def pack(artifact: Artifact) -> bytes:
    """Return the bytes of a model."""
    header = {"encoder": artifact.encoder, "decoder": artifact.decoder, "golden": artifact.golden}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    number = WITH_THRESHOLD if "threshold" in artifact.decoder else FORMAT
    return b"".join((_PREFIX.pack(MAGIC, number, len(text)), text, artifact.graph))


def unpack(data: bytes) -> Artifact:
    """Return the model of its bytes.

    Raises
    ------
    Corrupted
        They are not what `pack` wrote.
    NotBuilt
        A later version wrote them.
    """
    try:
        magic, number, length = _PREFIX.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("no model starts so")
        if number not in (FORMAT, WITH_THRESHOLD):
            raise NotBuilt(
                f"model has format {number}, this version of pgml reads {FORMAT} and {WITH_THRESHOLD}",
                hint="Update the extension, or train the model again.",
            )
        end = _PREFIX.size + length
        header = json.loads(data[_PREFIX.size : end])
        return Artifact(header["encoder"], header["decoder"], header["golden"], data[end:])
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise Corrupted("model bytes are damaged", detail=str(error)) from None


def digest(data: bytes) -> str:
    """Return the SHA-256 of a model's bytes, 64 hexadecimal digits."""
    return sha256(data).hexdigest()
