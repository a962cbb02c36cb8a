"""The fields of a document: what is given, what becomes of a missing value, and what is derived."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pgml.columns import Column
from pgml.exchange.pmml.elements import Element, Value

SECONDS = "seconds since 1970-01-01 00:00:00 UTC"
NOTES = {
    "date": f"a date, as {SECONDS} at its midnight",
    "time": "a time of day, as seconds since midnight",
    "timestamp": f"a timestamp, as {SECONDS} with its clock read as UTC",
    "timestamptz": f"a point in time, as {SECONDS}",
    "interval": "a duration in seconds; a day has 86400, a month 30 days, a year 365.25",
}
"""How a value reaches the model, by `pgml.columns.Kind.temporal`."""
TEXTS = {"character": "a text without blanks at its end", "uuid": "a uuid as lower case with hyphens"}
"""The same by type."""


@dataclass(frozen=True)
class Input:
    """A field that is given.

    Attributes
    ----------
    name : str
    kind : str
        ``string``, ``boolean``, ``float`` or ``double``.
    known : sequence of str
        Texts the model knows; it takes others too, unless `listed`.
    fill : str, float or None
        What a missing value is taken for.
    refuses : bool
        A missing value is an error.
    listed : bool
        So is a text that is not known.
    note : str
    """

    name: str
    kind: str
    known: Sequence[str] = ()
    fill: str | float | None = None
    refuses: bool = False
    listed: bool = False
    note: str = ""

    def declared(self) -> Element:
        """Return its place in the data dictionary."""
        continuous = self.kind in ("float", "double")
        given: dict[str, Value] = {"name": self.name, "optype": "continuous" if continuous else "categorical"}
        inside = [Element("Extension", {"name": "values", "value": self.note})] if self.note else []
        inside += [Element("Value", {"value": each}) for each in self.known]
        return Element("DataField", given | {"dataType": self.kind}, inside)

    def used(self) -> Element:
        """Return its place in the model's schema."""
        given: dict[str, Value] = {"name": self.name}
        if self.kind == "string":
            given["invalidValueTreatment"] = "returnInvalid" if self.listed else "asIs"
        if self.refuses:
            given["missingValueTreatment"] = "returnInvalid"
        elif self.fill is not None:
            given |= {"missingValueReplacement": self.fill, "missingValueTreatment": "asValue"}
        return Element("MiningField", given)


@dataclass(frozen=True)
class Source:
    """A number that the model takes.

    Attributes
    ----------
    field : str
        The field that holds it, given or derived.
    nullable : bool
        It may be missing.
    """

    field: str
    nullable: bool


@dataclass
class Fields:
    """All fields of a document.

    Attributes
    ----------
    taken : set of str
        Names that no derived field may have.
    inputs : list of Input
    """

    taken: set[str]
    inputs: list[Input] = field(default_factory=list)
    _derived: dict[str, tuple[Element, tuple[str, ...]]] = field(default_factory=dict)

    def derive(self, name: str, expression: Element, of: Iterable[str], *, kind: str = "double") -> str:
        """Add a derived field and return its name.

        Parameters
        ----------
        name : str
            Wanted; a number is added where it is taken.
        expression : Element
        of : iterable of str
            The fields it is made of.
        kind : str
            ``double`` or ``string``.
        """
        name = self.free(name)
        given: dict[str, Value] = {
            "name": name,
            "optype": "continuous" if kind == "double" else "categorical",
            "dataType": kind,
        }
        self._derived[name] = Element("DerivedField", given, [expression]), tuple(of)
        return name

    def free(self, name: str) -> str:
        """Return a name that was not taken, and take it."""
        own, count = name, 1
        while own in self.taken:
            count += 1
            own = f"{name} ({count})"
        self.taken.add(own)
        return own

    def derived(self, used: Iterable[str]) -> list[Element]:
        """Return the derived fields that these and one another need, in order."""
        needed = set(used)
        for name, (_, of) in reversed(self._derived.items()):
            if name in needed:
                needed.update(of)
        return [element for name, (element, _) in self._derived.items() if name in needed]


def note(column: Column) -> str:
    """Return what a column's values are; nothing where that needs no words."""
    return TEXTS.get(column.type) or NOTES.get(column.kind.temporal or "", "")
