create function pgml._joint_json(reference text, model_id bigint, features json, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].joint(reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._joint_json(text, bigint, json, text) is 'predict_joint of a row, an object or an array';

create function pgml._joint_text(reference text, model_id bigint, features text, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].joint(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._joint_text(text, bigint, text, text) is 'predict_joint of JSON, an array literal or a scalar';

create function pgml.predict_joint(project_name text, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_joint(text, anyelement) is 'predicts several columns by the live model of a project';

create function pgml.predict_joint(project_name text, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict_joint(text, text) is 'predicts several columns by the live model of a project';

create function pgml.predict_joint(model_id bigint, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_joint(bigint, anyelement) is 'predicts several columns by one model';

create function pgml.predict_joint(model_id bigint, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict_joint(bigint, text) is 'predicts several columns by one model';
