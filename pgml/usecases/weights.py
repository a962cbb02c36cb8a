"""The column that says how much each row counts."""

import numpy as np

from pgml import algorithms
from pgml.algorithms.base import Algorithm
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, hint_of_names
from pgml.pipeline import LARGEST_WEIGHT


def check(algorithm: Algorithm, task: str, dataset: Dataset, name: str) -> None:
    """Raise InvalidValue unless an algorithm takes weights of rows and these can be some.

    Parameters
    ----------
    dataset : Dataset
        The rows with a known target.
    name : str
        Of a column of numbers.
    """
    if not algorithm.weighted:
        fitting = [each for each in algorithms.names(task) if algorithms.find(each, task).weighted]
        raise InvalidValue(
            f'algorithm "{algorithm.name}" takes no weight',
            hint=hint_of_names(f"algorithms for {task} that do", "", fitting)
            or f"Leave weight out: no algorithm for {task} takes one.",
        )
    values = dataset.values(name)
    missing = int(np.isnan(values).sum())
    if missing:
        raise InvalidValue(
            f'weight column "{name}" is NULL in {missing} row(s)',
            hint="Give each row a weight in the view, such as coalesce gives; 0 leaves a row out of the fit.",
        )
    for wrong, what in (
        (np.isinf(values), "infinite values"),
        (values < 0, "negative numbers"),
        (values > LARGEST_WEIGHT, f"numbers beyond {LARGEST_WEIGHT:g}"),
    ):
        if wrong.any():
            raise InvalidValue(
                f'weight column "{name}" holds {what}',
                hint=f"A weight is a number from 0 to {LARGEST_WEIGHT:g}.",
            )
    if not values.any():
        raise InvalidValue(
            f'weight column "{name}" is 0 in every row', hint="Give the rows to learn from a weight above 0."
        )
