"""What the role of the session may do."""

from collections.abc import Iterator

from pgml.cli.diagnosis.finding import Finding
from pgml.cli.installation import Server
from pgml.database.psycopg_adapter import Client


def findings(client: Client, found: Server, there: str | None) -> Iterator[Finding]:
    """Yield what the role lacks, or that it lacks nothing."""
    role = f'"{found.role}"'
    if there is None:
        if not found.may_create and not (found.files and found.is_superuser):
            yield Finding(
                "error",
                "rights",
                f"role {role} may not create a schema in this database",
                fix=(f'grant create on database "{found.database}" to {role};',),
            )
        return
    (row,) = client.query(
        "select pg_catalog.has_schema_privilege('pgml', 'usage') as usage,"
        " (select count(*) from pg_catalog.pg_proc where pronamespace = n.oid"
        "  and not pg_catalog.has_function_privilege(oid, 'execute')) as refused,"
        " pg_catalog.pg_has_role(n.nspowner, 'usage') as owns"
        " from pg_catalog.pg_namespace n where n.nspname = 'pgml'"
    )
    if there == "managed":
        yield _of_owner(client, role, owns=row["owns"])
    elif not row["usage"] or row["refused"]:
        fix = [] if row["usage"] else [f"grant usage on schema pgml to {role};"]
        if row["refused"]:
            fix.append(f"grant execute on all functions in schema pgml to {role};")
        what = (
            "has no usage on schema pgml" if not row["usage"] else f"may not call {row['refused']} functions"
        )
        yield Finding("error", "rights", f"role {role} {what}", fix=tuple(fix))
    else:
        yield Finding("ok", "rights", f"role {role} may call every function of pgml")


def _of_owner(client: Client, role: str, *, owns: bool) -> Finding:
    if owns:
        return Finding("ok", "rights", f"role {role} owns schema pgml, and so may train")
    (row,) = client.query(
        "select pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(nspowner)) as owner"
        " from pg_catalog.pg_namespace where nspname = 'pgml'"
    )
    return Finding(
        "error",
        "rights",
        f"role {role} is no owner of schema pgml, so it cannot train",
        fix=(f"grant {row['owner']} to {role};",),
    )
