"""From a relation to a `Dataset`: as the caller, in one snapshot, columnar and in chunks."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from pgml import columns
from pgml.columns import Column
from pgml.database.port import Database, DatabaseError
from pgml.decoding import Decoder
from pgml.errors import InvalidValue, NotPermitted, UnknownColumn, UnknownRelation, name_list
from pgml.sqltext import identifier
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
    for as_it_is in (False, True):
        oid = _oid(database, name, as_it_is)
        if oid is not None:
            return _described(database, oid)
    return None


def required(database: Database, name: str | None) -> Relation:
    """Return the relation of a name; None is that of a project which has none of its own.

    Raises
    ------
    UnknownRelation
    """
    if name is None:
        raise UnknownRelation(
            "the project was imported and has no relation of its own",
            hint="Give relation_name, the table or view to read.",
        )
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
        raise explained(error, relation, wanted) from None


def _read(database: Database, relation: Relation, wanted: Sequence[Column]) -> SharedDataset:
    decoder = Decoder(wanted)
    writer = DatasetWriter(wanted)
    query = f"select {decoder.select} from {relation.name}"
    with closing(database.stream(query, chunk_rows(wanted))) as chunks:
        for rows in chunks:
            writer.append(*decoder.decode(rows))
    return writer.finish(decoder.categories)


def chunk_rows(wanted: Sequence[Column]) -> int:
    """Return how many rows to fetch at once."""
    return max(100, min(MOST_ROWS, CHUNK_BYTES // (16 * max(1, sum(column.width for column in wanted)))))


def primary_key(database: Database, relation: Relation) -> list[str]:
    """Return the columns of the primary key, in its order; none if there is none."""
    rows = database.query(
        "select a.attname::text as name from pg_catalog.pg_index i"
        " cross join pg_catalog.unnest(i.indkey::int[]) with ordinality k (attnum, n)"
        " join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum"
        " where i.indrelid = $1::bigint::oid and i.indisprimary order by k.n",
        relation.oid,
    )
    return [row["name"] for row in rows]


def explained(error: DatabaseError, relation: Relation, wanted: Sequence[Column]) -> DatabaseError:
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


def _measured(database: Database, relation: Relation, column: Column) -> Column:
    """Return the column with the width of its arrays."""
    if column.kind.shape != "array":
        return column
    name = identifier(column.name)
    rows = database.query(
        f"select pg_catalog.cardinality({name})::bigint as width"
        f" from {relation.name} where {name} is not null limit 1"
    )
    if rows and rows[0]["width"] == 0:
        raise InvalidValue(
            f'arrays in column "{column.name}" are empty', hint="Leave the column out of the view."
        )
    return replace(column, width=rows[0]["width"]) if rows else column


def _oid(database: Database, name: str, as_it_is: bool) -> int | None:
    argument = "pg_catalog.quote_ident($1::text)" if as_it_is else "$1::text"
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
