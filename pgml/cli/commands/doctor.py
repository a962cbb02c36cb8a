"""``pgml doctor``."""

import sys
from collections.abc import Sequence

import click

from pgml.cli import output, progress
from pgml.cli.connection import Notices, session
from pgml.cli.diagnosis import examine
from pgml.cli.diagnosis.finding import Finding
from pgml.cli.options import Asked, command


@click.command("doctor")
@click.option(
    "--no-trial", is_flag=True, help="Leave out the trial, which trains a tiny model and is rolled back."
)
@command
def main(asked: Asked, no_trial: bool) -> int:
    """Say what of pgml is in a database, what is missing, and what to type.

    Nothing is changed: the trial at the end is rolled back. The exit code is 1 if there is an error.

    \b
    pgml doctor --dsn "host=db.example.com dbname=shop user=me"
    """
    notices = Notices(Asked(asked.dsn, quiet=True))
    with (
        progress.shown("examining", quiet=asked.quiet or asked.json) as bar,
        session(asked, notices) as client,
    ):
        findings = list(examine(client, notices, bar.describe, with_trial=not no_trial))
    levels = [finding.level for finding in findings]
    counts = {level: levels.count(level) for level in ("ok", "warning", "error")}
    if asked.json:
        output.write_json({"findings": [finding.as_json() for finding in findings], **counts})
    else:
        output.write(_text(findings) + _summary(counts))
    return 1 if counts["error"] else 0


def _text(findings: Sequence[Finding]) -> str:
    lines = []
    for finding in findings:
        level = output.coloured(finding.level, sys.stdout) + " " * (8 - len(finding.level))
        lines.append(f"{level} {finding.what}")
        lines += [f"         {line}" for line in finding.detail.splitlines()]
        label = "tip:" if finding.level == "ok" else "fix:"
        lines += [f"         {'    ' if at else label} {line}" for at, line in enumerate(finding.fix)]
    return "".join(f"{line}\n" for line in lines)


def _summary(counts: dict[str, int]) -> str:
    errors, warnings = counts["error"], counts["warning"]
    return f"\n{errors} error(s), {warnings} warning(s)\n"
