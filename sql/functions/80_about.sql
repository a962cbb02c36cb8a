create function pgml.algorithms()
returns table (
    algorithm text,
    tasks text[],
    library text,
    parameters jsonb,
    serving text,
    sql boolean
)
language plpgsql
volatile
parallel unsafe
rows 10
as $$
begin
    return query
        select a.algorithm, a.tasks, a.library, a.parameters, a.serving, a.sql
        from pg_catalog.jsonb_to_recordset(pgml._do('algorithms', '{}')) as a(
            algorithm pg_catalog.text,
            tasks pg_catalog.text[],
            library pg_catalog.text,
            parameters pg_catalog.jsonb,
            serving pg_catalog.text,
            sql pg_catalog.bool
        );
end
$$;
comment on function pgml.algorithms() is 'what can be trained, with parameters and their defaults';

create function pgml.version()
returns text
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select extversion from pg_extension where extname = 'pgml'
$$;
comment on function pgml.version() is 'version of pgml';

create function pgml.python_version()
returns text
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_extract_path_text(
        pgml._do('python_version', '{}'), variadic '{}'::pg_catalog.text[]
    );
end
$$;
comment on function pgml.python_version() is 'version of the Python that runs inside the server';

create function pgml.package_versions()
returns table (package text, version text)
language plpgsql
volatile
parallel unsafe
rows 20
as $$
begin
    return query
        select p.key, p.value
        from pg_catalog.jsonb_each_text(pgml._do('package_versions', '{}')) as p;
end
$$;
comment on function pgml.package_versions() is 'versions of the Python packages in use';
