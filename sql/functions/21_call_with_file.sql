create function pgml._call_with_file(verb text, arguments jsonb, file bytea, search_path text)
returns pgml._filed
language plpython3u
volatile
parallel unsafe
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
    # @bootstrap@
    return GD["pgml"].call_with_file(verb, arguments, file, search_path)
$$;
comment on function pgml._call_with_file(text, jsonb, bytea, text) is 'does a verb that takes or gives a file, reporting errors as a value';

create function pgml._do_with_file(verb text, arguments jsonb, file bytea)
returns pgml._filed
language plpgsql
volatile
parallel unsafe
as $$
declare
    found pgml._filed;
begin
    found := pgml._call_with_file(verb, arguments, file, pg_catalog.current_setting('search_path'));
    if (found.outcome).message is not null then
        perform pgml._raise(found.outcome);
    elsif (found.outcome).notice is not null then
        raise notice '%', (found.outcome).notice;
    end if;
    return found;
end
$$;
comment on function pgml._do_with_file(text, jsonb, bytea) is 'does a verb that takes or gives a file, raising its error or notice';
