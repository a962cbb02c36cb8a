"""The extension, PL/Python, and the Python inside the server."""

from collections.abc import Iterator
from importlib.metadata import version

from pgml.cli.diagnosis.finding import Finding
from pgml.cli.installation import Server
from pgml.database.port import DatabaseError
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotPermitted

SHOWN = (
    "numpy",
    "scikit-learn",
    "xgboost-cpu",
    "xgboost",
    "onnxruntime",
    "onnx",
    "lightgbm",
    "catboost",
    "optuna",
)
"""The libraries that results depend on."""
PYTHON = """
    create function pg_temp.pgml_python() returns text language plpython3u as
    $$ import platform; return platform.python_version() $$
"""


def findings(client: Client, found: Server) -> Iterator[Finding]:
    """Yield what there is of the extension, or what keeps it from being there."""
    yield _language(client, found)
    yield from _extension(found)
    if found.installed is not None:
        yield from _library(client)


def _language(client: Client, found: Server) -> Finding:
    if not found.has_plpython:
        return Finding(
            "warning",
            "plpython3u",
            "the server has no plpython3u, which the extension needs",
            "Without it this machine trains, and plain SQL serves the models.",
            (
                "pgml install",
                f"on a server of your own: apt install postgresql-plpython3-{found.number // 10000}",
            ),
        )
    if not found.plpython_installed:
        return Finding("ok", "plpython3u", "plpython3u is available, and not created yet")
    python = _python(client, found)
    embedded = f", with Python {python}" if python else ""
    return Finding("ok", "plpython3u", f"plpython3u is there{embedded}")


def _python(client: Client, found: Server) -> str | None:
    """Return the version of the server's Python, as a superuser can see it where pgml cannot say it."""
    query = "select pgml.python_version() as version"
    try:
        if found.installed is None:
            if not found.is_superuser or found.is_standby:
                return None
            with client.transaction(rolled_back=True):
                client.query(PYTHON)
                (row,) = client.query("select pg_temp.pgml_python() as version")
        else:
            (row,) = client.query(query)
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        return None
    return str(row["version"])


def _extension(found: Server) -> Iterator[Finding]:
    here = version("pgml")
    if found.installed is None:
        yield _absent(found)
        return
    if found.available is not None and found.available != found.installed:
        yield Finding(
            "warning",
            "extension",
            f"extension pgml is {found.installed} here, the server has the files of {found.available}",
            fix=("alter extension pgml update;",),
        )
    elif found.available is None:
        yield Finding(
            "error",
            "extension",
            f"extension pgml {found.installed} is created, and its files are gone from the server",
            fix=("make && sudo make install    # in a checkout of pgml, on the server",),
        )
    else:
        yield Finding("ok", "extension", f"extension pgml {found.installed}")
    if found.installed != here:
        yield Finding(
            "warning",
            "versions",
            f"the extension is {found.installed}, this program is {here}",
            fix=("install the same version of pgml on this machine",),
        )


def _absent(found: Server) -> Finding:
    if found.files and found.is_superuser:
        return Finding(
            "error",
            "extension",
            "extension pgml is available, and not created in this database",
            fix=("pgml install", "create extension pgml cascade;"),
        )
    if found.files:
        return Finding(
            "error",
            "extension",
            "extension pgml is available, and takes a superuser to create",
            fix=(
                "create extension pgml cascade;    -- as a superuser",
                "pgml install --managed            # to do without PL/Python",
            ),
        )
    if found.has_plpython:
        return Finding(
            "error",
            "extension",
            "the files of extension pgml are not on the server",
            fix=(
                "make && sudo make install    # in a checkout of pgml, on the server",
                "pgml install                 # to do without PL/Python",
            ),
        )
    return Finding(
        "error",
        "installation",
        "pgml is not installed in this database",
        "Tables, views and functions in SQL are possible here.",
        ("pgml install",),
    )


def _library(client: Client) -> Iterator[Finding]:
    try:
        rows = client.query("select package, version from pgml.package_versions()")
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        if error.sqlstate == NotPermitted.sqlstate:
            return  # What the role lacks is told apart.
        yield Finding(
            "error",
            "library",
            f"the Python part of pgml does not answer: {error.message}",
            error.detail,
            (error.hint,) if error.hint else (),
        )
        return
    known = {row["package"]: row["version"] for row in rows}
    shown = [f"{name} {known[name]}" for name in SHOWN if name in known]
    yield Finding("ok", "library", f"{len(known)} Python packages on the server", ", ".join(shown))
