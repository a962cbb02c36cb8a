"""Files that other tools write, as tests of readers want them.

The tools are in an environment of their own, too large and too slow to import for the tests'.  The scripts
of this directory run in it, called with a directory into which they write what they make.
"""

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATIENCE = 280.0
"""Seconds a script may take, less than a test may."""
Written = Callable[[str], Path]


def interpreter() -> Path:
    """Return the Python of the environment: ``PGML_FRAMEWORKS``, else the checkout's own."""
    return Path(os.environ.get("PGML_FRAMEWORKS") or ROOT / ".venv-frameworks/bin/python")


@pytest.fixture(scope="session")
def frameworks() -> Path:
    """The Python that has Keras, PyTorch, scikit-learn, XGBoost, LightGBM and their ways to ONNX."""
    python = interpreter()
    if not python.is_file():
        pytest.fail(
            f'there is no {python}: "make frameworks" installs it, '
            "or PGML_FRAMEWORKS names the Python of another that has requirements/frameworks.txt",
            pytrace=False,
        )
    return python


@pytest.fixture(scope="session")
def written(
    frameworks: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Written:
    """A function from the name of a script here to the directory of what it wrote, once in a test session."""
    base = tmp_path_factory.getbasetemp()
    # The processes of one session have their directories side by side.
    shared = base.parent if hasattr(request.config, "workerinput") else base

    def directory_of(script: str) -> Path:
        directory = shared / f"written-by-{script}"
        directory.mkdir(exist_ok=True)
        with (directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = directory / ".done"
            if not done.exists():
                run(frameworks, script, directory)
                done.touch()
        return directory

    return directory_of


def run(python: Path, script: str, directory: Path) -> None:
    """Run a script of this directory in the environment of the tools.

    Raises
    ------
    RuntimeError
        It fails, with what it printed.
    """
    # Keras writes its settings beside other files of the user, unless told where.
    own = {"KERAS_BACKEND": "torch", "KERAS_HOME": str(directory), "PYTHONHASHSEED": "0"}
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PGML_"))}
    done = subprocess.run(
        [python, HERE / f"{script}.py", directory],
        capture_output=True,
        text=True,
        env=bare | own,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script}.py failed:\n{done.stdout}{done.stderr}")
