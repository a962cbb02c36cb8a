"""The reference says what the extension that is installed has."""

from tests.cluster import Cluster
from tests.docs.reference import ROOT, pages


def test_the_reference_is_that_of_the_extension(cluster: Cluster, database: str) -> None:
    with cluster.connect(database) as connection:
        for path, text in pages(connection).items():
            assert (ROOT / path).read_text() == text, "write it with python -m tests.docs.reference"
