"""A spinner with the time that has passed, on a terminal and on stderr alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What is told while something takes its time.

    Attributes
    ----------
    describe : callable (text) -> None
        Says what goes on now.
    say : callable (text) -> None
        Writes a line to stderr without tearing the spinner.
    """

    describe: Callable[[str], None]
    say: Callable[[str], None]


def _line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


SILENT = Progress(lambda text: None, _line)
"""Where nobody watches."""


@contextmanager
def shown(text: str, *, quiet: bool) -> Iterator[Progress]:
    """Show that something goes on; nothing is shown in a pipe, or where it is to be quiet."""
    if quiet or not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield Progress(
            lambda now: bar.update(task, description=now),
            lambda said: console.print(said, markup=False, soft_wrap=True),
        )
