"""The command ``pgml``: what a shell says, for servers with the extension and for those without PL/Python."""

import sys


def run() -> None:
    """Run the command line; without its libraries, say how to install them."""
    try:
        from pgml.cli import program
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.stderr.write(
            "ERROR:  the command line of pgml is not installed\n"
            f"DETAIL:  Its library {error.name} is missing.\n"
            "HINT:  Install pgml with its extra cli: pip install '.[cli]' in a checkout.\n"
        )
        sys.exit(1)
    program.run()
