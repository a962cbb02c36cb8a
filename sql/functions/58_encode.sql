create function pgml._encode_json(reference text, model_id bigint, features json, snapshot text, layer int)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].encode(reference, model_id, features, snapshot, layer, "json")
$$;
comment on function pgml._encode_json(text, bigint, json, text, int) is 'encode of a row, an object or an array';

create function pgml._encode_text(reference text, model_id bigint, features text, snapshot text, layer int)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].encode(reference, model_id, features, snapshot, layer, "text")
$$;
comment on function pgml._encode_text(text, bigint, text, text, int) is 'encode of JSON, an array literal or a scalar';

create function pgml.encode(project_name text, features anyelement, layer int default null)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._encode_json(project_name, null, pgml._json(features), pgml._snapshot(), layer)
$$;
comment on function pgml.encode(text, anyelement, int) is 'what a layer of a network gives for a row, by the live model of a project';

create function pgml.encode(project_name text, features text, layer int default null)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._encode_text(project_name, null, features, pgml._snapshot(), layer)
$$;
comment on function pgml.encode(text, text, int) is 'what a layer of a network gives for a row, by the live model of a project';

create function pgml.encode(model_id bigint, features anyelement, layer int default null)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._encode_json(null, model_id, pgml._json(features), pgml._snapshot(), layer)
$$;
comment on function pgml.encode(bigint, anyelement, int) is 'what a layer of a network gives for a row, by one model';

create function pgml.encode(model_id bigint, features text, layer int default null)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._encode_text(null, model_id, features, pgml._snapshot(), layer)
$$;
comment on function pgml.encode(bigint, text, int) is 'what a layer of a network gives for a row, by one model';
