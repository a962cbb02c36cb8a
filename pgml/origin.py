"""The model that a fit starts from: its encoder and its weights, read from its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml import algorithms
from pgml.algorithms.base import Start
from pgml.artifact.format import Artifact, unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, PgmlError
from pgml.inference import Predictor
from pgml.preprocessing import Encoder
from pgml.spec import FitSpec
from pgml.target import Target

Floats = npt.NDArray[np.float64]
Labels = list[tuple[list[Any], str]]
"""Classes in code order and their kind, of each target."""
ALGORITHM = "neural_network"
TRIED = 20
"""Rows on which the weights must give what the model gives."""
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Origin:
    """What a stored network gives to a fit.

    Attributes
    ----------
    model : str
        Its name.
    encoder : Encoder
    weights : float64 array of shape (size,)
    outputs : int
        Of its last layer.
    task : str
    labels : Labels
        Empty for a regression.
    center : float64 array of shape (targets,)
        What is added to its outputs.
    normed : bool
        It was trained with norms of batches.
    frozen : int
        How many of its layers are to keep their weights.
    """

    model: str
    encoder: Encoder
    weights: Floats
    outputs: int
    task: str
    labels: Labels
    center: Floats
    normed: bool
    frozen: int

    def start(
        self, task: str, truth: Target, present: Sequence[npt.NDArray[np.int64]], center: Floats
    ) -> Start:
        """Return where a fit starts.

        Parameters
        ----------
        truth : Target
        present : sequence of int64 array
            The codes of the classes that are fitted, for each target that is classes.
        center : float64 array of shape (targets,)
            What is taken from each target for the fit.
        """
        parts = truth.parts or ([truth] if truth.labels else [])
        same = [(list(each.labels), each.label_kind) for each in parts] == self.labels
        whole = task == self.task and same and [*map(len, present)] == truth.counts
        whole = whole and (bool(parts) or self.outputs == len(center))
        moved = self.center - center if whole and not parts else np.zeros(len(center))
        return Start(self.weights, self.outputs, whole, moved, self.frozen)

    def notes(self, start: Start) -> list[str]:
        """Return what is worth telling the user of a start."""
        found = []
        if not start.whole:
            found.append(f'the last layer was drawn anew, as the outputs of model "{self.model}" are others')
        if self.normed:
            found.append(
                f'the norms of model "{self.model}" are part of its weights, and there are no new ones'
            )
        return found


def read(spec: FitSpec, data: bytes, dataset: Dataset) -> Origin:
    """Return what the model of ``spec.base`` gives to a fit on rows.

    Parameters
    ----------
    spec : FitSpec
        ``hyperparams`` hold the layers of the model.
    data : bytes
        Of `pgml.artifact.format.pack`.
    dataset : Dataset

    Raises
    ------
    InvalidValue
        An array has another length than the model was trained on, or the model is no network of pgml's.
    """
    assert spec.base is not None
    artifact, name = unpack(data), spec.base["model"]
    encoder = Encoder.from_json(artifact.encoder)
    for column in encoder.columns:
        width = dataset.find(column.name).width
        if width != column.width:
            raise InvalidValue(
                f'arrays of column "{column.name}" have {width} elements, and model "{name}" was trained on '
                f"{column.width}",
                hint="Give arrays of that length in a view, or train without base_model.",
            )
    weights, outputs = _weights(spec, artifact, data, name)
    decoder = artifact.decoder
    labels = [(part["labels"], part["label_kind"]) for part in decoder["parts"]]
    if decoder["task"] == "classification" and not labels:
        labels = [(decoder["labels"], decoder["label_kind"])]
    return Origin(
        name,
        encoder,
        weights,
        outputs,
        decoder["task"],
        labels,
        np.asarray(decoder["center"], np.float64),
        spec.base["normed"],
        spec.base["frozen"],
    )


def _weights(spec: FitSpec, artifact: Artifact, data: bytes, name: str) -> tuple[Floats, int]:
    """Return the weights of a model and the units of its last layer, tried to give its answers."""
    from pgml.artifact.dense import layers_of
    from pgml.exchange.audit import graph

    task, width = artifact.decoder["task"], Encoder.from_json(artifact.encoder).width
    try:
        if artifact.decoder["engine"] != "onnx":
            raise ValueError("it is no graph")
        graph.check(artifact.graph, width, artifact.encoder["dtype"])
        layers = layers_of(artifact.graph)
        estimator = _estimator(spec, artifact, layers, width)
        rows = np.random.default_rng(0).normal(size=(TRIED, width))
        expected = Predictor(data).run(rows)
        found = algorithms.ALGORITHMS[ALGORITHM].predict(estimator, rows, task)
        if task == "regression":
            center = np.asarray(artifact.decoder["center"], np.float64)
            found = found + (center if found.ndim > 1 else center[0])
        far = np.abs(expected).max(initial=1e-300) * TOLERANCE
        if found.shape != expected.shape or not (np.abs(found - expected) <= far).all():
            raise ValueError("its weights do not give what it gives")
    except (ValueError, IndexError, PgmlError) as error:
        raise InvalidValue(
            f'model "{name}" is not made as this version of pgml makes networks',
            detail=str(error)[:300],
            hint="Train it anew, and start from that.",
        ) from None
    return estimator.weights, layers[-1][1].size


def _estimator(spec: FitSpec, artifact: Artifact, layers: Any, width: int) -> Any:
    """Return the network that the hyperparameters say, with weights of these layers (ValueError)."""
    from pgml.algorithms.neural_network_fits import Estimator, described
    from pgml.networks.groups import sizes_of

    decoder = artifact.decoder
    task = decoder["task"]
    counts = [len(part["labels"]) for part in decoder["parts"]] or [len(decoder["labels"])]
    sizes = sizes_of(counts) if task == "classification" else (1,) * len(decoder["center"])
    chosen = {"activation": "relu", **spec.hyperparams, "dropout": 0.0, "batch_norm": False}
    network = described(width, sizes, chosen, task)
    shapes = tuple(matrix.shape for matrix, _ in layers)
    if shapes != network.shapes:
        raise ValueError(f"its layers are {shapes}, and {network.shapes} are expected")
    return Estimator(network, np.concatenate([np.append(matrix, biases) for matrix, biases in layers]))
