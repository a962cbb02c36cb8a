"""Models to files of other tools: the jobs of the process that pgml.export_onnx and its kin start."""

from collections.abc import Callable
from typing import Any

from pgml import wire
from pgml.artifact.format import unpack

Tell = Callable[[dict[str, Any]], Any]


def export_onnx(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Return a model as an ONNX file of raw features, see `pgml.exchange.onnx.writing`.

    Raises
    ------
    NotBuilt
    """
    from pgml.exchange.onnx import writing

    return {}, writing.onnx_of(unpack(model))


def export_pmml(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Return a model as PMML in UTF-8, see `pgml.exchange.pmml`.

    Parameters
    ----------
    arguments : dict
        ``header``, the fields of `pgml.exchange.pmml.Header`.

    Raises
    ------
    NotBuilt
    """
    from pgml.exchange import pmml

    return {}, pmml.pmml_of(unpack(model), pmml.Header(**arguments["header"])).encode()
