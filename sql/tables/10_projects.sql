create table pgml.projects (
    id bigint generated always as identity primary key,
    name text not null,
    owner name not null,
    task text not null,
    targets text[] not null,
    relation_name text,
    test_sampling text not null,
    test_size float8 not null,
    seed int not null,
    split_by text,
    moved jsonb not null default '{}',
    created_at timestamptz not null default now(),
    unique (owner, name)
);
comment on table pgml.projects is 'what is predicted, and from what';
comment on column pgml.projects.name is 'any text, unique for its owner';
comment on column pgml.projects.owner is 'the role that first trained it';
comment on column pgml.projects.relation_name is 'the relation of the last training; null if its models were imported';
comment on column pgml.projects.moved is 'hashes of rows that were put on the other side of the split';

-- Its policy comes with pgml.grants.
alter table pgml.projects enable row level security;

select pg_catalog.pg_extension_config_dump('pgml.projects', '');
select pg_catalog.pg_extension_config_dump('pgml.projects_id_seq', '');
