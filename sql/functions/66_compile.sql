create function pgml.to_sql(
    project_name text,
    dialect text default 'postgres',
    relation_name text default null,
    key text default null,
    output text default 'prediction',
    missing text default 'model',
    partition_by text default null,
    order_by text default null
)
returns text
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_extract_path_text(
        pgml._do('to_sql', pg_catalog.jsonb_build_object(
            'project_name', project_name,
            'dialect', dialect,
            'relation_name', relation_name,
            'key', key,
            'output', output,
            'missing', missing,
            'partition_by', partition_by,
            'order_by', order_by
        )),
        variadic '{}'::pg_catalog.text[]
    );
end
$$;
comment on function pgml.to_sql(text, text, text, text, text, text, text, text) is 'a project''s live model as one SQL statement';

create function pgml.to_sql(
    model_id bigint,
    dialect text default 'postgres',
    relation_name text default null,
    key text default null,
    output text default 'prediction',
    missing text default 'model',
    partition_by text default null,
    order_by text default null
)
returns text
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_extract_path_text(
        pgml._do('to_sql_of_model', pg_catalog.jsonb_build_object(
            'model_id', model_id,
            'dialect', dialect,
            'relation_name', relation_name,
            'key', key,
            'output', output,
            'missing', missing,
            'partition_by', partition_by,
            'order_by', order_by
        )),
        variadic '{}'::pg_catalog.text[]
    );
end
$$;
comment on function pgml.to_sql(bigint, text, text, text, text, text, text, text) is 'one model as one SQL statement';

create function pgml.create_sql_function(
    project_name text,
    function_name text,
    output text default 'prediction',
    missing text default 'model',
    replace boolean default false
)
returns regprocedure
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pgml._do('create_sql_function', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'function_name', function_name,
        'output', output,
        'missing', missing,
        'replace', replace
    ))::pg_catalog.int8::pg_catalog.oid;
end
$$;
comment on function pgml.create_sql_function(text, text, text, text, boolean) is 'makes a project''s live model a function of its features';

create function pgml.create_sql_view(
    project_name text,
    view_name text,
    relation_name text default null,
    output text default 'prediction',
    missing text default 'model',
    replace boolean default false
)
returns regclass
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pgml._do('create_sql_view', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'view_name', view_name,
        'relation_name', relation_name,
        'output', output,
        'missing', missing,
        'replace', replace
    ))::pg_catalog.int8::pg_catalog.oid;
end
$$;
comment on function pgml.create_sql_view(text, text, text, text, text, boolean) is 'makes a view of a relation with a project''s live model';
