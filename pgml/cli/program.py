"""The program: finds the command, and makes of whatever happens a message and an exit code."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from types import FrameType

import click

from pgml.cli import output
from pgml.cli.options import Asked
from pgml.cli.output import OutputClosed
from pgml.cli.secrets import masked
from pgml.errors import PgmlError

FAILED, MISUSED, UNREACHABLE, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 130, 141
"""Exit codes; 128 and a signal's number where one ended the program, as shells have it."""
COMMANDS = {
    "doctor": ("doctor", "Say what is there, what is missing, and what to type"),
    "install": ("install", "Install pgml in a database, or bring it up to date"),
    "uninstall": ("uninstall", "Remove pgml from a database"),
    "train": ("train", "Fit a model, and deploy it if it is better"),
    "predict": ("predict", "Predict rows of a file or a relation"),
    "models": ("models", "List projects, or the models of one"),
    "deploy": ("deploy", "Make another model live"),
    "drop": ("drop", "Drop a project or a model"),
    "export": ("export_model", "Write a model as ONNX, PMML or a file of pgml"),
    "import": ("import_model", "Store a model of another tool"),
    "to-sql": ("to_sql", "Write a model as one SQL statement"),
    "plot": ("plot", "Draw a figure of a model as SVG"),
    "report": ("report", "Write a page about a model as HTML"),
}
"""The commands, in the order of the help, each with its module, imported to be run, and a line of help."""


class Stopped(KeyboardInterrupt):
    """A signal asks to end; like Ctrl-C, so that what runs on the server is cancelled."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Program(click.Group):
    """Imports a command's module when it is asked for, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"pgml.cli.commands.{COMMANDS[cmd_name][0]}").main
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(version("pgml"), message="pgml %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Machine learning inside PostgreSQL, from the shell.

    \b
    pgml doctor                                  what is there, and what is missing
    pgml install                                 the extension, or what a managed server allows
    pgml train app.customers churned             fit a model, deploy it if it is better
    pgml predict app.customers -f new.csv        predictions of the rows of a file

    Connects as psql does: --dsn, or PGHOST, PGDATABASE, PGSERVICE and the like.
    """
    ctx.ensure_object(Asked)


def main(arguments: Sequence[str]) -> int:
    """Run the program; return its exit code.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    """
    asked = Asked(json="--json" in arguments, debug="--debug" in arguments)
    try:
        code = program.main(list(arguments), prog_name="pgml", standalone_mode=False, obj=asked)
        return code if isinstance(code, int) else 0
    except OutputClosed:
        return PIPE_CLOSED
    except click.exceptions.NoArgsIsHelpError as error:
        output.write(f"{error.format_message()}\n")
        return MISUSED
    except click.ClickException as error:
        return _misused(asked, error)
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(asked, error)
    except PgmlError as error:
        return _failed(asked, error, arguments)
    except Exception as error:  # noqa: BLE001 - the edge of the process: a bug is reported as an error too
        hint = "" if asked.debug else "This is a bug in pgml: run it with --debug, and report what it prints."
        failure = PgmlError(f"{type(error).__name__}: {error}", hint=hint)
        failure.sqlstate = "XX000"
        return _failed(asked, failure, arguments, error)


def _misused(asked: Asked, error: click.ClickException) -> int:
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "pgml"
    failure = PgmlError(message[:1].lower() + message[1:], hint=f'Say "{path} --help" for its options.')
    failure.sqlstate = "22023"
    _print(asked, failure, asked.dsn)
    return MISUSED


def _interrupted(asked: Asked, error: BaseException) -> int:
    stopped = next((one for one in (error, error.__context__) if isinstance(one, Stopped)), None)
    failure = PgmlError("interrupted")
    failure.sqlstate = "57014"
    _print(asked, failure, asked.dsn)
    return 128 + stopped.number if stopped else INTERRUPTED


def _failed(
    asked: Asked, error: PgmlError, arguments: Sequence[str], cause: BaseException | None = None
) -> int:
    dsn = asked.dsn or _dsn_of(arguments)
    if asked.debug:
        output.say(masked("".join(traceback.format_exception(cause or error)).rstrip(), dsn))
    _print(asked, error, dsn)
    is_unreachable = type(error).__name__ == "ConnectionFailed" or error.sqlstate.startswith("08")
    return UNREACHABLE if is_unreachable else FAILED


def _dsn_of(arguments: Sequence[str]) -> str:
    """Return the connection string, for an error that came before it was read."""
    following = zip(arguments, [*arguments[1:], ""], strict=True)
    return next(
        (
            after if word == "--dsn" else word.removeprefix("--dsn=")
            for word, after in following
            if word == "--dsn" or word.startswith("--dsn=")
        ),
        "",
    )


def _print(asked: Asked, error: PgmlError, dsn: str) -> None:
    # PL/Python writes the name of an exception's class before its message.
    fields = (error.message.removeprefix("pgml: "), error.detail, error.hint)
    message, detail, hint = (masked(text, dsn) for text in fields)
    try:
        if asked.json:
            shown = PgmlError(message, detail=detail, hint=hint)
            shown.sqlstate = error.sqlstate
            output.write_json(output.as_json(shown))
        else:
            output.say(output.report(message, detail, hint))
    except (OutputClosed, BrokenPipeError):
        pass


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def run() -> None:
    """Run the program as the console script does, and end the process."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE_CLOSED
    if code == PIPE_CLOSED:
        # Python flushes once more as it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
