"""The arguments of a verb, as the SQL functions send them in one JSON object."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pgml.datasets import SOURCES
from pgml.errors import InvalidValue, hint_of_names, name_list

MOST_DIGITS = 400
"""A whole number with more digits is beyond every float, and Python refuses to read one with far more."""
DEEPEST = 50
NOT_FINITE = ("NaN", "Infinity", "-Infinity")
"""What jsonb makes of floats that JSON has no number for."""

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float) or value in NOT_FINITE,
    "boolean": lambda value: isinstance(value, bool),
    "json": lambda value: True,
    "array": lambda value: isinstance(value, list),
}
TRAIN: Mapping[str, str] = {
    "project_name": "text",
    "task": "text",
    "relation_name": "text",
    "y_column_name": "text",
    "algorithm": "text",
    "hyperparams": "json",
    "search": "text",
    "search_params": "json",
    "search_args": "json",
    "test_size": "number",
    "test_sampling": "text",
    "runtime": "text",
    "automatic_deploy": "boolean",
    "materialize_snapshot": "boolean",
    "preprocess": "json",
    "seed": "integer",
    "split_by": "text",
    "metric": "text",
    "weight": "text",
}
FURTHER: Mapping[str, str] = {
    "cost": "text",
    "threshold": "text",
    "base_model": "integer",
    "freeze": "integer",
    "time_limit": "number",
}
COMPILED: Mapping[str, str] = {
    "dialect": "text",
    "relation_name": "text",
    "key": "text",
    "output": "text",
    "missing": "text",
    "partition_by": "text",
    "order_by": "text",
}
CREATED: Mapping[str, str] = {"output": "text", "missing": "text", "replace": "boolean"}
MEASURED: Mapping[str, str] = {"project_name": "text", "relation_name": "text"}
DRAWN: Mapping[str, str] = {"kind": "text", "relation_name": "text", "width": "integer"}
IMPORTED: Mapping[str, str] = {
    "project_name": "text",
    "features": "json",
    "labels": "json",
    "task": "text",
    "y_column_name": "array",
    "automatic_deploy": "boolean",
}
NAMED: Mapping[str, str] = {"project_name": "text"}
BY_ID: Mapping[str, str] = {"model_id": "integer"}
SIGNATURES: Mapping[str, Mapping[str, str]] = {
    "train": {**TRAIN, **FURTHER},
    "train_joint": {**TRAIN, "y_column_name": "array", "base_model": "integer", "freeze": "integer"},
    "deploy": {"project_name": "text", "strategy": "text", "algorithm": "text", "engine": "text"},
    "deploy_model": {"model_id": "integer", "engine": "text"},
    "drop_model": {"model_id": "integer"},
    "drop_project": {"project_name": "text"},
    "grant": {"project_name": "text", "role": "text", "privilege": "text"},
    "revoke": {"project_name": "text", "role": "text", "privilege": "text"},
    "snapshot": {"relation_name": "text", "table_name": "text"},
    "evaluate": {**MEASURED, "cost": "text"},
    "evaluate_model": {"model_id": "integer", "relation_name": "text", "cost": "text"},
    "confusion_matrix": MEASURED,
    "roc_curve": MEASURED,
    "precision_recall_curve": MEASURED,
    "calibration_curve": MEASURED,
    "feature_importance": MEASURED,
    "leaderboard": {"project_name": "text"},
    "plot": {"project_name": "text", **DRAWN},
    "plot_model": {"model_id": "integer", **DRAWN},
    "report": {"project_name": "text"},
    "to_sql": {"project_name": "text", **COMPILED},
    "to_sql_of_model": {"model_id": "integer", **COMPILED},
    "create_sql_function": {"project_name": "text", "function_name": "text", **CREATED},
    "create_sql_view": {
        "project_name": "text",
        "view_name": "text",
        "relation_name": "text",
        **CREATED,
    },
    "import_onnx": IMPORTED,
    "import_keras": IMPORTED,
    "import_keras_parts": {**IMPORTED, "architecture": "text"},
    "import_xgboost": IMPORTED,
    "import_lightgbm": IMPORTED,
    "import_model": {"project_name": "text", "automatic_deploy": "boolean"},
    "export_onnx": NAMED,
    "export_onnx_of_model": BY_ID,
    "export_pmml": NAMED,
    "export_pmml_of_model": BY_ID,
    "export_model": NAMED,
    "export_model_of_model": BY_ID,
    "load_dataset": {"source": "text", "subset": "text", "limit": "integer", "kwargs": "json"},
    "warm": {"project_name": "text"},
    "cache_status": {},
    "algorithms": {},
    "python_version": {},
    "package_versions": {},
}
"""The verbs that report their errors as a value, each argument with one of `TYPES`; any may be null."""

FUNCTIONS: Mapping[str, str] = {
    "deploy_model": "deploy",
    "evaluate_model": "evaluate",
    "plot_model": "plot",
    "to_sql_of_model": "to_sql",
    "import_keras_parts": "import_keras",
    "export_onnx_of_model": "export_onnx",
    "export_pmml_of_model": "export_pmml",
    "export_model_of_model": "export_model",
}
"""The functions of verbs that have another name."""

HINTS: Mapping[str, str] = {
    "project_name": "Name the project, or the table or view to train on.",
    "table_name": "Name the table to make, or leave table_name out.",
    "model_id": "Give the id that pgml.train returned.",
    "relation_name": "Name the table or view to read.",
    "role": 'Name the role, or "public" for everybody.',
    "kind": "Name the kind of picture, such as confusion_matrix, residuals or leaderboard.",
    "dialect": "Name the database, such as postgres or duckdb.",
    "function_name": "Name the function to make.",
    "view_name": "Name the view to make.",
    "architecture": "Give the text of the JSON file that Keras wrote beside the weights.",
    "output": "Ask for prediction, probabilities or all.",
    "missing": "Say model or null.",
    "source": f"The datasets are {name_list(SOURCES)}.",
}
"""What to give where an argument is missing."""


def checked(verb: str | None, text: str | None) -> Mapping[str, Any]:
    """Return the arguments of a verb by name.

    Parameters
    ----------
    verb : str or None
        A key of `SIGNATURES`.
    text : str or None
        Of a JSON object.

    Raises
    ------
    InvalidValue
        There is no such verb, or a SQL function of pgml would not have sent these.
    """
    if verb is None or verb not in SIGNATURES:
        raise unknown(verb, SIGNATURES)
    types = SIGNATURES[verb]
    try:
        given = parsed(text or "null")
    except RecursionError:
        raise _nested() from None
    if not _is_shallow(given, DEEPEST):
        raise _nested()
    hint = f"Call the function pgml.{FUNCTIONS.get(verb, verb)}, which sends them."
    if not isinstance(given, dict) or set(given) != set(types):
        raise InvalidValue(
            f'the arguments of verb "{verb}" are not complete, or there are others',
            detail=f"They are {name_list(types)}." if types else "There are none.",
            hint=hint,
        )
    for name, value in given.items():
        if value is not None and not TYPES[types[name]](value):
            shown = json.dumps(value)
            raise InvalidValue(f"{name} must be of type {types[name]}, not {shown[:60]}", hint=hint)
    return given


def unknown(verb: str | None, known: Iterable[str]) -> InvalidValue:
    """Return the error of a verb that is none of those known."""
    return InvalidValue(f'verb "{verb or ""}" does not exist', hint=hint_of_names("verbs", verb or "", known))


def _nested() -> InvalidValue:
    return InvalidValue(
        f"an argument is nested more than {DEEPEST} deep", hint="Give flat JSON objects and arrays."
    )


def required(given: Mapping[str, Any], name: str) -> Any:
    """Return an argument that must be there.

    Raises
    ------
    InvalidValue
        It is null or an empty text.
    """
    value = given[name]
    if value is None or value == "":
        raise InvalidValue(f"{name} must not be {'null' if value is None else 'empty'}", hint=HINTS[name])
    return value


def parsed(text: str) -> Any:
    """Return the value of a JSON text; a whole number too long for any float stays text.

    Raises
    ------
    ValueError
        It is no JSON, or holds characters that no text of PostgreSQL can.
    RecursionError
        It is nested some thousand deep.
    """
    value = _DECODER.decode(text)
    if "\\u" in text:
        _check_characters(value)
    return value


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < MOST_DIGITS else digits


_DECODER = json.JSONDecoder(parse_int=_integer)


def _check_characters(value: Any) -> None:
    """Raise ValueError for NUL and for half of a surrogate pair."""
    written = json.dumps(value, ensure_ascii=False)
    written.encode()
    if "\\u0000" in written.replace("\\\\", ""):
        raise ValueError("NUL")


def _is_shallow(value: Any, levels: int) -> bool:
    """Return whether arrays and objects are nested at most so deep."""
    if not isinstance(value, (dict, list)):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(part, levels - 1) for part in parts)
