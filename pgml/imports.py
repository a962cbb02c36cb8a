"""Files of other tools to models: the jobs of the process that pgml.import_onnx and its kin start.

The first to look at a file, to load what it becomes and to run it is this process: what a file can break is
broken here, within the bound of memory that the process has.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pgml import wire
from pgml.artifact.format import pack
from pgml.exchange import assembly, naming
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted

Tell = Callable[[dict[str, Any]], Any]


def import_onnx(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return what an ONNX file became, and the bytes of the model.

    Parameters
    ----------
    arguments : dict
        ``features``, ``labels`` and ``task`` as `pgml.exchange.naming.Wanted` has them, ``targets``, the
        names of what it predicts, ``usual_targets``, those of its project, and ``max_bytes``; each but the
        last may be None.
    file : bytes
    tell : callable

    Returns
    -------
    ``task``, ``targets``, ``algorithm``, ``columns`` and ``versions``, the bytes

    Raises
    ------
    PgmlError
    """
    from pgml.exchange.onnx import reading

    return _model(arguments, lambda wanted: reading.read(file, wanted))


def import_keras(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return what a .keras or .h5 file became; see `import_onnx`."""
    from pgml.exchange import keras

    return _model(arguments, lambda wanted: keras.read(file, wanted))


def import_keras_parts(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return what ``architecture``, a text of JSON, became with a file of weights; see `import_onnx`."""
    from pgml.exchange import keras

    return _model(arguments, lambda wanted: keras.read_parts(arguments["architecture"], file, wanted))


def import_xgboost(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return what a file of XGBoost became; see `import_onnx`."""
    from pgml.exchange import xgboost

    return _model(arguments, lambda wanted: xgboost.read(file, wanted))


def import_lightgbm(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return what a file of LightGBM became; see `import_onnx`."""
    from pgml.exchange import lightgbm

    return _model(arguments, lambda wanted: lightgbm.read(file, wanted))


def import_model(arguments: dict[str, Any], file: bytes, tell: Tell) -> wire.Message:
    """Return the rows that pgml.export_model wrote, as `pgml.exchange.bundle` has them, and the bytes."""
    from pgml.exchange import bundle

    found = bundle.read(file, arguments["max_bytes"])
    return {"project": found.project, "model": found.model}, found.data


def _model(arguments: Mapping[str, Any], read: Callable[[Wanted], Foreign]) -> wire.Message:
    wanted = Wanted(arguments["features"], arguments["labels"], arguments["task"])
    naming.check(wanted)
    foreign = read(wanted)
    targets = assembly.target_names(foreign, arguments["targets"], arguments["usual_targets"])
    made = assembly.artifact(foreign, wanted, targets, arguments["max_bytes"])
    found = {
        "task": foreign.task,
        "targets": targets,
        "algorithm": foreign.algorithm,
        "columns": [asdict(column) for column in assembly.columns(made)],
        "versions": {"python": sys.version.split()[0], **foreign.versions},
    }
    return found, pack(made)
