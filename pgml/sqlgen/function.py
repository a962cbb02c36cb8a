"""A model as a PostgreSQL function whose parameters are its features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pgml.columns import Column
from pgml.errors import DuplicateColumn, TooLarge
from pgml.sqlgen import layers
from pgml.sqlgen.compiler import Compiled, planned
from pgml.sqlgen.dialects.postgres import Exact, Postgres
from pgml.sqlgen.dialects.words import is_plain
from pgml.sqlgen.expressions import Expr, Table
from pgml.sqlgen.layers import Plan
from pgml.sqlgen.writing import statement
from pgml.sqlgen.writing.rendering import Renderer
from pgml.sqltext import identifier, literal

MOST_PARAMETERS = 100
"""Of a function in PostgreSQL as it is usually built."""
SHOWN_AS = {"enum": "text"}
"""Types of parameters for those of columns that are no type by themselves."""
CHANGING = frozenset({"timestamp with time zone"})
"""Types whose turning into a number PostgreSQL calls stable only."""
_KEYWORDS = """
authorization begin between bigint binary bit boolean char character close coalesce collation concurrently
continue cross current_schema dec decimal declare execute exists exit extract foreach freeze full get greatest
grouping ilike inner inout int integer interval into is isnull join json json_array json_arrayagg json_exists
json_object json_objectagg json_query json_scalar json_serialize json_table json_value least left like
merge_action national natural nchar none normalize notnull null nullif numeric open or out outer over overlaps
overlay perform position precision raise real return right row setof similar smallint strict substring
tablesample time timestamp treat trim using values varchar verbose when xmlattributes xmlconcat xmlelement
xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Plain names that cannot be those of parameters, or mean something to PL/pgSQL, beside the reserved ones."""
SPOKEN_FOR = ("found", "sqlstate", "sqlerrm")
"""Variables that PL/pgSQL has already."""
VECTOR = "float8[]"
LOOSE = frozenset({"tokens", "words", "element", "aggregate", "nth"})
"""What is written with functions that take any type, or with operators of two types."""
TYPES = {"number": "float8", "whole": "integer", "text": "text", "truth": "boolean", "array": "float8[]"}
"""Of variables, by the kind of what they hold."""


@dataclass(frozen=True)
class Function:
    """A function before it has a name.

    Attributes
    ----------
    parameters : sequence of (name, type)
    results : sequence of (name, type)
        One without a name is what it returns; others are parameters it writes.
    language : str
    body : str
        ``return …`` or the text of PL/pgSQL.
    volatility : str
    pinned : bool
        It sets search_path, as its body calls what PostgreSQL would look for in all schemas.
    """

    parameters: Sequence[tuple[str, str]]
    results: Sequence[tuple[str, str]]
    language: str
    body: str
    volatility: str
    pinned: bool

    @property
    def signature(self) -> str:
        """The types of its parameters."""
        return ", ".join(type_ for _, type_ in self.parameters)

    def created(self, name: str, *, replaced: bool) -> str:
        """Return the statement that creates it under a name, as SQL writes it."""
        given = [f"{word(own)} {type_}" for own, type_ in self.parameters]
        given += [f"out {word(own)} {type_}" for own, type_ in self.results if own]
        lines = [
            f"create {'or replace ' if replaced else ''}function {name}(\n    {f',{_NEXT}'.join(given)}\n)",
            *(f"returns {type_}" for own, type_ in self.results if not own),
            f"language {self.language}",
            self.volatility,
            "parallel safe",
        ]
        if self.language == "plpgsql":
            lines += ["set search_path = pg_catalog, pg_temp"] if self.pinned else []
            lines.append(f"as {literal(self.body)}")
        else:
            lines.append(self.body)
        return "\n".join(lines)

    def asked(self, name: str, outputs: Sequence[str], relation: str, key: str) -> str:
        """Return a query that gives a key and the outputs for each row of a relation of the features."""
        given = ", ".join(f"{identifier(own)}::{CASTS.get(type_, type_)}" for own, type_ in self.parameters)
        if len(self.results) > 1:
            listed = ", ".join(f"answer.{identifier(own)}" for own in outputs)
            return f"select {key}, {listed} from {relation} cross join lateral {name}({given}) as answer"
        if self.results[0][1] != VECTOR:
            return f"select {key}, {name}({given}) as {identifier(outputs[0])} from {relation}"
        listed = ", ".join(f"answer[{at}] as {identifier(own)}" for at, own in enumerate(outputs, 1))
        rows = f"select {key}, {name}({given}) as answer from {relation} {Postgres.fence}"
        return f"select {key}, {listed} from ({rows}) as answered"


_NEXT = "\n    "
CASTS = {"character": "bpchar"}
"""As a cast, ``character`` is a single one."""


def word(name: str) -> str:
    """Return the name of a parameter or a variable, quoted where it has to be."""
    return name if is_plain(name) and name not in KEYWORDS else identifier(name)


def function(model: Compiled, columns: Sequence[Column], *, vector: bool) -> Function:
    """Return a model as a function.

    Parameters
    ----------
    model : Compiled
    columns : sequence of Column
        Its features, in the order of its parameters.
    vector : bool
        The outputs are numbers that are returned as one array.

    Raises
    ------
    TooLarge
        It has more features than a function has parameters.
    DuplicateColumn
        An output is called like a feature.
    """
    if len(columns) > MOST_PARAMETERS:
        raise TooLarge(
            f"the model has {len(columns)} features, a function {MOST_PARAMETERS} parameters at most",
            hint="Call pgml.create_sql_view or pgml.to_sql, or combine numbers into an array column.",
        )
    names = {column.name for column in columns}
    results = _results(model.outputs, vector=vector)
    if taken := [name for name in model.outputs if name in names]:
        raise DuplicateColumn(
            f'feature "{taken[0]}" has the name of an output',
            hint="Train on a view that gives it another name.",
        )
    dialect = Exact()
    spelled = [replace(column, type=SHOWN_AS.get(column.type, column.type)) for column in columns]
    tables = model.reading.tables
    plan = planned(model, dialect, [*names, *SPOKEN_FOR, *(name for name, _ in results)])
    pinned = bool(tables) or any(expr.op in LOOSE for expr in layers.ordered(model.outputs.values()))
    if tables:
        language, body = "plpgsql", _selecting(plan, tables, dialect, columns, results)
    elif not plan.layers and len(results) == 1:
        renderer = Renderer(Postgres(), {}, word)
        language, body = "sql", f"return {_value(plan, renderer, vector=vector)}"
    else:
        language, body = "plpgsql", _stepwise(plan, dialect, columns, results)
    volatility = "stable" if any(column.type in CHANGING for column in columns) else "immutable"
    parameters = [(each.name, each.type) for each in spelled]
    return Function(parameters, results, language, body, volatility, pinned)


def _results(outputs: Mapping[str, Expr], *, vector: bool) -> list[tuple[str, str]]:
    if vector:
        return [("", VECTOR)]
    types = [(name, "text" if expr.kind == "text" else "float8") for name, expr in outputs.items()]
    return [("", types[0][1])] if len(types) == 1 else types


def _value(plan: Plan, renderer: Renderer, *, vector: bool) -> str:
    values = list(map(renderer.sql, plan.outputs.values()))
    return f"array[{', '.join(values)}]::{VECTOR}" if vector else values[0]


def _stepwise(
    plan: Plan, dialect: Postgres, columns: Sequence[Column], results: Sequence[tuple[str, str]]
) -> str:
    """Return a body that computes one step after another."""
    # Variables of PL/pgSQL's own hide parameters.
    hidden = {column.name: f"${at}" for at, column in enumerate(columns, 1) if column.name in SPOKEN_FOR}
    names = {at: word(name) for at, name in plan.names.items()}
    renderer = Renderer(dialect, names, lambda name: hidden.get(name) or word(name))
    steps = list(plan.steps)
    # What is both a step and an output is a parameter already.
    written = {name for name, _ in results}
    declared = [each for each in steps if each[0] not in written]
    lines = ["declare"] if declared else []
    lines += [f"    {word(name)} {TYPES[expr.kind]};" for name, expr in declared]
    lines.append("begin")
    lines += [f"    {word(name)} := {renderer.computed(expr)};" for name, expr in steps]
    if len(results) == 1:
        lines.append(f"    return {_value(plan, renderer, vector=results[0][1] == VECTOR)};")
    else:
        assigned = [(word(name), renderer.sql(expr)) for name, expr in plan.outputs.items()]
        lines += [f"    {name} := {value};" for name, value in assigned if name != value]
    return "\n" + "\n".join([*lines, "end"]) + "\n"


def _selecting(
    plan: Plan,
    tables: Sequence[Table],
    dialect: Postgres,
    columns: Sequence[Column],
    results: Sequence[tuple[str, str]],
) -> str:
    """Return a body that asks one statement, as what looks through tables of constants has to."""
    given = ", ".join(f"${at} as {identifier(column.name)}" for at, column in enumerate(columns, 1))
    asked = statement.select(plan, tables, dialect, f"(select {given}) as given", [])
    outputs = [f"answer.{identifier(name)}" for name in plan.outputs]
    if len(results) == 1:
        whole = results[0][1] == VECTOR
        value = f"array[{', '.join(outputs)}]::{VECTOR}" if whole else outputs[0]
        answer = f"    return (select {value} from (\n{asked}\n) as answer);"
    else:
        into = ", ".join(word(name) for name, _ in results)
        answer = f"    select {', '.join(outputs)} into {into} from (\n{asked}\n) as answer;"
    return f"\n#variable_conflict use_column\nbegin\n{answer}\nend\n"
