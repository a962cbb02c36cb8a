"""Encode a row as a network does: what one of its layers gives, which is an embedding of the row."""

from typing import Any

from pgml import algorithms, cache, layers, store
from pgml.artifact.format import unpack
from pgml.errors import InvalidValue, PgmlError, WrongType, name_list
from pgml.inference import Predictor
from pgml.layers import Layers
from pgml.store import Model
from pgml.usecases import answers
from pgml.usecases.predict import Asked, Predictions
from pgml.usecases.resolution import live_or_named, load
from pgml.usecases.session import Session

IMPORTED = ("keras", "onnx")
"""What models are said to be fitted by that came as graphs of networks."""


class Encodings:
    """The verb ``encode`` of one session; layers are found once for a loaded model, and let go of with it."""

    def __init__(self, session: Session, predictions: Predictions) -> None:
        self._session = session
        self._predictions = predictions

    def encode(
        self,
        reference: str | None,
        model_id: int | None,
        given: Any,
        snapshot: str | None,
        layer: int | None,
        kind: str,
    ) -> list[float] | None:
        """Return what a layer gives for a row.

        Parameters
        ----------
        layer : int or None
            From 1; None: of an autoencoder its code, else the last hidden one.
        reference, model_id, given, snapshot, kind
            See `Predictions.value`.
        """
        asked = reference, model_id, given, snapshot
        return self._predictions.of_row(asked, kind, lambda *row: self._of_row(asked, layer, *row))

    def _of_row(self, asked: Asked, layer: int | None, predictor: Predictor, row: Any) -> list[float]:
        if layer is None and predictor.output == "reconstruction":
            return answers.VECTORS["decompose"](predictor, predictor.outputs(row)[0])
        found = layers.of_predictor(predictor) or self._found(asked, predictor)
        matrix = predictor.encoder.encode(row)
        number = len(found.names) if layer is None else layer
        if not 1 <= number <= len(found.names):
            raise _no_layer(number, found.widths(matrix))
        encoded: list[float] = found.of_row(matrix, number - 1).tolist()
        return encoded

    def _found(self, asked: Asked, predictor: Predictor) -> Layers:
        session, caller = self._session, self._session.caller()
        reference, model_id, _, _ = asked

        def find() -> Layers:
            database = session.database
            model = (
                live_or_named(session, caller, reference or "")
                if model_id is None
                else store.model(database, caller, model_id)
            )
            if model.algorithm not in networks() and model.algorithm not in IMPORTED:
                raise _no_layers(model)
            found = Layers(unpack(store.model_bytes(database, model)).graph)
            if not found.names:
                raise _no_layers(model)
            loaded = load(session, model)
            loaded.held[Layers] = found
            bound = store.settings(database)["max_cache_bytes"]
            session.cache.grow(loaded, cache.memory(found.bytes), bound)
            return found

        return session.database.as_owner(find)


def networks() -> list[str]:
    """Return the names of the algorithms that fit layers."""
    return [name for name, algorithm in algorithms.ALGORITHMS.items() if algorithm.layered]


def _no_layers(model: Model) -> PgmlError:
    named = name_list(networks())
    return WrongType(
        f'model "{model.name}" of algorithm "{model.algorithm}" has no hidden layers',
        hint=f"Algorithms with layers are {named}; networks that are imported have some, too.",
    )


def _no_layer(number: int, widths: list[int]) -> PgmlError:
    shown = ", ".join(map(str, widths))
    return InvalidValue(
        f"layer {number} does not exist",
        detail=f"The model has {len(widths)} hidden layer(s), of {shown} number(s).",
        hint=f"Choose a layer from 1 to {len(widths)}; pgml.predict gives what follows the last one.",
    )
