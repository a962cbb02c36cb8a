"""The name that a caller gives an object to create, taken apart as PostgreSQL does."""

from dataclasses import dataclass

from pgml.database.port import Database, DatabaseError


@dataclass(frozen=True)
class ObjectName:
    """A name.

    Attributes
    ----------
    text : str
        Quoted where needed; with its schema, or that of the caller's search_path where there is one.
    parts : int
        Names between dots; 0 where it is no name.
    schema : str or None
        The first schema of the caller's search_path that exists.
    """

    text: str
    parts: int
    schema: str | None


def read(database: Database, given: str) -> ObjectName:
    """Return a name as the present search_path has it."""
    try:
        (row,) = database.query(
            "select"
            " pg_catalog.string_agg(pg_catalog.quote_ident(p.part::name), '.' order by p.place) as name,"
            " pg_catalog.count(*) as parts, pg_catalog.quote_ident(pg_catalog.current_schema()) as schema"
            " from pg_catalog.unnest(pg_catalog.parse_ident($1::text)) with ordinality as p(part, place)",
            given,
        )
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        return ObjectName("", 0, None)
    name, parts, schema = row["name"], row["parts"], row["schema"]
    return ObjectName(f"{schema}.{name}" if parts == 1 and schema else name, parts, schema)
