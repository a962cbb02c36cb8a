"""Names that can be written without quotes everywhere."""

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_RESERVED = """
all analyse analyze and any array as asc asymmetric at authorization binary between both by call case cast
change check collate collation column columns concurrently condition constraint continue convert create
cross cube current current_catalog current_date current_role current_schema current_time current_timestamp
current_user cursor database databases default deferrable delete desc describe distinct do double drop each
else elseif empty end escape except exists exit explain false fetch float for force foreign freeze from full
function grant group grouping groups having if ignore ilike in index initially inner inout insert int
integer intersect interval into is isnull iterate join key keys kill lag lambda last_value lateral lead
leading leave left like limit linear lines load localtime localtimestamp lock long loop match mod natural
not notnull nth_value ntile null numeric of offset on only optimize option or order out outer over overlaps
partition period pivot placing position primary procedure qualify range rank read real recursive references
regexp release rename repeat replace require restrict return returning revoke right rlike row row_number
rows schema select session_user set show similar smallint some sql starting symmetric system table
tablesample terminated then to trailing trigger true undo union unique unlock unpivot unsigned update usage
use user using utc_date value values variadic varying verbose virtual when where while window with write
xor zerofill
"""
RESERVED = frozenset(_RESERVED.split())
"""Reserved in PostgreSQL, SQLite, DuckDB, MySQL or MariaDB."""


def is_plain(name: str) -> bool:
    """Return whether a name needs no quotes."""
    return bool(_PLAIN.match(name)) and name not in RESERVED
