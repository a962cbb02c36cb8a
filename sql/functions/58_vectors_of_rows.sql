create function pgml._decompose_json(reference text, model_id bigint, features json, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].vector("decompose", reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._decompose_json(text, bigint, json, text) is 'decompose of a row, an object or an array';

create function pgml._decompose_text(reference text, model_id bigint, features text, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].vector("decompose", reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._decompose_text(text, bigint, text, text) is 'decompose of JSON, an array literal or a scalar';

create function pgml.decompose(project_name text, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._decompose_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.decompose(text, anyelement) is 'components of a row by the live model of a project';

create function pgml.decompose(project_name text, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._decompose_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.decompose(text, text) is 'components of a row by the live model of a project';

create function pgml.decompose(model_id bigint, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._decompose_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.decompose(bigint, anyelement) is 'components of a row by one model';

create function pgml.decompose(model_id bigint, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._decompose_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.decompose(bigint, text) is 'components of a row by one model';

create function pgml._cluster_distances_json(reference text, model_id bigint, features json, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].vector("cluster_distances", reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._cluster_distances_json(text, bigint, json, text) is 'cluster_distances of a row, an object or an array';

create function pgml._cluster_distances_text(reference text, model_id bigint, features text, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].vector("cluster_distances", reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._cluster_distances_text(text, bigint, text, text) is 'cluster_distances of JSON, an array literal or a scalar';

create function pgml.cluster_distances(project_name text, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._cluster_distances_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.cluster_distances(text, anyelement) is 'distances of a row to the clusters by the live model of a project';

create function pgml.cluster_distances(project_name text, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._cluster_distances_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.cluster_distances(text, text) is 'distances of a row to the clusters by the live model of a project';

create function pgml.cluster_distances(model_id bigint, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._cluster_distances_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.cluster_distances(bigint, anyelement) is 'distances of a row to the clusters by one model';

create function pgml.cluster_distances(model_id bigint, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._cluster_distances_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.cluster_distances(bigint, text) is 'distances of a row to the clusters by one model';
