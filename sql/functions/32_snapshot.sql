create function pgml.snapshot(
    relation_name text,
    table_name text default null
)
returns pgml.snapshotted
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.snapshotted,
        pgml._do('snapshot', pg_catalog.jsonb_build_object(
            'relation_name', relation_name,
            'table_name', table_name
        ))
    );
end
$$;
comment on function pgml.snapshot(text, text) is 'copies a relation, as the caller sees it, into a new table';
