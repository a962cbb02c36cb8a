"""From typed columns to the numeric matrix a model takes: fitted once, used on every path.

`plan` reads what a user wants of each column, `fitting` learns an `Encoder` from the
training rows, and the other modules are its encodings, one kind of arithmetic each.
"""

from pgml.preprocessing.base import MOST_CATEGORIES, Encoding, Family, Matrix
from pgml.preprocessing.categories import CategoryEncoding, CodeEncoding, Keyed, OrdinalEncoding
from pgml.preprocessing.encoder import Encoder
from pgml.preprocessing.fitting import fit
from pgml.preprocessing.means import TargetEncoding
from pgml.preprocessing.numbers import NumberEncoding
from pgml.preprocessing.plan import ColumnPlan, checked

__all__ = [
    "MOST_CATEGORIES",
    "CategoryEncoding",
    "CodeEncoding",
    "ColumnPlan",
    "Encoder",
    "Encoding",
    "Family",
    "Keyed",
    "Matrix",
    "NumberEncoding",
    "OrdinalEncoding",
    "TargetEncoding",
    "checked",
    "fit",
]
