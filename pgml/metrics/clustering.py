"""Scores of clusters by how near their rows are to each other and how far from the rest.

Everywhere ``matrix`` has shape (rows, width) and ``codes`` (rows,); rows of code -1 are noise, which counts 0
in the silhouette, as a row alone in its cluster does, and is left out elsewhere.
All are NaN unless there are at least two clusters, and fewer than rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgml.metrics.sampling import shuffled

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.floating]
Codes = npt.NDArray[np.int64]
Positions = npt.NDArray[np.intp]
MOST_ROWS = 2000
"""The silhouette takes the distances of all pairs of so many rows at most."""
PIECE = 1 << 20
"""Numbers that are copied at once."""


@dataclass(frozen=True)
class Clusters:
    """What the clusters of all rows are like.

    Attributes
    ----------
    sizes, squares, distances : ndarray of shape (clusters,)
        Rows, sum of squared distances from the centre, mean distance from it.
    centers : ndarray of shape (clusters, width)
    """

    sizes: Floats
    squares: Floats
    distances: Floats
    centers: Floats


def silhouette(matrix: Matrix, codes: Codes, seed: int = 0) -> float:
    """Return the mean over rows of (b - a) / max(a, b).

    There a is the mean distance from the other rows of the cluster, and b the least mean distance from the
    rows of another one; alone in its cluster a row counts 0, and so does noise: or who calls all but a few
    rows noise would win. Rousseeuw, J. Comput. Appl. Math. 20 (1987).

    Of more than `MOST_ROWS` rows a random sample is taken, the same in whatever order they come.
    """
    return float(silhouettes(matrix, codes, seed).mean())


def silhouettes(matrix: Matrix, codes: Codes, seed: int = 0) -> Floats:
    """Return the silhouettes of the rows that `silhouette` takes, sorted by cluster; one NaN if undefined."""
    sample = shuffled(matrix, seed)[:MOST_ROWS]
    kept = sample[codes[sample] >= 0]
    kept = kept[np.argsort(codes[kept], kind="stable")]
    starts = _starts(codes[kept])
    if not 2 <= starts.size < kept.size:
        return np.array([np.nan])
    rows = matrix[kept].astype(np.float64)
    rows -= rows.mean(axis=0)
    return np.concatenate([*_silhouettes(rows, starts), np.zeros(sample.size - kept.size)])


def calinski_harabasz(matrix: Matrix, codes: Codes) -> float:
    """Return the variance between clusters over that within; 1 where nothing varies within.

    Calinski and Harabasz, Communications in Statistics 3 (1974), p. 1.
    """
    found = _clusters(matrix, codes)
    if found is None:
        return float("nan")
    middle = found.sizes @ found.centers / found.sizes.sum()
    between = float(found.sizes @ ((found.centers - middle) ** 2).sum(axis=1))
    within = float(found.squares.sum())
    clusters = found.sizes.size
    return 1.0 if within == 0 else between * (found.sizes.sum() - clusters) / (within * (clusters - 1.0))


def davies_bouldin(matrix: Matrix, codes: Codes) -> float:
    """Return the mean over clusters of two's widths over their distance, with the other that has most.

    Davies and Bouldin, IEEE Trans. PAMI 1 (1979), p. 224. Centres in one place are not compared.
    """
    found = _clusters(matrix, codes)
    if found is None:
        return float("nan")
    worst = np.zeros(found.sizes.size)
    for place, center in enumerate(found.centers):
        apart = np.sqrt(((found.centers - center) ** 2).sum(axis=1))
        widths = found.distances[place] + found.distances
        worst[place] = np.divide(widths, apart, out=np.zeros_like(apart), where=apart > 0).max()
    return float(worst.mean())


def _starts(sorted_codes: Codes) -> Positions:
    """Return where each cluster begins among rows that are sorted by cluster."""
    return np.flatnonzero(np.diff(sorted_codes, prepend=-1))


def _silhouettes(rows: Floats, starts: Positions) -> Iterator[Floats]:
    """Yield the silhouettes of rows sorted by cluster, some rows at a time."""
    sizes = np.diff(np.r_[starts, len(rows)])
    own = np.repeat(np.arange(starts.size), sizes)
    squares = (rows**2).sum(axis=1)
    step = max(1, PIECE // len(rows))
    for first in range(0, len(rows), step):
        part = np.arange(first, min(first + step, len(rows)))
        each = np.arange(part.size)
        apart = squares[part, None] + squares - 2 * rows[part] @ rows.T
        apart = np.sqrt(np.maximum(apart, 0.0, out=apart), out=apart)
        apart[each, part] = 0.0
        sums = np.add.reduceat(apart, starts, axis=1)
        alone = sizes[own[part]] == 1
        near = sums[each, own[part]] / np.maximum(sizes[own[part]] - 1, 1)
        sums /= sizes
        sums[each, own[part]] = np.inf
        far = sums.min(axis=1)
        most = np.maximum(near, far)
        yield np.where(alone | (most == 0), 0.0, (far - near) / np.where(most == 0, 1.0, most))


def _clusters(matrix: Matrix, codes: Codes) -> Clusters | None:
    """Return what the clusters are like, or None where there are too few or as many as rows."""
    kept = np.flatnonzero(codes >= 0)
    kept = kept[np.argsort(codes[kept], kind="stable")]
    starts = _starts(codes[kept])
    if not 2 <= starts.size < kept.size:
        return None
    members = np.split(kept, starts[1:])
    centers = np.array([_center(matrix, each) for each in members])
    spread = np.array([_spread(matrix, *each) for each in zip(members, centers, strict=True)])
    sizes = np.array([each.size for each in members], dtype=np.float64)
    return Clusters(sizes, spread[:, 0], spread[:, 1] / sizes, centers)


def _pieces(matrix: Matrix, positions: Positions) -> Iterator[Floats]:
    step = max(1, PIECE // max(1, matrix.shape[1]))
    for first in range(0, positions.size, step):
        yield matrix[positions[first : first + step]].astype(np.float64)


def _center(matrix: Matrix, positions: Positions) -> Floats:
    total: Floats = sum((rows.sum(axis=0) for rows in _pieces(matrix, positions)), np.zeros(matrix.shape[1]))
    return total / positions.size


def _spread(matrix: Matrix, positions: Positions, center: Floats) -> tuple[float, float]:
    """Return the sums of squared distances and of distances from the centre."""
    squares = distances = 0.0
    for rows in _pieces(matrix, positions):
        apart = ((rows - center) ** 2).sum(axis=1)
        squares += float(apart.sum())
        distances += float(np.sqrt(apart).sum())
    return squares, distances
