create table pgml.models (
    id bigint generated always as identity primary key,
    project_id bigint not null references pgml.projects on delete cascade,
    snapshot_id bigint references pgml.snapshots,
    number int not null,
    name text not null,
    algorithm text not null,
    hyperparams jsonb not null,
    seed int not null,
    split jsonb,
    metrics jsonb not null,
    metric text,
    score float8,
    columns jsonb not null,
    versions jsonb not null,
    size bigint not null,
    sha256 text not null,
    artifact bytea not null,
    created_at timestamptz not null default now(),
    created_by name not null,
    evaluation jsonb not null,
    source jsonb,
    unique (project_id, number)
);
comment on table pgml.models is 'fitted models';
comment on column pgml.models.snapshot_id is 'what it was trained on; null if it was imported';
comment on column pgml.models.number is 'counts within the project';
comment on column pgml.models.name is '<project>_<number>';
comment on column pgml.models.hyperparams is 'as they were given, or found by a search';
comment on column pgml.models.split is 'how its test rows are told; null if nobody knows them';
comment on column pgml.models.metrics is 'measured on its test rows; times in seconds';
comment on column pgml.models.metric is 'the one that decides deployments; null if the task has none';
comment on column pgml.models.score is 'value of that metric; null where it is undefined';
comment on column pgml.models.columns is 'name, type and width of each feature';
comment on column pgml.models.versions is 'of Python and the libraries';
comment on column pgml.models.size is 'bytes of all parts';
comment on column pgml.models.sha256 is 'of the bytes of all parts';
comment on column pgml.models.artifact is 'the first part of its bytes';
comment on column pgml.models.evaluation is 'tables and curves of its test rows, and its own importances by feature';
comment on column pgml.models.source is 'format, bytes and sha256 of the file it was imported from; null if it was trained here';
create index models_name_idx on pgml.models (name);
create index models_snapshot_id_idx on pgml.models (snapshot_id);
alter table pgml.models alter column artifact set storage external;

alter table pgml.models enable row level security;
create policy of_rights on pgml.models
    for select
    using (project_id in (
        select project_id from pgml._rights where role = current_user and privilege in ('own', 'manage')
    ));
comment on policy of_rights on pgml.models is 'those of the projects a role may manage';

create table pgml.model_parts (
    model_id bigint not null references pgml.models on delete cascade,
    part int not null,
    bytes bytea not null,
    primary key (model_id, part)
);
comment on table pgml.model_parts is 'further parts of large models, of at most 64 MB';
comment on column pgml.model_parts.part is 'from 2';
alter table pgml.model_parts alter column bytes set storage external;

alter table pgml.model_parts enable row level security;
create policy of_models on pgml.model_parts
    for select
    using (model_id in (select id from pgml.models));
comment on policy of_models on pgml.model_parts is 'those of the models a role sees';

select pg_catalog.pg_extension_config_dump('pgml.models', '');
select pg_catalog.pg_extension_config_dump('pgml.models_id_seq', '');
select pg_catalog.pg_extension_config_dump('pgml.model_parts', '');
