"""From a relation to a `Dataset`: as the caller, in one snapshot, columnar and in chunks."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pgml import columns
from pgml.columns import Column
from pgml.database.port import Database, DatabaseError, Row
from pgml.dataset import MISSING
from pgml.errors import InvalidValue, NotPermitted, UnknownColumn, UnknownRelation, name_list
from pgml.wire import DatasetWriter, SharedDataset

CHUNK_BYTES = 8 << 20
MOST_ROWS = 10_000
RELATION_KINDS = "rpvmf"
OUT_OF_RANGE = "22003"
SHOWN = 200
RELATION_HINT = "Give a table or view as SQL names it, with its schema if that is not in search_path."
MOST_COLUMNS = 1600
"""Entries of a row expression, with room for the category and array columns beside it."""


@dataclass(frozen=True)
class Relation:
    """A relation the caller can name.

    Attributes
    ----------
    oid : int
    name : str
        Qualified and quoted where needed; a temporary one goes by its bare name.
    columns : sequence of (name, type)
        Types as `pgml.columns.KINDS` writes them, or of a kind it does not know.
    """

    oid: int
    name: str
    columns: Sequence[tuple[str, str]]

    def column(self, name: str) -> Column:
        """Return a column that can be read.

        Raises
        ------
        UnknownColumn, WrongType
        """
        for known, type_name in self.columns:
            if known == name:
                return columns.checked(name, type_name)
        names = [known for known, _ in self.columns]
        raise UnknownColumn(
            f'column "{name}" does not exist in {self.name}', hint=f"Its columns are {name_list(names)}."
        )


@contextmanager
def search_path(database: Database, path: str) -> Iterator[None]:
    """Resolve and read as the caller would, then go back to the path that private functions have."""
    database.query("select pg_catalog.set_config('search_path', $1::text, true)", path)
    try:
        yield
    finally:
        database.query("select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)")


def find(database: Database, name: str) -> Relation | None:
    """Return the relation of a name, quoted or not, qualified or not; None if there is none."""
    for quoted in (False, True):
        oid = _oid(database, name, quoted)
        if oid is not None:
            return _described(database, oid)
    return None


def required(database: Database, name: str) -> Relation:
    """Return the relation of a name.

    Raises
    ------
    UnknownRelation
    """
    relation = find(database, name)
    if relation is None:
        raise UnknownRelation(
            f'relation "{name}" does not exist',
            hint=RELATION_HINT,
        )
    return relation


def read(database: Database, relation: Relation, wanted: Sequence[Column]) -> SharedDataset:
    """Return the columns of all rows the caller can see, in memory that can be handed over.

    Raises
    ------
    InvalidValue
        Arrays of one column differ in length, or there are too many columns.
    DatabaseError
        The caller may not read the relation, or it fails.
    """
    if len(wanted) > MOST_COLUMNS:
        raise InvalidValue(
            f"{relation.name} has {len(wanted)} columns, {MOST_COLUMNS} can be read",
            hint="Combine numbers of one kind into an array column.",
        )
    try:
        return _read(database, relation, [_measured(database, relation, column) for column in wanted])
    except DatabaseError as error:
        raise _explained(error, relation, wanted) from None


def _read(database: Database, relation: Relation, wanted: Sequence[Column]) -> SharedDataset:
    decoder = _Decoder(wanted)
    writer = DatasetWriter(wanted)
    chunk = max(100, min(MOST_ROWS, CHUNK_BYTES // (16 * max(1, sum(column.width for column in wanted)))))
    with closing(database.stream(f"select {decoder.select} from {relation.name}", chunk)) as chunks:
        for rows in chunks:
            writer.append(*decoder.decode(rows))
    return writer.finish(decoder.categories)


def _explained(error: DatabaseError, relation: Relation, wanted: Sequence[Column]) -> DatabaseError:
    """Return PostgreSQL's error with what to do about it, if it says nothing of that itself."""
    hint, message = error.hint, error.message
    if error.sqlstate == NotPermitted.sqlstate and not hint:
        hint = (
            f"All columns of {relation.name} are read: ask for select on them, or train on a view of fewer."
        )
    numerics = [column.name for column in wanted if column.type.startswith("numeric")]
    if error.sqlstate == OUT_OF_RANGE and numerics and not hint:
        hint = (
            f"Where {name_list(numerics)} of type numeric holds numbers beyond 1.8e308, "
            "turn them into NULL in a view."
        )
        message = message if len(message) <= SHOWN else f"{message[:20]}...{message[-80:]}"
    return DatabaseError(error.sqlstate, message, detail=error.detail, hint=hint)


class _Decoder:
    """The select list that sends columns as bytes, and the way back to arrays."""

    def __init__(self, wanted: Sequence[Column]) -> None:
        self._wanted = wanted
        self._scalars = [column for column in wanted if column.kind.shape == "number"]
        self._arrays = [column for column in wanted if column.kind.shape == "array"]
        self._texts = [column for column in wanted if column.is_category]
        self._known: list[dict[str | None, int]] = [{None: MISSING} for _ in self._texts]
        self._record = np.dtype(
            [
                ("count", ">i4"),
                ("values", [("oid", ">i4"), ("size", ">i4"), ("value", ">f8")], len(self._scalars)),
            ]
        )

    @property
    def select(self) -> str:
        """One record of all numbers with NULL as NaN, so that every row has one length; then the rest."""
        parts = []
        if self._scalars:
            numbers = ", ".join(f"coalesce({_sql(column)}, 'NaN')" for column in self._scalars)
            parts.append(f"pg_catalog.record_send(row({numbers})) as numbers")
        parts += [f"pg_catalog.array_send({_sql(column)}) as a{i}" for i, column in enumerate(self._arrays)]
        parts += [f"{_sql(column)} as t{i}" for i, column in enumerate(self._texts)]
        return ", ".join(parts)

    @property
    def categories(self) -> list[list[str]]:
        """The texts met so far, in code order."""
        return [[text for text in known if text is not None] for known in self._known]

    def decode(self, rows: Sequence[Row]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
        """Return the numbers and the codes of a chunk."""
        numbers = np.empty((len(rows), sum(c.width for c in self._wanted if not c.is_category)))
        codes = np.empty((len(rows), len(self._texts)), dtype=np.int32)
        if self._scalars:
            sent = np.frombuffer(b"".join([row["numbers"] for row in rows]), dtype=self._record)
            scalars = sent["values"]["value"]
        start = scalar = array = 0
        for column in self._wanted:
            if column.kind.shape == "number":
                numbers[:, start] = scalars[:, scalar]
                scalar += 1
            elif column.kind.shape == "array":
                numbers[:, start : start + column.width] = _arrays(column, [row[f"a{array}"] for row in rows])
                array += 1
            start += 0 if column.is_category else column.width
        for i, known in enumerate(self._known):
            name = f"t{i}"
            codes[:, i] = [known.setdefault(row[name], len(known) - 1) for row in rows]
        return numbers, codes


def _sql(column: Column) -> str:
    return column.kind.sql.format(_quoted(column.name))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _arrays(column: Column, sent: Sequence[bytes | None]) -> npt.NDArray[np.float64]:
    """Decode float8 arrays in PostgreSQL's binary form, flattened; a NULL is NaN throughout."""
    values = np.full((len(sent), column.width), np.nan)
    for row, data in enumerate(sent):
        if data is None:
            continue
        numbers = _array(data)
        if len(numbers) != column.width:
            raise InvalidValue(
                f'arrays in column "{column.name}" differ in length',
                detail=f"One has {column.width} numbers, another {len(numbers)}.",
                hint="Pad them to one length in the view.",
            )
        values[row] = numbers
    return values


def _array(data: bytes) -> npt.NDArray[np.float64] | list[float]:
    dimensions, has_null, _ = struct.unpack_from(">iii", data)
    start = 12 + 8 * dimensions
    if not has_null:
        pairs = np.frombuffer(data, dtype=[("size", ">i4"), ("value", ">f8")], offset=start)
        return np.asarray(pairs["value"], dtype=np.float64)
    numbers = []
    while start < len(data):
        (size,) = struct.unpack_from(">i", data, start)
        numbers.append(float("nan") if size < 0 else struct.unpack_from(">d", data, start + 4)[0])
        start += 4 + max(size, 0)
    return numbers


def _measured(database: Database, relation: Relation, column: Column) -> Column:
    """Return the column with the width of its arrays."""
    if column.kind.shape != "array":
        return column
    name = _quoted(column.name)
    rows = database.query(
        f"select pg_catalog.cardinality({name})::bigint as width"
        f" from {relation.name} where {name} is not null limit 1"
    )
    if rows and rows[0]["width"] == 0:
        raise InvalidValue(
            f'arrays in column "{column.name}" are empty', hint="Leave the column out of the view."
        )
    return replace(column, width=rows[0]["width"]) if rows else column


def _oid(database: Database, name: str, quoted: bool) -> int | None:
    argument = "pg_catalog.quote_ident($1::text)" if quoted else "$1::text"
    try:
        rows = database.query(f"select pg_catalog.to_regclass({argument})::oid::bigint as oid", name)
    except DatabaseError as error:
        if error.sqlstate == NotPermitted.sqlstate:
            error.hint = error.hint or "Ask for usage on the schema."
            raise
        if error.is_interrupt:
            raise
        return None
    oid: int | None = rows[0]["oid"]
    return oid


_DESCRIBE = """
with recursive typed as (
    select a.attnum, a.attname, a.atttypid as type
    from pg_catalog.pg_attribute a
    where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped
    union all
    select d.attnum, d.attname, t.typbasetype
    from typed d
    join pg_catalog.pg_type t on t.oid = d.type
    where t.typtype = 'd'
)
select
    d.attname::text as name,
    case t.typtype
        when 'e' then 'enum'
        when 'c' then 'composite ' || pg_catalog.format_type(t.oid, null)
        else pg_catalog.format_type(t.oid, null)
    end as type
from typed d
join pg_catalog.pg_type t on t.oid = d.type
where t.typtype <> 'd'
order by d.attnum
"""


def _described(database: Database, oid: int) -> Relation:
    (row,) = database.query(
        "select c.relname::text as name, c.relkind::text as kind, n.nspname::text as schema,"
        " n.oid = pg_catalog.pg_my_temp_schema() as temporary,"
        " pg_catalog.quote_ident(c.relname) as quoted, pg_catalog.quote_ident(n.nspname) as quoted_schema"
        " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where c.oid = $1::bigint::oid",
        oid,
    )
    if row["kind"] not in RELATION_KINDS:
        raise InvalidValue(f'"{row["name"]}" is no table or view', hint="Give a table or a view.")
    schema = "pg_temp" if row["temporary"] else row["quoted_schema"]
    described: list[tuple[str, str]] = [
        # format_type qualifies a name that something else hides in the caller's search_path.
        (column["name"], column["type"].removeprefix("pg_catalog."))
        for column in database.query(_DESCRIBE, oid)
    ]
    return Relation(oid, f"{schema}.{row['quoted']}", described)
