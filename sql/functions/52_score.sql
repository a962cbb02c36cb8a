create function pgml.score(model text, variadic features float8[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_json(
        model, null, pg_catalog.to_jsonb(features),
        case when pg_catalog.pg_current_xact_id_if_assigned() is null and not pg_catalog.pg_is_in_recovery()
            then pg_catalog.pg_current_snapshot()::text end
    )
$$;
comment on function pgml.score(text, variadic float8[]) is 'predicts, imputing what is missing at the end';

create function pgml.score(model text, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_json(
        model, null, pg_catalog.to_jsonb(features),
        case when pg_catalog.pg_current_xact_id_if_assigned() is null and not pg_catalog.pg_is_in_recovery()
            then pg_catalog.pg_current_snapshot()::text end
    )
$$;
comment on function pgml.score(text, anyelement) is 'predicts, imputing what is missing at the end';

create function pgml.score(model text, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_text(
        model, null, features,
        case when pg_catalog.pg_current_xact_id_if_assigned() is null and not pg_catalog.pg_is_in_recovery()
            then pg_catalog.pg_current_snapshot()::text end
    )
$$;
comment on function pgml.score(text, text) is 'predicts, imputing what is missing at the end';
