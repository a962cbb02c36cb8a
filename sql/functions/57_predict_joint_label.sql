create function pgml._joint_label_json(reference text, model_id bigint, features json, snapshot text)
returns text[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].joint_labels(reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._joint_label_json(text, bigint, json, text) is 'predict_joint_label of a row, an object or an array';

create function pgml._joint_label_text(reference text, model_id bigint, features text, snapshot text)
returns text[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].joint_labels(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._joint_label_text(text, bigint, text, text) is 'predict_joint_label of JSON, an array literal or a scalar';

create function pgml.predict_joint_label(project_name text, features anyelement)
returns text[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_label_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_joint_label(text, anyelement) is 'predicts several labels by the live model of a project';

create function pgml.predict_joint_label(project_name text, features text)
returns text[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_label_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict_joint_label(text, text) is 'predicts several labels by the live model of a project';

create function pgml.predict_joint_label(model_id bigint, features anyelement)
returns text[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_label_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_joint_label(bigint, anyelement) is 'predicts several labels by one model';

create function pgml.predict_joint_label(model_id bigint, features text)
returns text[]
language sql
stable
parallel unsafe
as $$
    select pgml._joint_label_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict_joint_label(bigint, text) is 'predicts several labels by one model';
