"""What every verb needs of the session it runs in."""

from dataclasses import dataclass, field
from pathlib import Path

from pgml.cache import Cache
from pgml.database.port import Database


@dataclass
class Session:
    """One session's database, loaded models, and where its child processes come from.

    Attributes
    ----------
    python : Path
        The interpreter that runs fits.
    """

    database: Database
    python: Path
    cache: Cache = field(default_factory=Cache)

    def caller(self) -> str:
        """Return the role whose rights hold now; no search_path can make it another."""
        role: str = self.database.query("select current_user::pg_catalog.text as role")[0]["role"]
        return role
