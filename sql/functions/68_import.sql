create function pgml.import_onnx(
    project_name text,
    onnx bytea,
    features jsonb default null,
    labels jsonb default null,
    task text default null,
    y_column_name text[] default null,
    automatic_deploy boolean default true
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_onnx',
            pg_catalog.jsonb_build_object(
                'project_name', project_name,
                'features', features,
                'labels', labels,
                'task', task,
                'y_column_name', y_column_name,
                'automatic_deploy', automatic_deploy
            ),
            onnx
        )).outcome).result
    );
end
$$;
comment on function pgml.import_onnx(text, bytea, jsonb, jsonb, text, text[], boolean) is 'makes a model of an ONNX file';

create function pgml.import_keras(
    project_name text,
    model bytea,
    features jsonb default null,
    labels jsonb default null,
    task text default null,
    y_column_name text[] default null,
    automatic_deploy boolean default true
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_keras',
            pg_catalog.jsonb_build_object(
                'project_name', project_name,
                'features', features,
                'labels', labels,
                'task', task,
                'y_column_name', y_column_name,
                'automatic_deploy', automatic_deploy
            ),
            model
        )).outcome).result
    );
end
$$;
comment on function pgml.import_keras(text, bytea, jsonb, jsonb, text, text[], boolean) is 'makes a model of a .keras or .h5 file';

create function pgml.import_keras(
    project_name text,
    architecture json,
    weights bytea,
    features jsonb default null,
    labels jsonb default null,
    task text default null,
    y_column_name text[] default null,
    automatic_deploy boolean default true
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_keras_parts',
            pg_catalog.jsonb_build_object(
                'project_name', project_name,
                'architecture', architecture::pg_catalog.text,
                'features', features,
                'labels', labels,
                'task', task,
                'y_column_name', y_column_name,
                'automatic_deploy', automatic_deploy
            ),
            weights
        )).outcome).result
    );
end
$$;
comment on function pgml.import_keras(text, json, bytea, jsonb, jsonb, text, text[], boolean) is 'makes a model of an architecture in JSON and an .h5 file of weights';

create function pgml.import_xgboost(
    project_name text,
    model bytea,
    features jsonb default null,
    labels jsonb default null,
    task text default null,
    y_column_name text[] default null,
    automatic_deploy boolean default true
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_xgboost',
            pg_catalog.jsonb_build_object(
                'project_name', project_name,
                'features', features,
                'labels', labels,
                'task', task,
                'y_column_name', y_column_name,
                'automatic_deploy', automatic_deploy
            ),
            model
        )).outcome).result
    );
end
$$;
comment on function pgml.import_xgboost(text, bytea, jsonb, jsonb, text, text[], boolean) is 'makes a model of a .json or .ubj file of XGBoost';

create function pgml.import_lightgbm(
    project_name text,
    model bytea,
    features jsonb default null,
    labels jsonb default null,
    task text default null,
    y_column_name text[] default null,
    automatic_deploy boolean default true
)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_lightgbm',
            pg_catalog.jsonb_build_object(
                'project_name', project_name,
                'features', features,
                'labels', labels,
                'task', task,
                'y_column_name', y_column_name,
                'automatic_deploy', automatic_deploy
            ),
            model
        )).outcome).result
    );
end
$$;
comment on function pgml.import_lightgbm(text, bytea, jsonb, jsonb, text, text[], boolean) is 'makes a model of a text file of LightGBM';

create function pgml.import_model(project_name text, model bytea, automatic_deploy boolean default true)
returns pgml.trained
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.trained,
        ((pgml._do_with_file(
            'import_model',
            pg_catalog.jsonb_build_object('project_name', project_name, 'automatic_deploy', automatic_deploy),
            model
        )).outcome).result
    );
end
$$;
comment on function pgml.import_model(text, bytea, boolean) is 'makes a model of what pgml.export_model gave';
