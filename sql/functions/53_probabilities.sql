create function pgml._proba_json(reference text, model_id bigint, features json, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].proba(reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._proba_json(text, bigint, json, text) is 'predict_proba of a row, an object or an array';

create function pgml._proba_text(reference text, model_id bigint, features text, snapshot text)
returns float8[]
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].proba(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._proba_text(text, bigint, text, text) is 'predict_proba of JSON, an array literal or a scalar';

create function pgml.predict_proba(project_name text, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._proba_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_proba(text, anyelement) is 'probabilities in class order by the live model of a project';

create function pgml.predict_proba(project_name text, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._proba_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict_proba(text, text) is 'probabilities in class order by the live model of a project';

create function pgml.predict_proba(model_id bigint, features anyelement)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._proba_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_proba(bigint, anyelement) is 'probabilities in class order by one model';

create function pgml.predict_proba(model_id bigint, features text)
returns float8[]
language sql
stable
parallel unsafe
as $$
    select pgml._proba_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict_proba(bigint, text) is 'probabilities in class order by one model';

create function pgml._probabilities_json(reference text, model_id bigint, features json, snapshot text)
returns jsonb
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].probabilities(reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._probabilities_json(text, bigint, json, text) is 'probabilities of a row, an object or an array';

create function pgml._probabilities_text(reference text, model_id bigint, features text, snapshot text)
returns jsonb
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].probabilities(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._probabilities_text(text, bigint, text, text) is 'probabilities of JSON, an array literal or a scalar';

create function pgml.probabilities(project_name text, features anyelement)
returns jsonb
language sql
stable
parallel unsafe
as $$
    select pgml._probabilities_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.probabilities(text, anyelement) is 'probability of each label by the live model of a project';

create function pgml.probabilities(project_name text, features text)
returns jsonb
language sql
stable
parallel unsafe
as $$
    select pgml._probabilities_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.probabilities(text, text) is 'probability of each label by the live model of a project';

create function pgml.probabilities(model_id bigint, features anyelement)
returns jsonb
language sql
stable
parallel unsafe
as $$
    select pgml._probabilities_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.probabilities(bigint, anyelement) is 'probability of each label by one model';

create function pgml.probabilities(model_id bigint, features text)
returns jsonb
language sql
stable
parallel unsafe
as $$
    select pgml._probabilities_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.probabilities(bigint, text) is 'probability of each label by one model';
