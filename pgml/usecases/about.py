"""What this installation is and can do."""

import platform
from importlib.metadata import distributions
from typing import Any

from pgml.algorithms import ALGORITHMS


def algorithms() -> list[dict[str, Any]]:
    """Return the registry, one object an algorithm."""
    return [
        {
            "algorithm": known.name,
            "tasks": list(known.tasks),
            "library": known.library,
            "parameters": {
                task: {each.name: each.as_json() for each in known.parameters(task)} for task in known.tasks
            },
            "serving": known.serving,
            "sql": known.serving == "onnx",
        }
        for known in ALGORITHMS.values()
    ]


def python_version() -> str:
    """Return the version of the running Python."""
    return platform.python_version()


def package_versions(directory: str) -> dict[str, str]:
    """Return the version of each package in a site-packages directory, by name."""
    return {found.metadata["Name"]: found.version for found in distributions(path=[directory])}
