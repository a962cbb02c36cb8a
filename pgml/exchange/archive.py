"""The file of pgml.export_model: a model's rows as JSON, and its bytes.

Layout, little endian: ``pgmlfile``, format number (uint32), length of the header (uint64), the header
(JSON in UTF-8: ``project`` and ``model``, see `pgml.transfers.rows`), the bytes of
`pgml.artifact.format.pack`, and the SHA-256 of all before it.  A change takes the next format number, and
a reader of the old one stays here with its test.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pgml.errors import MalformedText, NotBuilt

MAGIC = b"pgmlfile"
FORMAT = 1
_PREFIX = struct.Struct("<8sIQ")
_DIGEST = sha256().digest_size


@dataclass(frozen=True)
class Archive:
    """What a file holds.

    Attributes
    ----------
    project, model : mapping
        See `pgml.transfers.rows`.
    data : bytes
        Of the model.
    """

    project: Mapping[str, Any]
    model: Mapping[str, Any]
    data: bytes


def pack(archive: Archive) -> bytes:
    """Return the bytes of a file."""
    header = {"project": archive.project, "model": archive.model}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    whole = b"".join((_PREFIX.pack(MAGIC, FORMAT, len(text)), text, archive.data))
    return whole + sha256(whole).digest()


def unpack(file: bytes) -> Archive:
    """Return what a file holds; none of it is checked but that it arrived whole.

    Raises
    ------
    MalformedText
        It is no such file, or damaged.
    NotBuilt
        A later version wrote it.
    """
    try:
        magic, number, length = _PREFIX.unpack_from(file)
    except struct.error:
        raise _malformed("It is too short.") from None
    if magic != MAGIC:
        raise _malformed("It does not begin as one.")
    if number != FORMAT:
        raise NotBuilt(
            f"the file has format {number}, this version of pgml reads {FORMAT}",
            hint="Update the extension, or export the model by this version.",
        )
    if sha256(file[:-_DIGEST]).digest() != file[-_DIGEST:]:
        raise _malformed("Its SHA-256 is another: it did not arrive whole.")
    end = _PREFIX.size + length
    try:
        header = json.loads(file[_PREFIX.size : end])
        project, model = header["project"], header["model"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _malformed(str(error)) from None
    if end > len(file) - _DIGEST or not isinstance(project, dict) or not isinstance(model, dict):
        raise _malformed("Its header does not fit.")
    return Archive(project, model, file[end:-_DIGEST])


def _malformed(detail: str) -> MalformedText:
    return MalformedText(
        "the file is not what pgml.export_model gives",
        detail=detail,
        hint="Take it as bytes, such as by pg_read_binary_file, or export it anew.",
    )
