create function pgml._anomaly_score_json(reference text, model_id bigint, features json, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    found = GD["pgml"].vector("anomaly_score", reference, model_id, features, snapshot, "json")
    return None if found is None else found[0]
$$;
comment on function pgml._anomaly_score_json(text, bigint, json, text) is 'anomaly_score of a row, an object or an array';

create function pgml._anomaly_score_text(reference text, model_id bigint, features text, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    found = GD["pgml"].vector("anomaly_score", reference, model_id, features, snapshot, "text")
    return None if found is None else found[0]
$$;
comment on function pgml._anomaly_score_text(text, bigint, text, text) is 'anomaly_score of JSON, an array literal or a scalar';

create function pgml.anomaly_score(project_name text, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._anomaly_score_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.anomaly_score(text, anyelement) is 'how far a row is out of the ordinary by the live model of a project';

create function pgml.anomaly_score(project_name text, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._anomaly_score_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.anomaly_score(text, text) is 'how far a row is out of the ordinary by the live model of a project';

create function pgml.anomaly_score(model_id bigint, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._anomaly_score_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.anomaly_score(bigint, anyelement) is 'how far a row is out of the ordinary by one model';

create function pgml.anomaly_score(model_id bigint, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._anomaly_score_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.anomaly_score(bigint, text) is 'how far a row is out of the ordinary by one model';
