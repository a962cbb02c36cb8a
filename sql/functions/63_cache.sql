create function pgml.warm(project_name text)
returns pgml.cached
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.cached,
        pgml._do('warm', pg_catalog.jsonb_build_object('project_name', project_name))
    );
end
$$;
comment on function pgml.warm(text) is 'loads the live model of a project into this session';

create function pgml.cache_status()
returns setof pgml.cached
language plpgsql
volatile
parallel unsafe
as $$
begin
    return query
        select *
        from pg_catalog.jsonb_populate_recordset(null::pgml.cached, pgml._do('cache_status', '{}'));
end
$$;
comment on function pgml.cache_status() is 'the models this session holds, the least recently used first';
