"""Every example of the documentation runs, and prints what the page says."""

from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.docs.examples import PAGES, ROOT, examples, run, same


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_print_what_the_page_says(cluster: Cluster, database: str, path: Path) -> None:
    page = path.read_text()
    outputs = run(cluster, database, page)
    for example, printed in zip(examples(page), outputs, strict=True):
        if example.output is None:
            assert "ERROR" not in printed, f"{example.sql}\n{printed}"
        else:
            assert same(example.output, printed), f"{example.sql}\n{printed}"
