"""What a run found, as tables of text and of Markdown."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from bench.case import Case, Comparison, Finding
from bench.server import Server

LIBRARIES = (
    "numpy",
    "onnxruntime",
    "scikit-learn",
    "xgboost-cpu",
    "psycopg",
    "pandas",
    "fastapi",
    "uvicorn",
    "sqlite-ml",
)
QUIET = 0.5
"""Load average up to which a machine is idle."""
HEAD = ("pgml", "", "beside", "", "ratio", "goal")
Found = Mapping[str, Sequence[Finding]]
"""By the case's name."""


def text(findings: Sequence[Finding]) -> str:
    """Return the findings of one case for a terminal."""
    lines = []
    for finding in findings:
        if isinstance(finding, str):
            lines.append(f"  {finding}")
        else:
            ours, theirs, ratio, goal = _numbers(finding)
            lines.append(
                f"  {finding.what}: {ours}\n    {finding.against}: {theirs}; ratio {ratio} {goal}".rstrip()
            )
    return "\n".join(lines)


def page(command: str, server: Server, cases: Sequence[Case], found: Found, load: float) -> str:
    """Return docs/benchmarks.md; `load` is the load average before the run."""
    parts = [_INTRODUCTION.format(command=command, rounds=server.rounds), _environment(server, load)]
    for case in cases:
        parts.append(f"## {case.name}\n\n{case.what}")
        rows = [finding for finding in found[case.name] if not isinstance(finding, str)]
        if rows:
            parts.append(_table(rows))
        parts += [finding for finding in found[case.name] if isinstance(finding, str)]
    return "\n\n".join(parts) + "\n"


def digits(value: float) -> str:
    """Return a number with as many digits as a noisy measurement deserves."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value >= 100 else f"{value:.2g}"


_INTRODUCTION = """# Benchmarks

Made by `{command}`, which does its own set-up and writes this page. Each side runs {rounds} times, in turns
with what it is compared with, after a warm-up; the figures are medians, and a ratio is the median of the
rounds' ratios, pgml to the other. Everything runs on one machine, clients included."""


def _environment(server: Server, load: float) -> str:
    day = datetime.now(UTC).date()
    postgres = server.value("show server_version").split()[0]
    kernel = platform.release().split("-")[0]
    lines = [
        f"| date | {day} |",
        f"| machine | {_processor()}, {os.cpu_count()} cores, {_memory_gb()} GB, Linux {kernel} |",
        f"| load before the run | {load:.1f}{_warning(load)} |",
        f"| server | PostgreSQL {postgres}, {_settings(server)} |",
        f"| libraries | Python {platform.python_version()}, {_libraries()} |",
    ]
    return "\n".join(["| | |", "|---|---|", *lines])


def _warning(load: float) -> str:
    if load <= QUIET:
        return ""
    return ": the machine was busy, and what uses several threads suffers most, so train shows little"


def _settings(server: Server) -> str:
    names = ("shared_buffers", "jit", "max_parallel_workers_per_gather", "fsync", "autovacuum")
    return ", ".join(f"{name} {server.value(f'show {name}')}" for name in names)


def _libraries() -> str:
    installed = {distribution.name: distribution.version for distribution in distributions()}
    named = [name for name in LIBRARIES if name in installed]
    return ", ".join(f"{name.removesuffix('-cpu')} {installed[name]}" for name in named)


def _processor() -> str:
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0] if names else platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _table(rows: Sequence[Comparison]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", "|---|--:|---|--:|--:|---|"]
    for row in rows:
        ours, theirs, ratio, goal = _numbers(row)
        lines.append(f"| {row.what} | {ours} | {row.against} | {theirs} | {ratio} | {goal} |")
    return "\n".join(lines)


def _numbers(row: Comparison) -> tuple[str, str, str, str]:
    goal = "" if row.goal is None else f"{row.goal}{', missed' if row.missed else ''}"
    return f"{digits(row.ours)} {row.unit}", f"{digits(row.theirs)} {row.unit}", f"{row.ratio:.2f}", goal
