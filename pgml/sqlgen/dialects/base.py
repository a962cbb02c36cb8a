"""What a dialect is: spellings, and what a database can take."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pgml.errors import NotBuilt
from pgml.sqlgen.dialects.words import is_plain
from pgml.sqlgen.expressions import Doubt, Feature


class Dialect(ABC):
    """The spelling of everything that databases spell differently.

    Attributes
    ----------
    name : str
    quote : str
        Around names.
    fence : str
        Ends a select that the database must not merge into the one around it, which would compute a column
        as often as it is used.
    depth : int
        How many symbols a parser may hold while it reads nested expressions; see `pgml.sqlgen.layers`.
    tree_depth : int
        How deeply the CASEs of a tree may be nested.
    looks_up : bool
        It has constant arrays in which an element is found at once.
    columns : int
        How many a select may have.
    chained : int
        How many layers may be entries of WITH, one after the other; more are selects within selects.
    repeated : mapping of str to int
        How often functions write their operand, where it is more than once; it is a column then.
    least, greatest : str
        Functions of two or more numbers.
    materialized : str
        Before the select of a table of constants: that it is to be made once.
    correlates_sources : bool
        A select in the ``from`` of a subquery may refer to the row that the subquery is for.
    keeps_constants : bool
        It looks for each constant of a statement among all before, in time that grows with their square.
    reads_arrays : bool
        Arrays can be read side by side with ``unnest``.
    orders_by_columns : bool
        A subquery may only order by columns of its source.
    """

    name: str
    quote: ClassVar[str] = '"'
    fence: ClassVar[str] = ""
    depth: ClassVar[int] = 300
    tree_depth: ClassVar[int] = 30
    columns: ClassVar[int] = 1000
    chained: ClassVar[int] = 10**6
    looks_up: ClassVar[bool] = False
    repeated: ClassVar[Mapping[str, int]] = {}
    least: ClassVar[str] = "least"
    greatest: ClassVar[str] = "greatest"
    materialized: ClassVar[str] = ""
    correlates_sources: ClassVar[bool] = False
    orders_by_columns: ClassVar[bool] = False
    reads_arrays: ClassVar[bool] = False
    keeps_constants: ClassVar[bool] = False

    def identifier(self, name: str) -> str:
        """Return a name, quoted where it has to be."""
        return name if is_plain(name) else self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    def text(self, value: str) -> str:
        """Return a text as a literal."""
        return "'" + value.replace("'", "''") + "'"

    def number(self, value: float, *, typed: bool = False, digits: int = 17) -> str:
        """Return a double as a literal.

        Parameters
        ----------
        value : float
            Finite.
        typed : bool
            Nothing beside it says that it is no decimal or integer.
        digits : int
            9 where a float32's will do.
        """
        shown = repr(value) if digits == 17 else shortest_single(value)
        return self.spelled(shown, typed)

    @abstractmethod
    def spelled(self, shown: str, typed: bool) -> str:
        """Return a literal from Python's spelling of a float."""

    def numbers(self, values: Sequence[float]) -> str:
        """Return an array of doubles."""
        return f"array[{', '.join(self.number(value) for value in values)}]"

    def threshold(self, value: float) -> str:
        """Return a number that values are compared with: the very double, however the database reads."""
        return self.number(value)

    @abstractmethod
    def feature(self, feature: Feature, source: str) -> str:
        """Return a column of the relation, written `source`, as a double, a text or an array of doubles.

        NULL where missing, but for the elements of an array.  Texts are compared byte by byte.
        """

    def filled(self, feature: Feature, source: str, other: str) -> str:
        """Return the same with something else in the place of NULL."""
        return f"coalesce({self.feature(feature, source)}, {other})"

    def subscripted(self, array: str, place: int) -> str:
        """Return an element of an array that `feature` wrote, from 1."""
        return f"{array}[{place}]"

    def number_of(self, element: str, feature: Feature) -> str:
        """Return an element as a double; NULL where missing."""
        return element

    def filled_number(self, element: str, feature: Feature, other: str) -> str:
        """Return the same with something else in the place of NULL."""
        return f"coalesce({self.number_of(element, feature)}, {other})"

    def looked_up(self, values: Sequence[str], place: str) -> str:
        """Return one of some doubles by its place, a whole number from 1, where a dialect `looks_up`."""
        cases = " ".join(f"when {at} then {value}" for at, value in enumerate(values, 1))
        return f"case {place} {cases} end"

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        """Return the conditions under which a column's value is none that the model takes.

        Each is false or NULL for values that it takes; without `Doubt.null` NULL is one of them.
        """
        return [f"{self.feature(doubt.feature, source)} is null"] if doubt.null else []

    def tokens(self, text: str, words: Sequence[str]) -> str:
        """Return a text as its words in lower case, a blank on each side of each word (NotBuilt).

        Parameters
        ----------
        text : str
            As SQL writes it.
        words : sequence of str
            Those of interest: letters that are in none of them may stay as they are.
        """
        raise NotBuilt(
            f'encoding "tfidf" cannot be written for {self.name}',
            hint="Write the model for postgres, or encode the text in another way in preprocess.",
        )

    def words(self, tokens: str, word: str) -> str:
        """Return how often a word is among `tokens`."""
        gone = f"replace({tokens}, {self.text(f' {word} ')}, '')"
        return f"(length({tokens}) - length({gone})) / {self.number(len(word) + 2, typed=True)}"

    def single(self, inner: str) -> str:
        """Return a double rounded to float32."""
        return f"cast(cast({inner} as real) as double precision)"

    def unmet(self, condition: str, inverse: str, operand: str) -> str:
        """Return that a comparison is not met, as it is not where its operand is NULL.

        Parameters
        ----------
        condition, inverse : str
            The comparison and its opposite.
        operand : str
        """
        return f"({condition}) is not true"

    def constants(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
        """Return a table of literals: the names behind its own, and its query."""
        listed = ",\n".join(f"({', '.join(row)})" for row in rows)
        return f"({', '.join(names)})", f"values\n{listed}"

    def finished(self, text: str) -> str:
        """Return a whole statement as it is handed out."""
        return text

    def function(self, op: str, inner: str) -> str:
        """Return a function of one number: exp, ln, sqrt, abs, floor, sin, cos, tanh."""
        return f"{op}({inner})"


def united(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of literals as a union of selects, which needs no VALUES."""
    first = ", ".join(f"{value} as {name}" for name, value in zip(names, rows[0], strict=True))
    return "\nunion all ".join(f"select {each}" for each in [first, *map(", ".join, rows[1:])])


def split(inner: str, factor: str) -> str:
    """Return a double rounded to float32 by arithmetic on doubles alone (Veltkamp).

    Parameters
    ----------
    inner : str
    factor : str
        2 ** 29 + 1.
    """
    return f"(({inner}) * {factor} - (({inner}) * {factor} - ({inner})))"


def exponential(shown: str) -> str:
    """Return a literal with an exponent, such as 1.5e0."""
    return shown if "e" in shown else f"{shown.removesuffix('.0')}e0"


def shortest_single(value: float) -> str:
    """Return the shortest decimal that is nearest to a float32, as Python spells floats."""
    import numpy as np

    single = np.float32(value)
    return repr(float(str(single))) if float(single) == value else repr(value)
