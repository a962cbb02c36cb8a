"""Functions of users that tell what predictions cost: found in the catalog, and called, as the caller."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from pgml import sql_cost
from pgml.database.port import Database, DatabaseError
from pgml.errors import InvalidValue, NotPermitted, PgmlError, UnknownObject, from_sqlstate
from pgml.sql_cost import Batch, Hands
from pgml.target import LabelKind

Form = Literal["aggregate", "arrays", "rows"]

NAMED = """
    select p.oid::bigint as oid
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where case
        when pg_catalog.strpos($1::text, '(') > 0
        then p.oid = pg_catalog.to_regprocedure($1::text)
        when pg_catalog.cardinality(pg_catalog.parse_ident($1::text)) = 1
        then p.proname = (pg_catalog.parse_ident($1::text))[1] and pg_catalog.pg_function_is_visible(p.oid)
        else p.proname = (pg_catalog.parse_ident($1::text))[2]
            and n.nspname = (pg_catalog.parse_ident($1::text))[1]
            and pg_catalog.cardinality(pg_catalog.parse_ident($1::text)) = 2
    end
"""
DESCRIBED = """
    with given as (
        select p.*, n.nspname, p.proargtypes[0] as first, p.proargtypes[1] as second
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where p.oid = any ($1::oid[])
    )
    select
        pg_catalog.format('%I.%I', g.nspname, g.proname) as call,
        pg_catalog.format('%I.%I(%s)', g.nspname, g.proname, (
            select pg_catalog.string_agg(pg_catalog.format_type(t.type, null), ', ' order by t.place)
            from pg_catalog.unnest(g.proargtypes) with ordinality t (type, place)
        )) as name,
        g.prokind::text as kind,
        g.pronargs::bigint as arguments,
        g.proretset as is_set,
        g.provariadic <> 0 as is_variadic,
        coalesce((select a.aggkind::text from pg_catalog.pg_aggregate a where a.aggfnoid = g.oid), 'n')
            as aggregate_kind,
        coalesce(pg_catalog.format_type(coalesce(nullif(r.typbasetype, 0), r.oid), null), '') as result,
        coalesce(pg_catalog.format_type(a.oid, null), '') as actual_type,
        coalesce(a.typcategory::text, '') as actual_category,
        coalesce(f.typelem <> 0 and f.typcategory = 'A', false) as actual_is_array,
        coalesce(pg_catalog.format_type(b.oid, null), '') as predicted_type,
        coalesce(b.typcategory::text, '') as predicted_category,
        coalesce(s.typelem <> 0 and s.typcategory = 'A', false) as predicted_is_array,
        coalesce(pg_catalog.format_type(coalesce(nullif(b.typbasetype, 0), b.oid), null), '')
            in ('double precision', 'real', 'numeric') as takes_fractions,
        pg_catalog.has_function_privilege(g.oid, 'execute') as is_executable,
        pg_catalog.has_schema_privilege(g.pronamespace, 'usage') as is_reachable
    from given g
    join pg_catalog.pg_type r on r.oid = g.prorettype
    left join pg_catalog.pg_type f on f.oid = g.first
    left join pg_catalog.pg_type a on a.oid = case when f.typcategory = 'A' then f.typelem else f.oid end
    left join pg_catalog.pg_type s on s.oid = g.second
    left join pg_catalog.pg_type b on b.oid = case when s.typcategory = 'A' then s.typelem else s.oid end
    order by 2
"""
RESULTS = ("double precision", "real", "numeric", "bigint", "integer", "smallint")


@dataclass(frozen=True)
class Candidate:
    """A function of the name that a user gave; see `DESCRIBED` for the attributes."""

    call: str
    name: str
    kind: str
    arguments: int
    is_set: bool
    is_variadic: bool
    aggregate_kind: str
    result: str
    actual_type: str
    actual_category: str
    actual_is_array: bool
    predicted_type: str
    predicted_category: str
    predicted_is_array: bool
    takes_fractions: bool
    is_executable: bool
    is_reachable: bool

    @property
    def form(self) -> Form | None:
        """How it is called; None for what is no cost, whatever is predicted."""
        arrays = self.actual_is_array + self.predicted_is_array
        plain = self.arguments == 2 and not self.is_set and not self.is_variadic and self.result in RESULTS
        if not plain or arrays == 1:
            return None
        if self.kind == "a":
            return "aggregate" if self.aggregate_kind == "n" and not arrays else None
        return None if self.kind != "f" else "arrays" if arrays else "rows"


@dataclass(frozen=True)
class CostFunction:
    """A function that tells what predictions cost.

    Attributes
    ----------
    candidate : Candidate
    written : str
        As the user wrote it.
    hands : Hands
    label_kind : str
        Of the target's labels.
    """

    candidate: Candidate
    written: str
    hands: Hands
    label_kind: LabelKind

    @property
    def name(self) -> str:
        """With its schema and the types of its arguments."""
        return self.candidate.name


def find(database: Database, path: str, written: str) -> list[Candidate]:
    """Return the functions that a name or a signature may mean, as the caller sees them on a search_path.

    Raises
    ------
    UnknownObject
        There is none.
    InvalidValue
        It is no name.
    NotPermitted
        The caller may execute none of them.
    """
    try:
        with _settings(database, path):
            oids = [row["oid"] for row in database.query(NAMED, written)]
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        hint = "Write it as app.my_cost, or app.my_cost(float8, float8)."
        raise from_sqlstate(
            error.sqlstate, f'cost function "{written}" cannot be looked up: {error.message}', hint=hint
        ) from None
    with _settings(database, "pg_catalog, pg_temp"):
        found = database.query(DESCRIBED, "{" + ",".join(map(str, oids)) + "}")
    every = [Candidate(**row) for row in found]
    if not every:
        raise UnknownObject(
            f'cost function "{written}" does not exist',
            hint="Create a function or an aggregate of (actual, predicted), or name its schema as well.",
        )
    usable = [each for each in every if each.is_executable and each.is_reachable]
    if not usable:
        what = "execute it" if not every[0].is_executable else "use its schema"
        raise NotPermitted(
            f'permission denied for cost function "{written}"',
            detail=f"You may not {what}: {every[0].name}.",
            hint="Ask its owner for grant execute on function, and usage on its schema.",
        )
    return usable


def costs(database: Database, path: str, function: CostFunction, batch: Batch) -> list[float]:
    """Return what predictions cost, for each model of a batch.

    Parameters
    ----------
    path : str
        The caller's search_path.

    Raises
    ------
    PgmlError
        The function fails, with its own SQLSTATE.
    InvalidValue
        It returns NULL, NaN or an infinity.
    DatabaseError
        The statement was cancelled.
    """
    actual, predicted = batch.actual.decode(), batch.predicted.decode()
    labels = "{" + ",".join(_quoted(label) for label in batch.labels) + "}"
    try:
        with _settings(database, path):
            rows = database.query(statement(function), actual, predicted, batch.rows, batch.count, labels)
    except DatabaseError as error:
        if error.is_interrupt:
            raise
        raise _failed(function, error) from None
    found = [row["cost"] for row in rows]
    for number, cost in enumerate(found):
        if cost is None or not isfinite(cost):
            raise _undefined(function, batch, number, cost)
    return found


@contextmanager
def _settings(database: Database, path: str) -> Iterator[None]:
    """Hold a search_path, and let no machine code be made of statements, which takes longer than all rows."""
    (before,) = database.query(
        "select pg_catalog.current_setting('search_path') as path, pg_catalog.current_setting('jit') as jit"
    )
    setting = (
        "select pg_catalog.set_config('search_path', $1::text, true),"
        " pg_catalog.set_config('jit', $2::text, true)"
    )
    database.query(setting, path, "off")
    try:
        yield
    finally:
        database.query(setting, before["path"], before["jit"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _failed(function: CostFunction, error: DatabaseError) -> PgmlError:
    message = f'cost function "{function.written}" failed: {error.message}'
    return from_sqlstate(error.sqlstate, message, error.detail, error.hint)


def _undefined(function: CostFunction, batch: Batch, number: int, cost: float | None) -> InvalidValue:
    # The mean over rows has NaN for NULL, as a mean would leave it out.
    shown = "NULL" if cost is None else "NaN" if cost != cost else "an infinite number"
    if function.candidate.form == "rows" and shown == "NaN":
        shown = "NULL or NaN"
    return InvalidValue(
        f'cost function "{function.written}" returned {shown}',
        detail=sql_cost.described(batch, function.hands, number),
        hint="Return a finite number for any predictions; coalesce and nullif help.",
    )


def statement(function: CostFunction) -> str:
    """Return a statement that gives a ``cost`` for each model of a batch, in their order.

    Its parameters are those of `Batch`: actual, predicted, rows, count, labels.
    """
    candidate = function.candidate
    coded = function.hands != "values"
    actual, predicted = "given.actual[i.i]", "given.predicted[s.s * $3::int + i.i]"
    first = f"given.labels_1[{actual}]" if coded else f"({actual})::{candidate.actual_type}"
    second = (
        f"given.labels_2[{predicted}]"
        if function.hands == "labels"
        else f"({predicted})::{candidate.predicted_type}"
    )
    rows = "from pg_catalog.generate_series(1, $3::int) i (i)"
    match candidate.form:
        case "aggregate":
            cost = f"select ({candidate.call}({first}, {second}))::float8 {rows}"
        case "rows":
            one = f"({candidate.call}({first}, {second}))::float8"
            cost = f"select pg_catalog.avg(coalesce({one}, 'NaN'::float8)) {rows}"
        case _:
            sides = [f"(select pg_catalog.array_agg({side} order by i.i) {rows})" for side in (first, second)]
            cost = f"select ({candidate.call}({', '.join(sides)}))::float8"
    kinds = [
        f"$5::text[]{_casts(function, candidate.actual_type, candidate.actual_category)} as labels_1",
        f"$5::text[]{_casts(function, candidate.predicted_type, candidate.predicted_category)} as labels_2",
    ]
    given = [
        f"$1::{'int[]' if coded else 'float8[]'} as actual",
        f"$2::{'int[]' if function.hands == 'labels' else 'float8[]'} as predicted",
        kinds[0] if coded else "$5::text[] as labels_1",
        kinds[1] if function.hands == "labels" else "$5::text[] as labels_2",
    ]
    return (
        f"with given as materialized (select {', '.join(given)})"
        f" select ({cost}) as cost from given, pg_catalog.generate_series(0, $4::int - 1) s (s) order by s.s"
    )


def _casts(function: CostFunction, kind: str, category: str) -> str:
    """Return the casts that make of texts of labels what a parameter takes."""
    if category != "N":
        return f"::{kind}[]"
    between = "::boolean[]::int[]" if function.label_kind == "boolean" else "::numeric[]"
    return f"{between}::{kind}[]"


def chosen(candidates: Sequence[Candidate], written: str, task: str, label_kind: LabelKind) -> CostFunction:
    """Return the one function that takes what is predicted.

    Parameters
    ----------
    label_kind : str
        Of the target's labels; ``number`` for regression.

    Raises
    ------
    InvalidValue
        None does, or several do.
    """
    fitting = [each for each in candidates if _hands(each, task, label_kind)]
    exact = [each for each in fitting if each.actual_category in FAMILIES[label_kind][:1]]
    usable = exact or fitting
    if len(usable) > 1:
        signatures = ", ".join(each.name for each in usable)
        raise InvalidValue(
            f'cost function "{written}" is not unique',
            detail=f"These take what is predicted: {signatures}.",
            hint=f"Give one with its types, such as {usable[0].name}.",
        )
    if not usable:
        wanted = (
            "two numbers, or two arrays of numbers"
            if task == "regression"
            else f"a label, a {label_kind}, and the predicted one or a probability, or of two arrays of them"
        )
        found = ", ".join(f"{each.name} returns {each.result or 'something else'}" for each in candidates)
        raise InvalidValue(
            f'cost function "{written}" does not take what {task} predicts',
            detail=f"There is {found}.",
            hint=f"It must be a function or an aggregate of {wanted}, which returns one number.",
        )
    hands = _hands(usable[0], task, label_kind)
    assert hands is not None
    return CostFunction(usable[0], written, hands, label_kind)


FAMILIES = {"text": "SE", "boolean": "BNS", "number": "NS"}
"""Categories of types that take labels, those of their own kind first."""


def _hands(candidate: Candidate, task: str, label_kind: LabelKind) -> Hands | None:
    """Return what of a prediction a function takes; None if it takes none, or is no cost."""
    if candidate.form is None:
        return None
    if task == "regression":
        return "values" if candidate.actual_category == candidate.predicted_category == "N" else None
    if candidate.actual_category not in FAMILIES[label_kind]:
        return None
    if candidate.takes_fractions:
        return "probabilities"
    return "labels" if candidate.predicted_category in FAMILIES[label_kind] else None
