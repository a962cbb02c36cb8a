create function pgml._call(verb text, arguments jsonb, search_path text)
returns pgml._outcome
language plpython3u
volatile
parallel unsafe
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
    # @bootstrap@
    return GD["pgml"].call(verb, arguments, search_path)
$$;
comment on function pgml._call(text, jsonb, text) is 'does a verb, reporting errors as a value';

create function pgml._raise(outcome pgml._outcome)
returns void
language plpgsql
volatile
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
begin
    if outcome.detail is not null and outcome.hint is not null then
        raise exception using
            errcode = outcome.sqlstate, message = outcome.message,
            detail = outcome.detail, hint = outcome.hint;
    elsif outcome.detail is not null then
        raise exception using
            errcode = outcome.sqlstate, message = outcome.message, detail = outcome.detail;
    elsif outcome.hint is not null then
        raise exception using
            errcode = outcome.sqlstate, message = outcome.message, hint = outcome.hint;
    else
        raise exception using
            errcode = outcome.sqlstate, message = outcome.message;
    end if;
end
$$;
comment on function pgml._raise(pgml._outcome) is 'raises the error of an outcome';

create function pgml._do(verb text, arguments jsonb)
returns jsonb
language plpgsql
volatile
parallel unsafe
as $$
declare
    outcome pgml._outcome;
begin
    outcome := pgml._call(verb, arguments, pg_catalog.current_setting('search_path'));
    if outcome.message is not null then
        perform pgml._raise(outcome);
    elsif outcome.notice is not null then
        raise notice '%', outcome.notice;
    end if;
    return outcome.result;
end
$$;
comment on function pgml._do(text, jsonb) is 'does a verb, raising its error or notice';
