"""Clusters by centers, of which the nearest is a row's."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgml.exchange.pmml.elements import Element, Value, number
from pgml.exchange.pmml.fields import Source


def model(
    points: np.ndarray[Any, np.dtype[np.float64]],
    labels: Sequence[str],
    sources: Sequence[Source],
    before: Sequence[Element],
    after: Sequence[Element],
) -> Element:
    """Return a ClusteringModel.

    Parameters
    ----------
    points : ndarray of shape (clusters, width)
    labels : sequence of str
    sources : sequence of Source
        Of the columns of the matrix.
    before, after : sequence of Element
        What comes before the measure, the schema first, and after the clusters.
    """
    given: dict[str, Value] = {
        "functionName": "clustering",
        "modelClass": "centerBased",
        "numberOfClusters": str(len(labels)),
    }
    measure = Element(
        "ComparisonMeasure", {"kind": "distance", "compareFunction": "absDiff"}, [Element("euclidean")]
    )
    fields = [Element("ClusteringField", {"field": each.field}) for each in sources]
    clusters = [
        Element("Cluster", {"id": label, "name": label}, [array(point.tolist())])
        for label, point in zip(labels, points, strict=True)
    ]
    return Element("ClusteringModel", given, [*before, measure, *fields, *clusters, *after])


def array(values: Sequence[float]) -> Element:
    """Return numbers in one element."""
    return Element("Array", {"n": str(len(values)), "type": "real"}, text=" ".join(map(number, values)))
