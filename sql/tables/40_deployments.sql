create table pgml.deployments (
    id bigint generated always as identity primary key,
    project_id bigint not null references pgml.projects on delete cascade,
    model_id bigint references pgml.models on delete set null,
    strategy text not null,
    previous_id bigint,
    created_at timestamptz not null default now(),
    created_by name not null,
    statement text
);
comment on table pgml.deployments is 'history of each project; the newest row is live';
comment on column pgml.deployments.model_id is 'null once the model is dropped';
comment on column pgml.deployments.previous_id is 'where a rollback goes';
comment on column pgml.deployments.statement is 'SQL that serves the model; null: its graph does';
create index deployments_project_id_idx on pgml.deployments (project_id, id);
create index deployments_model_id_idx on pgml.deployments (model_id);

alter table pgml.deployments enable row level security;
create policy of_rights on pgml.deployments
    for select
    using (project_id in (
        select project_id from pgml._rights where role = current_user and privilege in ('own', 'manage')
    ));
comment on policy of_rights on pgml.deployments is 'those of the projects a role may manage';

select pg_catalog.pg_extension_config_dump('pgml.deployments', '');
select pg_catalog.pg_extension_config_dump('pgml.deployments_id_seq', '');
