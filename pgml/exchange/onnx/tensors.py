"""The tensors of a file: whether they are what they say."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.onnx.words import short

_FIELDS: Mapping[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.STRING: "string_data",
}
"""Where values are that are not raw; all other types are in ``int32_data``."""
NUMBERS = frozenset(
    {
        TensorProto.BOOL,
        TensorProto.DOUBLE,
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.INT8,
        TensorProto.INT16,
        TensorProto.INT32,
        TensorProto.INT64,
        TensorProto.UINT8,
        TensorProto.UINT16,
        TensorProto.UINT32,
        TensorProto.UINT64,
    }
)
"""The types of number that a graph may hold."""
MOST_DIMENSIONS = 16


def check(tensor: TensorProto) -> None:
    """Refuse a tensor whose values are elsewhere, are no numbers or texts, or are not as many as it says.

    Raises
    ------
    NotBuilt, MalformedText
    """
    name = short(tensor.name)
    if tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data):
        raise NotBuilt(
            f'tensor "{name}" is in another file, which cannot be read',
            hint="Save the model in one file: onnx.save(model, path, save_as_external_data=False).",
        )
    if tensor.HasField("segment"):
        raise NotBuilt(f'tensor "{name}" is stored in segments', hint="Export the model again.")
    if tensor.data_type not in NUMBERS and tensor.data_type != TensorProto.STRING:
        raise NotBuilt(
            f'tensor "{name}" is of type {type_name(tensor.data_type)}, which cannot be imported',
            hint="Export the model with weights of float, double, float16 or of whole numbers.",
        )
    if any(size < 0 for size in tensor.dims) or len(tensor.dims) > MOST_DIMENSIONS:
        raise MalformedText(f'tensor "{name}" has impossible dimensions', hint="Export the model again.")
    stated = math.prod(tensor.dims)
    found = _count(tensor)
    if found != stated:
        raise MalformedText(
            f'tensor "{name}" should hold {stated} value(s) and holds {found}',
            hint="The file is damaged or not complete: export the model again.",
        )


def _count(tensor: TensorProto) -> float:
    """Return how many values a tensor holds."""
    if tensor.HasField("raw_data") and tensor.data_type != TensorProto.STRING:
        return len(tensor.raw_data) / dtype(tensor.data_type).itemsize
    return len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data")))


def dtype(data_type: int) -> np.dtype[Any]:
    """Return numpy's name for one of `NUMBERS`."""
    return np.dtype(helper.tensor_dtype_to_np_dtype(data_type))


def type_name(data_type: int) -> str:
    """Return a type of ONNX as ONNX writes it, such as ``int64``."""
    known = data_type in TensorProto.DataType.values()
    return TensorProto.DataType.Name(data_type).lower() if known else f"number {data_type}"


def values(tensor: TensorProto) -> npt.NDArray[Any]:
    """Return the values of a tensor that was checked."""
    return np.asarray(numpy_helper.to_array(tensor))


def is_finite(tensor: TensorProto) -> bool:
    """Return whether a checked tensor's numbers are all finite; what is no float is."""
    if tensor.data_type not in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16):
        return True
    return bool(np.isfinite(values(tensor)).all())
