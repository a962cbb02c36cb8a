"""What databases that sqlglot writes for say in words of their own; plain data.

`{}` is the operand.
"""

from collections.abc import Mapping

NAMES = (
    "athena",
    "bigquery",
    "clickhouse",
    "databricks",
    "doris",
    "exasol",
    "fabric",
    "hive",
    "materialize",
    "oracle",
    "presto",
    "redshift",
    "risingwave",
    "singlestore",
    "snowflake",
    "spark",
    "starrocks",
    "teradata",
    "trino",
    "tsql",
)
"""What sqlglot calls them."""
KINS: Mapping[str, str] = {
    "athena": "trino",
    "presto": "trino",
    "databricks": "spark",
    "fabric": "tsql",
    "materialize": "risingwave",
    "starrocks": "doris",
}
"""Those that say what another says."""
WITHOUT_ARRAYS = frozenset({"doris", "exasol", "oracle", "redshift", "singlestore", "teradata", "tsql"})
"""Databases whose columns are no arrays, or whose elements are written otherwise."""
WITHOUT_TRUTHS = frozenset({"oracle", "teradata", "tsql"})
"""Databases in which a condition is no value."""
TEXT: Mapping[str, str] = {
    "tsql": '{} collate "Latin1_General_BIN2"',
    "singlestore": '{} collate "utf8mb4_bin"',
}
"""Texts, to be compared byte by byte; the others do by themselves."""
NAN: Mapping[str, str] = {
    "bigquery": "if(is_nan({0}), null, {0})",
    "clickhouse": "if(isNaN({0}), null, {0})",
    "hive": "nullif({}, cast('NaN' as double))",
    "oracle": "nanvl({}, null)",
    "redshift": "nullif({}, cast('NaN' as double precision))",
    "risingwave": "nullif({}, cast('NaN' as double precision))",
    "snowflake": "nullif({}, cast('NaN' as double))",
    "spark": "nullif({}, cast('NaN' as double))",
    "trino": "if(is_nan({0}), null, {0})",
}
"""A double, NULL for NaN; the others have no NaN."""
_DAYS = "datediff({}, '1970-01-01') * 86400e0"
SECONDS: Mapping[str, Mapping[str, str]] = {
    "bigquery": {
        "date": "unix_date({}) * 86400e0",
        "time without time zone": "time_diff({}, time '00:00:00', microsecond) / 1e6",
        "timestamp without time zone": "unix_micros(timestamp({})) / 1e6",
        "timestamp with time zone": "unix_micros({}) / 1e6",
    },
    "clickhouse": {
        "date": "toInt32({}) * 86400e0",
        "timestamp without time zone": "toUnixTimestamp64Micro({}) / 1e6",
        "timestamp with time zone": "toUnixTimestamp64Micro({}) / 1e6",
    },
    "doris": {"date": _DAYS},
    "hive": {"date": _DAYS},
    "oracle": {"date": "({} - date '1970-01-01') * 86400e0"},
    "redshift": {
        "date": "datediff(day, date '1970-01-01', {}) * 86400e0",
        "timestamp without time zone": "datediff(microsecond, timestamp '1970-01-01', {}) / 1e6",
        "timestamp with time zone": "datediff(microsecond, timestamptz '1970-01-01 00:00:00+00', {}) / 1e6",
    },
    "risingwave": {
        "date": "extract(epoch from {})",
        "time without time zone": "extract(epoch from {})",
        "timestamp without time zone": "extract(epoch from {})",
        "timestamp with time zone": "extract(epoch from {})",
    },
    "snowflake": {
        "date": "date_part(epoch_second, {}) * 1e0",
        "timestamp without time zone": "date_part(epoch_microsecond, {}) / 1e6",
        "timestamp with time zone": "date_part(epoch_microsecond, {}) / 1e6",
    },
    "spark": {
        "date": _DAYS,
        "timestamp without time zone": "unix_micros({}) / 1e6",
        "timestamp with time zone": "unix_micros({}) / 1e6",
    },
    "teradata": {"date": "({} - date '1970-01-01') * 86400e0"},
    "trino": {
        "date": "date_diff('day', date '1970-01-01', {}) * 86400e0",
        "timestamp without time zone": "to_unixtime({})",
        "timestamp with time zone": "to_unixtime({})",
    },
    "tsql": {
        "date": "datediff_big(second, '1970-01-01', {}) * 1e0",
        "time without time zone": "datediff_big(microsecond, cast('00:00' as time), {}) / 1e6",
        "timestamp without time zone": "datediff_big(microsecond, '1970-01-01', {}) / 1e6",
        "timestamp with time zone": "datediff_big(microsecond, '1970-01-01', {}) / 1e6",
    },
}
"""Epoch seconds, by the type of a column in PostgreSQL; of other types there are none, and an interval is a
number of seconds."""
