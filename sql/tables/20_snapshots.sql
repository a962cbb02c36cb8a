create table pgml.snapshots (
    id bigint generated always as identity primary key,
    project_id bigint not null references pgml.projects on delete cascade,
    relation_name text not null,
    columns jsonb not null,
    row_count bigint not null,
    data_hash text not null,
    created_at timestamptz not null default now(),
    created_by name not null,
    materialized text
);
comment on table pgml.snapshots is 'the data that trainings saw';
comment on column pgml.snapshots.columns is 'name, type and width of each column read';
comment on column pgml.snapshots.row_count is 'rows with a known target';
comment on column pgml.snapshots.data_hash is 'equal for equal rows in any order';
comment on column pgml.snapshots.materialized is 'the table that keeps the rows; null if none was asked for';
create index snapshots_project_id_idx on pgml.snapshots (project_id);

alter table pgml.snapshots enable row level security;
create policy of_rights on pgml.snapshots
    for select
    using (project_id in (
        select project_id from pgml._rights where role = current_user and privilege in ('own', 'manage')
    ));
comment on policy of_rights on pgml.snapshots is 'those of the projects a role may manage';

select pg_catalog.pg_extension_config_dump('pgml.snapshots', '');
select pg_catalog.pg_extension_config_dump('pgml.snapshots_id_seq', '');
