"""What ``pgml doctor`` looks at, one module a subject."""

from collections.abc import Callable, Iterator

from pgml.cli import installation
from pgml.cli.connection import Notices, kind
from pgml.cli.diagnosis import extension, managed, rights, servers, settings, trial
from pgml.cli.diagnosis.finding import Finding
from pgml.database.psycopg_adapter import Client


def examine(
    client: Client, notices: Notices, describe: Callable[[str], None], *, with_trial: bool
) -> Iterator[Finding]:
    """Yield what is found, from the server's version to a training that is rolled back.

    Parameters
    ----------
    describe : callable (text) -> None
        Told what goes on.

    Raises
    ------
    DatabaseError
        The connection is lost.
    """
    found = installation.server(client)
    there = kind(client)
    yield from servers.findings(found)
    if there == "managed":
        yield from managed.findings(client, found)
    else:
        yield from extension.findings(client, found)
    of_role = list(rights.findings(client, found, there))
    yield from of_role
    yield from settings.findings(client, there)
    if there is not None and with_trial and all(finding.level == "ok" for finding in of_role):
        describe("training a tiny model")
        yield trial.finding(client, notices, found, there)
