"""Every example of the pages on the command line runs, and prints what the page says."""

from pathlib import Path

from tests.cli import pages
from tests.cli.servers import managed_database
from tests.cluster import Cluster
from tests.docs.examples import same


def check(path: Path, outputs: list[str]) -> None:
    for (script, promised), printed in zip(pages.blocks(path.read_text()), outputs, strict=True):
        if promised is None:
            assert "ERROR" not in printed, f"{script}\n{printed}"
        else:
            assert same(promised, printed), f"{script}\n{printed}"


def test_the_page_of_the_command_line(cluster: Cluster, tmp_path: Path) -> None:
    cluster.create_database("shop")
    try:
        page = pages.COMMAND_LINE.read_text()
        check(pages.COMMAND_LINE, pages.run(page, cluster, "shop", "postgres", tmp_path))
    finally:
        cluster.drop_database("shop")


def test_the_page_of_managed_servers(bare: Cluster, tmp_path: Path) -> None:
    managed_database(bare, "shop", "owner")
    try:
        check(pages.MANAGED, pages.run(pages.MANAGED.read_text(), bare, "shop", "owner", tmp_path))
    finally:
        bare.drop_database("shop")
        bare.drop_role("owner")
