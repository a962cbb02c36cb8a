create function pgml._predict_table(
    reference text,
    model_id bigint,
    relation_name text,
    key text,
    search_path text,
    snapshot text
)
returns setof pgml._chunk
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
set extra_float_digits = 1
set quote_all_identifiers = off
as $$
    # @bootstrap@
    return GD["pgml"].table(reference, model_id, relation_name, key, search_path, snapshot)
$$;
comment on function pgml._predict_table(text, bigint, text, text, text, text) is 'predicts the rows of a relation, in chunks';

create function pgml._table(
    reference text,
    model_id bigint,
    relation_name text,
    key text,
    search_path text,
    snapshot text
)
returns setof pgml.predicted
language plpgsql
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
set extra_float_digits = 1
set quote_all_identifiers = off
as $$
declare
    chunk pgml._chunk;
begin
    for chunk in
        select * from pgml._predict_table(reference, model_id, relation_name, key, search_path, snapshot)
    loop
        if (chunk.outcome).message is not null then
            perform pgml._raise(chunk.outcome);
        elsif (chunk.outcome).notice is not null then
            raise notice '%', (chunk.outcome).notice;
        end if;
        return query
            select nullif(r.key, 'null'), r.prediction, chunk.labels[r.code], r.probability
            from rows from (
                jsonb_array_elements(chunk.keys),
                unnest(chunk.predictions::float8[]),
                unnest(chunk.codes::int[]),
                unnest(chunk.probabilities::float8[])
            ) as r (key, prediction, code, probability);
    end loop;
end
$$;
comment on function pgml._table(text, bigint, text, text, text, text) is 'predicts the rows of a relation, raising errors';

create function pgml.predict_table(project_name text, relation_name text, key text default null)
returns setof pgml.predicted
language sql
stable
parallel unsafe
as $$
    select *
    from pgml._table(
        project_name, null, relation_name, key, pg_catalog.current_setting('search_path'), pgml._snapshot()
    )
$$;
comment on function pgml.predict_table(text, text, text) is 'predicts all rows of a relation by the live model of a project';

create function pgml.predict_table(model_id bigint, relation_name text, key text default null)
returns setof pgml.predicted
language sql
stable
parallel unsafe
as $$
    select *
    from pgml._table(
        null, model_id, relation_name, key, pg_catalog.current_setting('search_path'), pgml._snapshot()
    )
$$;
comment on function pgml.predict_table(bigint, text, text) is 'predicts all rows of a relation by one model';
