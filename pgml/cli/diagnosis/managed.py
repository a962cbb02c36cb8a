"""The schema of a server without PL/Python, and this machine, which trains for it."""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from pgml.cli import ddl, installation
from pgml.cli.diagnosis.finding import Finding
from pgml.cli.installation import Server
from pgml.database.port import DatabaseError
from pgml.database.psycopg_adapter import Client

LIBRARIES = ("numpy", "scikit-learn", "onnxruntime", "onnx")


def findings(client: Client, found: Server) -> Iterator[Finding]:
    """Yield what there is of pgml on a server without PL/Python."""
    yield Finding(
        "ok",
        "plpython3u",
        "installed without PL/Python: this machine trains, SQL predicts",
    )
    yield _schema(client)
    if sys.platform != "linux":
        yield Finding(
            "error",
            "client",
            f"training takes Linux, and this is {sys.platform}",
            fix=("run pgml in WSL, in a container or on a Linux machine near the server",),
        )
    known = {name: _version(name) for name in LIBRARIES}
    absent = [name for name, found_version in known.items() if found_version is None]
    if absent:
        yield Finding(
            "error",
            "library",
            f"this machine lacks {', '.join(absent)}",
            fix=("pip install '.[cli]'    # in a checkout of pgml",),
        )
    else:
        yield Finding(
            "ok",
            "library",
            "this machine has what training needs",
            ", ".join(f"{name} {found_version}" for name, found_version in known.items()),
        )


def _schema(client: Client) -> Finding:
    here = version("pgml")
    try:
        before = installation.recorded(client)
        missing = ddl.missing(installation.present(client))
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        return Finding(
            "error", "schema", f"schema pgml cannot be read: {error.message}", fix=(_membership(client),)
        )
    if missing:
        return Finding(
            "error",
            "schema",
            f"schema pgml {before} lacks {', '.join(missing)}",
            fix=("pgml install",),
        )
    if before != here:
        return Finding(
            "warning",
            "schema",
            f"schema pgml is {before}, this program is {here}",
            fix=("pgml install",),
        )
    return Finding("ok", "schema", f"schema pgml {before} is complete")


def _membership(client: Client) -> str:
    rows = client.query(
        "select pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(nspowner)) as owner,"
        " pg_catalog.quote_ident(current_user) as role"
        " from pg_catalog.pg_namespace where nspname = 'pgml'"
    )
    return f"grant {rows[0]['owner']} to {rows[0]['role']};"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
