create function pgml.train_joint(
    project_name text,
    task text default null,
    relation_name text default null,
    y_column_name text[] default null,
    algorithm text default null,
    hyperparams jsonb default '{}',
    search text default null,
    search_params jsonb default '{}',
    search_args jsonb default '{}',
    test_size real default null,
    test_sampling text default null,
    runtime text default null,
    automatic_deploy boolean default true,
    materialize_snapshot boolean default false,
    preprocess jsonb default '{}',
    seed int default null,
    split_by text default null,
    metric text default null,
    weight text default null,
    base_model bigint default null,
    freeze int default null
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        pgml._do('train_joint', pg_catalog.jsonb_build_object(
            'project_name', project_name,
            'task', task,
            'relation_name', relation_name,
            'y_column_name', y_column_name,
            'algorithm', algorithm,
            'hyperparams', hyperparams,
            'search', search,
            'search_params', search_params,
            'search_args', search_args,
            'test_size', test_size,
            'test_sampling', test_sampling,
            'runtime', runtime,
            'automatic_deploy', automatic_deploy,
            'materialize_snapshot', materialize_snapshot,
            'preprocess', preprocess,
            'seed', seed,
            'split_by', split_by,
            'metric', metric,
            'weight', weight,
            'base_model', base_model,
            'freeze', "freeze"
        ))
    );
end
$$;
comment on function pgml.train_joint(
    text, text, text, text[], text, jsonb, text, jsonb, jsonb, real, text, text, boolean, boolean, jsonb, int, text, text, text, bigint, int
) is 'fits a model of several targets to a relation and deploys it if it is better';
