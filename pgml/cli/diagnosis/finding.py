"""One thing that ``pgml doctor`` found."""

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What was found, and what to type about it.

    Attributes
    ----------
    check : str
        One word for machines.
    what : str
        One line.
    detail : str
        More lines, perhaps none.
    fix : tuple of str
        SQL or shell, a line each; the first that helps.
    """

    level: Level
    check: str
    what: str
    detail: str = ""
    fix: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields."""
        return {**vars(self), "fix": list(self.fix)}
