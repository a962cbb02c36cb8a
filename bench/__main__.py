"""Measure pgml beside what a user would do instead, and write docs/benchmarks.md.

``python -m bench [case ...] [--quick]``: all cases without names; only a run of all of
them, at full size, writes the page.
"""

import argparse
import os

from bench import report, server
from bench.case import Finding
from bench.cases import CASES
from bench.process import ROOT

COMMAND = "make bench"
PAGE = ROOT / "docs" / "benchmarks.md"
ROWS, ROUNDS = 1_000_000, 5
QUICK_ROWS, QUICK_ROUNDS = 20_000, 2


def main() -> None:
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("case", nargs="*", choices=[[], *CASES], help="all, if none is named")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds: only to see that it works")
    given = parser.parse_args()
    cases = [CASES[name] for name in given.case or CASES]
    rows, rounds = (QUICK_ROWS, QUICK_ROUNDS) if given.quick else (ROWS, ROUNDS)
    load = os.getloadavg()[0]
    found: dict[str, list[Finding]] = {}
    with server.started(rows, rounds) as running:
        for case in cases:
            print(f"{case.name}: {case.what}", flush=True)
            found[case.name] = list(case.run(running))
            print(report.text(found[case.name]), flush=True)
        if not given.case and not given.quick:
            PAGE.write_text(report.page(COMMAND, running, cases, found, load))
            print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
