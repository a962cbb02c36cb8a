"""The server and its role."""

import platform
from collections.abc import Iterator
from importlib.metadata import version

from pgml.cli.diagnosis.finding import Finding
from pgml.cli.installation import OLDEST, Server


def findings(found: Server) -> Iterator[Finding]:
    """Yield what is to be said of the server, whatever is installed there."""
    yield Finding("ok", "client", f"this is pgml {version('pgml')} with Python {platform.python_version()}")
    if found.number < OLDEST:
        yield Finding(
            "error",
            "server",
            f"PostgreSQL {found.version} is too old",
            "pgml needs PostgreSQL 15 or later.",
            ("pg_upgradecluster, or pg_upgrade to a later version",),
        )
    else:
        yield Finding("ok", "server", f'PostgreSQL {found.version}, database "{found.database}"')
    if found.is_standby:
        yield Finding(
            "warning",
            "standby",
            "this is a standby: it predicts, it cannot train",
            fix=("connect to the primary server to train",),
        )
    kind = "a superuser" if found.is_superuser else "an ordinary role"
    yield Finding("ok", "role", f'role "{found.role}", {kind}')
