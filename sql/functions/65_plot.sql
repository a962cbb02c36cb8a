create function pgml.plot(
    project_name text,
    kind text,
    relation_name text default null,
    width int default 640
)
returns text
language sql
volatile
parallel unsafe
as $$
    select pg_catalog.jsonb_extract_path_text(
        pgml._do('plot', pg_catalog.jsonb_build_object(
            'project_name', project_name,
            'kind', kind,
            'relation_name', relation_name,
            'width', width
        )),
        variadic '{}'::pg_catalog.text[]
    )
$$;
comment on function pgml.plot(text, text, text, int) is 'a picture of a project''s live model, as SVG';

create function pgml.plot(
    model_id bigint,
    kind text,
    relation_name text default null,
    width int default 640
)
returns text
language sql
volatile
parallel unsafe
as $$
    select pg_catalog.jsonb_extract_path_text(
        pgml._do('plot_model', pg_catalog.jsonb_build_object(
            'model_id', model_id,
            'kind', kind,
            'relation_name', relation_name,
            'width', width
        )),
        variadic '{}'::pg_catalog.text[]
    )
$$;
comment on function pgml.plot(bigint, text, text, int) is 'a picture of one model, as SVG';

create function pgml.report(project_name text)
returns text
language sql
volatile
parallel unsafe
as $$
    select pg_catalog.jsonb_extract_path_text(
        pgml._do('report', pg_catalog.jsonb_build_object('project_name', project_name)),
        variadic '{}'::pg_catalog.text[]
    )
$$;
comment on function pgml.report(text) is 'a page about a project and its live model, as HTML';
