create table pgml.grants (
    project_id bigint not null references pgml.projects on delete cascade,
    grantee name not null,
    privilege text not null check (privilege in ('predict', 'manage')),
    granted_by name not null,
    granted_at timestamptz not null default now(),
    primary key (project_id, grantee, privilege)
);
comment on table pgml.grants is 'who else may use a project';
comment on column pgml.grants.grantee is 'a role, or public for everybody';
comment on column pgml.grants.privilege is 'predict, or manage, which implies it';

-- The one definition of who may do what. Its owner's rights let it read both tables, so that policies can ask it
-- without asking each other; the last condition lets nobody but the extension's owner ask about other roles.
create view pgml._rights with (security_barrier = true) as
select
    r.rolname as role,
    h.project_id,
    h.privilege,
    h.holder,
    h.since
from pg_catalog.pg_roles r
join (
    select p.id as project_id, 'own' as privilege, p.owner as holder, p.created_at as since
    from pgml.projects p
    union all
    select g.project_id, g.privilege, g.grantee, g.granted_at
    from pgml.grants g
) h on r.rolsuper
    or h.holder = 'public'
    or exists (
        select from pg_catalog.pg_roles o
        where o.rolname = h.holder and pg_catalog.pg_has_role(r.oid, o.oid, 'member')
    )
where r.rolname = current_user
    or pg_catalog.pg_has_role(
        (select e.extowner from pg_catalog.pg_extension e where e.extname = 'pgml'), 'member'
    );
comment on view pgml._rights is 'what the asking role may do with which project';
comment on column pgml._rights.privilege is 'own, manage or predict; the first implies the others, the second the third';
comment on column pgml._rights.holder is 'the role it has the privilege of, or public';

create policy of_rights on pgml.projects
    for select
    using (id in (select project_id from pgml._rights where role = current_user));
comment on policy of_rights on pgml.projects is 'a role sees its own projects and those shared with it';

alter table pgml.grants enable row level security;
create policy of_owners on pgml.grants
    for select
    using (project_id in (
        select project_id from pgml._rights where role = current_user and privilege = 'own'
    ));
comment on policy of_owners on pgml.grants is 'those of a role''s own projects';

select pg_catalog.pg_extension_config_dump('pgml.grants', '');
