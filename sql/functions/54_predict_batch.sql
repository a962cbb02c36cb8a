create function pgml._predict_batch(reference text, model_id bigint, features bytea, snapshot text)
returns setof pgml._chunk
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].batch(reference, model_id, features, snapshot)
$$;
comment on function pgml._predict_batch(text, bigint, bytea, text) is 'predicts the rows of an array, in chunks';

create function pgml._batch(reference text, model_id bigint, features bytea, snapshot text)
returns setof float8
language plpgsql
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
declare
    chunk pgml._chunk;
begin
    for chunk in select * from pgml._predict_batch(reference, model_id, features, snapshot) loop
        if (chunk.outcome).message is not null then
            perform pgml._raise(chunk.outcome);
        end if;
        return query select unnest(chunk.predictions::float8[]);
    end loop;
end
$$;
comment on function pgml._batch(text, bigint, bytea, text) is 'predicts the rows of an array, raising errors';

create function pgml.predict_batch(project_name text, features float8[])
returns setof float8
language sql
stable
parallel unsafe
as $$
    select pgml._batch(project_name, null, pg_catalog.array_send(features), pgml._snapshot())
$$;
comment on function pgml.predict_batch(text, float8[]) is 'predicts many rows of numbers by the live model of a project';

create function pgml.predict_batch(model_id bigint, features float8[])
returns setof float8
language sql
stable
parallel unsafe
as $$
    select pgml._batch(null, model_id, pg_catalog.array_send(features), pgml._snapshot())
$$;
comment on function pgml.predict_batch(bigint, float8[]) is 'predicts many rows of numbers by one model';
