"""The model whose weights a training starts from: whether it is one, and whether it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgml import algorithms, columns, evaluations, store, transfers
from pgml.algorithms.neural_network import REGRESSION
from pgml.artifact.format import unpack
from pgml.columns import Column
from pgml.errors import InvalidValue, NotBuilt, name_list
from pgml.preprocessing import Encoder
from pgml.spec import SUPERVISED, FitSpec
from pgml.store import Model
from pgml.usecases.further_options import NETWORK
from pgml.usecases.request import Request
from pgml.usecases.session import Session

ARCHITECTURE = ("hidden_layers", "activation", "batch_norm")
"""Hyperparameters that are the model's own."""
DEFAULTS = {each.name: each.default for each in REGRESSION if each.name in ARCHITECTURE}


@dataclass(frozen=True)
class Base:
    """A model to start from.

    Attributes
    ----------
    model : Model
    data : bytes
    columns : list of Column
        Its features.
    hyperparams : mapping
        Those of `ARCHITECTURE`.
    frozen : int
        How many of its layers are to keep their weights.
    """

    model: Model
    data: bytes
    columns: list[Column]
    hyperparams: Mapping[str, Any]
    frozen: int


def found(session: Session, caller: str, wanted: Request) -> tuple[Request, Base | None]:
    """Return the request, with the layers of the model that it starts from, and that model.

    Raises
    ------
    UnknownObject
    NotPermitted
        The caller may predict by it, but not see what it holds.
    NotBuilt
        It was made by another tool.
    InvalidValue
        It is no network, or the request contradicts it.
    """
    model_id = wanted.further.base_model
    if model_id is None:
        return wanted, None
    database = session.database

    def read() -> tuple[Model, bool, Mapping[str, Any], bytes]:
        model = store.model(database, caller, model_id)
        stored = evaluations.of_model(database, caller, model_id)
        # What starts from weights and categories tells of them, as an export does.
        stored.require_shown()
        own = transfers.rows(database, model_id)[1]["hyperparams"]
        return model, stored.is_imported, own, store.model_bytes(database, model)

    model, is_imported, own, data = database.as_owner(read)
    _check_model(model, wanted, is_imported)
    layers = {name: own.get(name, default) for name, default in DEFAULTS.items()}
    # They may have come in a file.
    algorithms.check_hyperparams(algorithms.find(NETWORK, model.task), model.task, layers)
    _check_request(model, wanted, layers)
    kept = {name: layers[name] for name in ("hidden_layers", "activation")}
    encoder = Encoder.from_json(unpack(data).encoder)
    base = Base(model, data, encoder.columns, layers, wanted.further.freeze or 0)
    return replace(wanted, hyperparams={**wanted.hyperparams, **kept}), base


def check_features(base: Base | None, wanted: Request, given: Sequence[Column]) -> None:
    """Raise InvalidValue unless the features are those of the model, by name and by type.

    Parameters
    ----------
    given : sequence of Column
        All of the relation.
    """
    if base is None:
        return
    others = (*wanted.targets, wanted.split_by, wanted.weight)
    types = {column.name: column.type for column in given if column.name not in others}
    lacking = [column.name for column in base.columns if column.name not in types]
    added = [name for name in types if name not in {column.name for column in base.columns}]
    otherwise = [
        f'"{column.name}" has type {types[column.name]}, not {column.type}'
        for column in base.columns
        if column.name in types and not columns.reads_alike(column.type, types[column.name])
    ]
    said = [f"there is no {name_list(lacking)}"] if lacking else []
    said += [f"{name_list(added)} was no feature then"] if added else []
    if said or otherwise:
        raise InvalidValue(
            f'the features are not those that model "{base.model.name}" was trained on',
            detail="; ".join([*said, *otherwise]).capitalize() + ".",
            hint="Train on a view with its features and the target, cast to its types.",
        )


def begun(base: Base | None, spec: FitSpec) -> FitSpec:
    """Return what is to be fitted, from a model on if there is one."""
    if base is None:
        return spec
    form = {"model": base.model.name, "normed": base.hyperparams["batch_norm"], "frozen": base.frozen}
    return replace(spec, features=[column.name for column in base.columns], base=form)


def provenance(wanted: Request) -> dict[str, Any]:
    """Return what is stored with the hyperparameters of where a fit started."""
    told = {"base_model": wanted.further.base_model, "freeze": wanted.further.freeze}
    return {name: value for name, value in told.items() if value is not None}


def _check_model(model: Model, wanted: Request, is_imported: bool) -> None:
    if wanted.algorithm != NETWORK:
        raise InvalidValue(
            f'base_model is for the algorithm "{NETWORK}", not "{wanted.algorithm}"',
            hint=f'Say algorithm => "{NETWORK}", or leave base_model out.'.replace('"', "'"),
        )
    if model.algorithm != NETWORK and is_imported:
        raise NotBuilt(
            f'model "{model.name}" was imported, and a training cannot start from it',
            hint=f'Start from a model that pgml trained by "{NETWORK}".',
        )
    if model.algorithm != NETWORK or model.task not in SUPERVISED:
        raise InvalidValue(
            f'model "{model.name}" is one of {model.task} by "{model.algorithm}", '
            "which has no weights to start from",
            hint=f'Give a model of {" or ".join(SUPERVISED)} by "{NETWORK}".',
        )


def _check_request(model: Model, wanted: Request, layers: Mapping[str, Any]) -> None:
    """Raise InvalidValue for what contradicts a model's encoder or layers."""
    if wanted.preprocess:
        raise InvalidValue(
            "preprocess is given, and a training that starts from a model encodes as that does",
            hint="Leave preprocess out, or base_model.",
        )
    sizes = layers["hidden_layers"]
    own = {**layers, "batch_norm": False}
    for name in ARCHITECTURE:
        given = wanted.hyperparams.get(name, own[name])
        if _each(given, len(sizes)) != _each(own[name], len(sizes)):
            because = (
                "its norms are part of its weights"
                if name == "batch_norm"
                else f"which has {_each(own[name], len(sizes))}".replace("'", '"')
            )
            raise InvalidValue(
                f'hyperparameter "{name}" contradicts model "{model.name}", {because}',
                hint=f"Leave {name} out: the layers are those of base_model.",
            )
    searched = [name for name in ARCHITECTURE if wanted.search and name in wanted.search.params]
    if searched:
        raise InvalidValue(
            f"search_params hold {name_list(searched)}, which the model to start from has already",
            hint="Search among what does not change the layers, such as learning_rate and lambda.",
        )
    frozen = wanted.further.freeze or 0
    if frozen > len(sizes):
        raise InvalidValue(
            f'freeze is {frozen}, and model "{model.name}" has {len(sizes)} hidden layer(s)',
            hint="Freeze as many at most: the layer of outputs always learns.",
        )


def _each(value: Any, count: int) -> list[Any]:
    return value if isinstance(value, list) else [value] * count
