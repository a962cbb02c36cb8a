"""Predict rows that come one after another as objects, such as those of a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pgml.inference import Predictor
from pgml.usecases.batch import Chunk, Encoded, check_predicts, predicted
from pgml.usecases.predict import Predictions
from pgml.usecases.session import Session


def predict_objects(
    session: Session,
    predictor: Predictor,
    predictions: Predictions,
    chunks: Iterator[Sequence[Mapping[str, Any]]],
) -> Iterator[Chunk]:
    """Yield predictions of rows by name, a chunk at a time; see `pgml.usecases.batch.predict_relation`.

    Parameters
    ----------
    chunks : iterator of sequences of mappings
        Values of JSON; a text is read as the feature's type.

    Raises
    ------
    PgmlError
    """
    check_predicts(predictor)

    def encoded() -> Encoded:
        for chunk in chunks:
            texts = [json.dumps(row, ensure_ascii=False) for row in chunk]
            datasets = [predictions.dataset(predictor.encoder, text, "json") for text in texts]
            yield (
                None,
                np.concatenate([predictor.encoder.encode(each) for each in datasets if each is not None]),
            )

    yield from predicted(session, predictor, encoded())
