"""How much worse a model is without each of its features."""

from collections.abc import Callable

import numpy as np

from pgml import comparison, evaluation, splitting
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.metrics import Metric
from pgml.preprocessing import Matrix
from pgml.target import Target

MOST_ROWS = 2000
"""More rows are drawn from."""
REPEATS = 5


def by_permutation(
    predictor: Predictor,
    metric: Metric,
    dataset: Dataset,
    truth: Target,
    check_for_interrupts: Callable[[], None] = lambda: None,
    seed: int = 0,
) -> dict[str, tuple[float, float] | None]:
    """Return by how much a metric gets worse when the values of a feature change rows.

    Breiman, Machine Learning 45 (2001), p. 23. Draws follow from the seed and from what rows hold, whatever
    their order. An array column changes rows as a whole.

    Parameters
    ----------
    dataset, truth : Dataset, Target
        Rows with the model's features, and more columns perhaps.

    Returns
    -------
    dict
        By feature the mean and the standard deviation over `REPEATS` permutations, positive where the
        feature is of use; None where the metric is undefined.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(splitting.row_hashes(dataset, dataset.names), kind="stable")
    rows = order[rng.permutation(order.size)[:MOST_ROWS]]
    matrix = predictor.encoder.encode(dataset.take(rows))
    known = comparison.as_known(predictor, truth.take(rows))
    counts = [len(labels) for labels, _ in predictor.parts]
    decided = predictor.labels, predictor.threshold

    def score(changed: Matrix) -> float | None:
        check_for_interrupts()
        outputs = predictor.run(changed)
        found = evaluation.outcome(predictor.task, predictor.output, counts, known, matrix, outputs, *decided)
        return found.score(metric)

    whole = score(matrix)
    found: dict[str, tuple[float, float] | None] = {}
    changed = matrix.copy()
    start = 0
    # Each encoding writes its own columns from its own feature, row by row: to permute these is the same.
    for encoding in predictor.encoder.encodings:
        part = slice(start, start + encoding.width)
        start += encoding.width
        scores = []
        for _ in range(REPEATS):
            changed[:, part] = matrix[rng.permutation(rows.size), part]
            scores.append(score(changed))
        changed[:, part] = matrix[:, part]
        found[encoding.column.name] = _drop(metric, whole, scores)
    return found


def _drop(metric: Metric, whole: float | None, scores: list[float | None]) -> tuple[float, float] | None:
    known = [each for each in scores if each is not None and np.isfinite(each)]
    if whole is None or not np.isfinite(whole) or len(known) < len(scores):
        return None
    drops = (whole - np.array(known)) * (1 if metric.greater_is_better else -1)
    return float(drops.mean()), float(drops.std())
