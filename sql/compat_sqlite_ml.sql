-- The functions and tables of sqlite-ml over those of pgml, in the current schema. No part of the extension:
-- psql -f compat_sqlite_ml.sql, again after an upgrade.
begin;

create or replace function sqml_version() returns text
language sql stable
as $$ select pgml.version() $$;
comment on function sqml_version() is 'version of pgml';

create or replace function sqml_python_version() returns text
language sql volatile
as $$ select pgml.python_version() $$;
comment on function sqml_python_version() is 'version of the Python that runs inside the server';

create or replace function sqml_sklearn_version() returns text
language sql volatile
as $$ select version from pgml.package_versions() where package = 'scikit-learn' $$;
comment on function sqml_sklearn_version() is 'version of scikit-learn';

create or replace function sqml_packages_versions() returns json
language sql volatile
as $$ select json_object_agg(package, version order by package) from pgml.package_versions() $$;
comment on function sqml_packages_versions() is 'versions of the Python packages in use';

create or replace function sqml_load_dataset(name text, "table" text default null)
returns json
language plpgsql
volatile
as $$
declare
    labels constant json := '{
        "iris": ["setosa", "versicolor", "virginica"], "wine": ["class_0", "class_1", "class_2"],
        "breast_cancer": ["malignant", "benign"], "digits": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "diabetes": []
    }';
    wanted constant text := coalesce("table", 'dataset_' || name);
    made constant text := format('%I.%I', current_schema(), wanted);
    names text[];
    features text;
    size bigint;
begin
    if labels -> name is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('dataset "%s" does not exist', name),
            hint = 'The datasets are "iris", "digits", "wine", "breast_cancer", "diabetes".';
    elsif to_regclass('pg_temp.' || name) is not null then
        raise exception using
            errcode = 'duplicate_table', message = format('a temporary table "%s" is in the way', name),
            hint = 'Drop it or rename it.';
    end if;
    perform pgml.load_dataset(name, kwargs => '{"schema": "pg_temp"}');
    if name = 'digits' then
        select array_agg(format('pixel_%s_%s', n / 8, n % 8) order by n),
            string_agg(format('image[%s]', n + 1), ',' order by n)
        into names, features
        from generate_series(0, 63) as n;
    else
        select array_agg(
                case name when 'iris' then replace(attname, '_', ' ') || ' (cm)' else attname end
                order by attnum
            ),
            string_agg(quote_ident(attname), ',' order by attnum)
        into names, features
        from pg_attribute
        where attrelid = to_regclass('pg_temp.' || name) and attnum > 0
            and attname not in ('target', 'malignant');
    end if;
    if to_regclass(made) is not null then
        execute 'drop table ' || made;
    end if;
    execute format(
        'create table %s (%s, target float8)', made,
        (
            select string_agg(format('%I float8', feature), ', ' order by n)
            from unnest(names) with ordinality as features(feature, n)
        )
    );
    execute format(
        'insert into %s select %s, %s from pg_temp.%I', made, features,
        case name when 'breast_cancer' then '(not malignant)::int' else 'target' end, name
    );
    get diagnostics size = row_count;
    execute format('drop table pg_temp.%I', name);
    return json_build_object(
        'table', wanted, 'feature_names', names, 'target_names', labels -> name, 'size', size
    );
end
$$;
comment on function sqml_load_dataset(text, text) is 'makes a table of a sample dataset';

create or replace function sqml_train(
    experiment_name text,
    prediction_type text,
    algorithm text,
    dataset text,
    target text,
    test_size float8 default 0.25,
    split_strategy text default 'shuffle'
)
returns json
language plpgsql
volatile
as $$
declare
    shuffle constant text := 'random';
    trained pgml.trained;
begin
    if prediction_type is null or prediction_type not in ('regression', 'classification') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('prediction type "%s" does not exist', prediction_type),
            hint = 'The prediction types are "regression", "classification".';
    elsif split_strategy is distinct from 'shuffle' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('split strategy "%s" does not exist', split_strategy),
            hint = 'The split strategy is "shuffle".';
    end if;
    trained := pgml.train(
        experiment_name, prediction_type, dataset, target, algorithm,
        test_size => test_size::real, test_sampling => shuffle
    );
    return json_build_object(
        'experiment_name', experiment_name, 'prediction_type', prediction_type, 'algorithm', algorithm,
        'deployed', trained.deployed, 'score', trained.score
    );
end
$$;
comment on function sqml_train(text, text, text, text, text, float8, text) is
    'fits a model to a relation and deploys it if it is better';

create or replace function sqml_predict(experiment_name text, features jsonb) returns float8
language sql stable
as $$ select pgml.predict(experiment_name, features) $$;
create or replace function sqml_predict(experiment_name text, features json) returns float8
language sql stable
as $$ select pgml.predict(experiment_name, features) $$;
create or replace function sqml_predict(experiment_name text, features text) returns float8
language sql stable
as $$ select pgml.predict(experiment_name, features::json) $$;
comment on function sqml_predict(text, jsonb) is 'predicts a row, an object by name or an array by position';
comment on function sqml_predict(text, json) is 'predicts a row, an object by name or an array by position';
comment on function sqml_predict(text, text) is 'predicts a row, an object by name or an array by position';

create or replace function sqml_predict_batch(experiment_name text, features json)
returns json
language plpgsql
stable
strict
as $$
begin
    return (
        select coalesce(json_agg(pgml.predict(experiment_name, line) order by n), '[]')
        from json_array_elements(features) with ordinality as lines(line, n)
    );
exception when datatype_mismatch then  -- labels that are no numbers
    return (
        select json_agg(pgml.predict_label(experiment_name, line) order by n)
        from json_array_elements(features) with ordinality as lines(line, n)
    );
end
$$;
create or replace function sqml_predict_batch(experiment_name text, features jsonb) returns json
language sql stable strict
return sqml_predict_batch(experiment_name, features::json);
create or replace function sqml_predict_batch(experiment_name text, features text) returns json
language sql stable strict
return sqml_predict_batch(experiment_name, features::json);
comment on function sqml_predict_batch(text, json) is 'predicts the rows of a JSON array, in their order';
comment on function sqml_predict_batch(text, jsonb) is 'predicts the rows of a JSON array, in their order';
comment on function sqml_predict_batch(text, text) is 'predicts the rows of a JSON array, in their order';

\ir compat_sqlite_ml_json.sql
\ir compat_sqlite_ml_tables.sql
commit;
