create function pgml._snapshot()
returns text
language sql
stable
parallel safe
as $$
    select case
        when pg_catalog.pg_current_xact_id_if_assigned() is null
        then pg_catalog.pg_current_snapshot()::pg_catalog.text
        else pg_catalog.concat_ws(
            ' ', pg_catalog.pg_current_xact_id_if_assigned(), pg_catalog.pg_current_snapshot()
        )
    end
$$;
comment on function pgml._snapshot() is 'equal for queries that see the same of other transactions, after the id of this one';

create function pgml._exact_json(features anyelement)
returns json
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set extra_float_digits = 1
as $$
    select to_json(features)
$$;
comment on function pgml._exact_json(anyelement) is 'to_json with all digits';

create function pgml._json(features anyelement)
returns json
language sql
stable
parallel unsafe
as $$
    select case
        when pg_catalog.current_setting('extra_float_digits')::pg_catalog.int4 operator(pg_catalog.>) 0
        then pg_catalog.to_json(features)
        else pgml._exact_json(features)
    end
$$;
comment on function pgml._json(anyelement) is 'to_json with all digits, whatever extra_float_digits says';

-- The two of plain rows, of which a query calls millions, have no search_path of their own: setting it
-- takes as long as a call. All SQL they run as their caller has qualified names and no operators.

create function pgml._predict_array(reference text, model_id bigint, features float8[], snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
as $$
    # @bootstrap@
    return GD["pgml"].array(reference, model_id, features, snapshot)
$$;
comment on function pgml._predict_array(text, bigint, float8[], text) is 'predict of a plain array';

create function pgml._predict_json(reference text, model_id bigint, features json, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
as $$
    # @bootstrap@
    return GD["pgml"].json(reference, model_id, features, snapshot)
$$;
comment on function pgml._predict_json(text, bigint, json, text) is 'predict of a row, an object or an array';

create function pgml._predict_text(reference text, model_id bigint, features text, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].value(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._predict_text(text, bigint, text, text) is 'predict of JSON, an array literal or a scalar';

create function pgml._label_json(reference text, model_id bigint, features json, snapshot text)
returns text
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].label(reference, model_id, features, snapshot, "json")
$$;
comment on function pgml._label_json(text, bigint, json, text) is 'predict_label of a row, an object or an array';

create function pgml._label_text(reference text, model_id bigint, features text, snapshot text)
returns text
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].label(reference, model_id, features, snapshot, "text")
$$;
comment on function pgml._label_text(text, bigint, text, text) is 'predict_label of JSON, an array literal or a scalar';

create function pgml._score_json(reference text, model_id bigint, features json, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].value(reference, model_id, features, snapshot, "score_json")
$$;
comment on function pgml._score_json(text, bigint, json, text) is 'score of values of any type';

create function pgml._score_text(reference text, model_id bigint, features text, snapshot text)
returns float8
language plpython3u
stable
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    return GD["pgml"].value(reference, model_id, features, snapshot, "score_text")
$$;
comment on function pgml._score_text(text, bigint, text, text) is 'score of JSON, an array literal or a scalar';
