"""Who may do what with a project: the SQL that store's queries share, and the rows of pgml.grants.

What a role may do is defined by the view pgml._rights alone.  Like store, all of it
runs with the rights of the extension's owner, to whom that view shows every role.
"""

from pgml.database.port import Database
from pgml.errors import NotPermitted

PRIVILEGES = ("predict", "manage")
"""What can be granted; each implies those before it, and all are implied by being the owner."""
_LEVELS = (*PRIVILEGES, "own")

# The most that the caller, $1, may do with project p, or null, and since when.
HELD = """
    cross join lateral (
        select case when bool_or(x.privilege = 'own') then 'own'
            when bool_or(x.privilege = 'manage') then 'manage'
            when bool_or(x.privilege = 'predict') then 'predict' end as privilege,
            min(x.since) filter (where x.holder <> 'public') as since, min(x.since) as public_since
        from pgml._rights x
        where x.role = $1::name and x.project_id = p.id
    ) h
"""
# The older of two grants comes first, so that nobody changes what a name means by a grant of his own.
OWN_FIRST = """
    order by (p.owner = $1::name) desc, (h.privilege = 'own') desc,
        h.since nulls last, h.public_since, p.id limit 1
"""
# A project that is merely shared, named $2, must not take the place of a model of the caller's own.
NOT_OWN_MODEL = """
    (h.privilege = 'own' or not exists (
        select from pgml.models m join pgml._rights x on x.project_id = m.project_id
        where m.name = $2::text and x.role = $1::name and x.privilege = 'own'
    ))
"""


def suffices(held: str, needed: str) -> bool:
    """Return whether a privilege, of `PRIVILEGES` or ``own``, is or implies another."""
    return _LEVELS.index(held) >= _LEVELS.index(needed)


def refusal(project: str, owner: str, needed: str) -> NotPermitted:
    """Return the error for somebody who may use a project, but not so."""
    if needed == "own":
        return NotPermitted(
            f'must be owner of project "{project}"',
            detail=f'It belongs to role "{owner}".',
            hint=f'Ask role "{owner}", a member of it or a superuser to do it.',
        )
    return NotPermitted(
        f'permission denied for project "{project}" of role "{owner}"',
        detail=f'It takes the privilege "{needed}".',
        hint=f"Ask role \"{owner}\" for pgml.grant(project, role, '{needed}').",
    )


def has_role(database: Database, role: str) -> bool:
    """Return whether there is a role of that name; ``public`` is none."""
    return bool(
        database.query("select 1 as one from pg_catalog.pg_roles where rolname::text = $1::text", role)
    )


def role_names(database: Database) -> list[str]:
    """Return the names of all roles, which every role may see."""
    rows = database.query("select rolname::text as name from pg_catalog.pg_roles order by 1")
    return [row["name"] for row in rows]


def add_grant(database: Database, caller: str, project_id: int, role: str, privilege: str) -> None:
    """Store a grant, unless it is stored already."""
    database.query(
        "insert into pgml.grants (project_id, grantee, privilege, granted_by)"
        " values ($1::bigint, $2::name, $3::text, $4::name) on conflict do nothing",
        project_id,
        role,
        privilege,
        caller,
    )


def drop_grant(database: Database, project_id: int, role: str, privilege: str) -> bool:
    """Remove a grant; return whether it was there."""
    rows = database.query(
        "delete from pgml.grants where project_id = $1::bigint and grantee::text = $2::text"
        " and privilege = $3::text returning project_id",
        project_id,
        role,
        privilege,
    )
    return bool(rows)


def way(database: Database, project_id: int, role: str, privilege: str) -> tuple[str, str] | None:
    """Return a (privilege, who has it) by which a role, or public, may do something; None if it may not."""
    rows = database.query(
        """
        select x.privilege, x.holder::text as holder
        from (
            select privilege, holder from pgml._rights
            where project_id = $1::bigint and role::text = $2::text
            union
            select privilege, grantee from pgml.grants
            where project_id = $1::bigint and grantee::text = $2::text
        ) x
        where x.privilege in ('own', 'manage', $3::text)
        order by x.privilege = 'own' desc, x.privilege, x.holder limit 1
        """,
        project_id,
        role,
        privilege,
    )
    return (rows[0]["privilege"], rows[0]["holder"]) if rows else None
