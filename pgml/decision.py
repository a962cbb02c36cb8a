"""Which label a model's outputs stand for: the one place where numbers become a decision."""

from collections.abc import Mapping
from math import nextafter
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.errors import Corrupted
from pgml.spec import Output

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
HALF = 0.5
ABOVE_HALF = nextafter(HALF, 1.0)
"""From here on the second of two classes is the likelier: of equally likely ones the first is taken."""


def codes_of(output: Output, outputs: Floats, threshold: float | None = None) -> Codes:
    """Return the class or cluster that outputs stand for.

    Parameters
    ----------
    output : Output
    outputs : ndarray of shape (rows, width)
    threshold : float or None
        From which probability on the second of two classes is taken; None: the likeliest class, of equal ones
        the first. Of anomalies, above which error a row is one; None: 0.

    Returns
    -------
    ndarray of shape (rows,)
    """
    if output == "distances":
        return np.asarray(outputs.argmin(axis=1))
    if output in ("anomaly", "reconstruction"):
        return np.asarray(outputs[:, -1] > (threshold or 0.0), dtype=np.intp)
    if output == "cluster":
        return np.asarray(outputs[:, 0].astype(np.intp))
    if output == "probabilities" and threshold is not None:
        return np.asarray(outputs[:, 1] >= threshold, dtype=np.intp)
    return np.asarray(outputs.argmax(axis=1))


def least(threshold: float | None) -> float:
    """Return the least probability of the second of two classes, which add to 1, for which it is taken."""
    return ABOVE_HALF if threshold is None else threshold


def threshold_of(decoder: Mapping[str, Any]) -> float | None:
    """Return the threshold of a stored model; None: the likeliest class is predicted.

    Raises
    ------
    Corrupted
        It is no probability, or the model has not the probabilities of two classes.
    """
    if "threshold" not in decoder:
        return None
    found = decoder["threshold"]
    if type(found) is not float or not 0 < found < 1:
        raise Corrupted("model is damaged", detail="Its threshold is no number between 0 and 1.")
    several = len(decoder["labels"]) != 2 or len(decoder["parts"]) > 1
    if several or decoder["task"] != "classification" or decoder["output"] != "probabilities":
        raise Corrupted("model is damaged", detail="It has a threshold without probabilities of two classes.")
    return found
