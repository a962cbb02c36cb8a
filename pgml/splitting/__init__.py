"""Which rows are held back for testing, and which of the others are in turn."""

from pgml.splitting.choice import SplitLost, choose, test_rows
from pgml.splitting.folds import folds
from pgml.splitting.hashes import Hashes, Mask, data_hash, row_hashes
from pgml.splitting.sides import FEWEST_DISTINCT

__all__ = [
    "FEWEST_DISTINCT",
    "Hashes",
    "Mask",
    "SplitLost",
    "choose",
    "data_hash",
    "folds",
    "row_hashes",
    "test_rows",
]
