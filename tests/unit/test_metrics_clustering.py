import warnings

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as reference

from pgml import metrics
from pgml.metrics import clustering


def blobs(
    rows: int, clusters: int, width: int, seed: int = 0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, clusters, rows)
    centers = rng.normal(size=(clusters, width)) * 3
    return centers[codes] + rng.normal(size=(rows, width)), codes


def expected(matrix: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> dict[str, float]:
    return {
        "silhouette": reference.silhouette_score(matrix, codes),
        "calinski_harabasz": reference.calinski_harabasz_score(matrix, codes),
        "davies_bouldin": reference.davies_bouldin_score(matrix, codes),
    }


@pytest.mark.parametrize(("rows", "clusters", "width"), [(3, 2, 1), (40, 3, 2), (500, 20, 5), (1500, 4, 30)])
def test_every_metric_is_that_of_scikit_learn(rows: int, clusters: int, width: int) -> None:
    matrix, codes = blobs(rows, clusters, width)
    codes[:2] = 0, 1
    found = metrics.evaluate("clustering", matrix, codes)
    assert found == pytest.approx(expected(matrix, codes), rel=1e-6)
    single = metrics.evaluate("clustering", matrix.astype(np.float32), codes)
    assert single == pytest.approx(found, rel=1e-4)


def test_clusters_of_one_row_and_rows_that_are_equal_count_as_in_scikit_learn() -> None:
    matrix = np.array([[0.0], [0.0], [0.0], [5.0], [6.0], [6.0], [99.0]])
    codes = np.array([0, 0, 1, 1, 2, 2, 3])
    assert metrics.evaluate("clustering", matrix, codes) == pytest.approx(expected(matrix, codes))


def test_noise_counts_nothing_in_the_silhouette_and_is_left_out_elsewhere() -> None:
    matrix, codes = blobs(100, 3, 2)
    noisy = np.r_[matrix, np.full((50, 2), 1e3)], np.r_[codes, np.full(50, -1)]
    without = expected(matrix, codes)
    assert metrics.evaluate("clustering", *noisy) == pytest.approx(
        without | {"silhouette": without["silhouette"] * 100 / 150}
    )


@pytest.mark.parametrize("codes", [[0, 0, 0, 0], [-1, -1, 3, 3], [0, 1, 2, 3], [-1] * 4])
def test_one_cluster_or_as_many_as_rows_have_no_score(codes: list[int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.evaluate("clustering", np.arange(8.0).reshape(4, 2), np.array(codes))
    assert set(found.values()) == {None}


def test_many_rows_are_scored_by_a_sample_that_their_order_does_not_change() -> None:
    matrix, codes = blobs(6000, 4, 3)
    matrix[:3000] = matrix[0]
    codes[:3000] = codes[0]
    found = clustering.silhouette(matrix, codes)
    order = np.random.default_rng(1).permutation(6000)
    assert clustering.silhouette(matrix[order], codes[order]) == found
    assert clustering.silhouette(matrix, codes, seed=1) != found
    assert found == pytest.approx(reference.silhouette_score(matrix, codes), abs=0.03)


def test_distances_far_from_the_origin_keep_their_digits() -> None:
    matrix, codes = blobs(60, 3, 2)
    assert clustering.silhouette(matrix + 1e7, codes) == pytest.approx(
        clustering.silhouette(matrix, codes), rel=1e-6
    )
