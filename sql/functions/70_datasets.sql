create function pgml.load_dataset(
    source text,
    subset text default null,
    "limit" bigint default null,
    kwargs jsonb default '{}'
)
returns table (table_name text, rows bigint)
language plpgsql
volatile
parallel unsafe
rows 1
as $$
declare
    loaded pg_catalog.jsonb;
begin
    loaded := pgml._do('load_dataset', pg_catalog.jsonb_build_object(
        'source', source,
        'subset', subset,
        'limit', "limit",
        'kwargs', kwargs
    ));
    table_name := pg_catalog.jsonb_extract_path_text(loaded, 'table_name');
    rows := pg_catalog.jsonb_extract_path_text(loaded, 'rows');
    return next;
end
$$;
comment on function pgml.load_dataset(text, text, bigint, jsonb) is 'makes a table of a sample dataset';
