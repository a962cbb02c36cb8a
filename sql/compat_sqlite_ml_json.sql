-- SQLite's ways to make JSON, where the caller may define such functions, which takes a superuser. PostgreSQL's
-- own json_object takes one or two arguments, so this one takes three and more; 16 and later have a json_array,
-- and take both names for keywords.
do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;
    create or replace function "json_object"(key text, value "any", variadic more "any") returns json
    language internal stable parallel safe
    as 'json_build_object';
    comment on function "json_object"(text, "any", "any") is 'an object of keys and values in turn';

    if current_setting('server_version_num')::int < 160000 then
        execute 'create or replace function json_array(variadic elements "any") returns json
            language internal stable parallel safe
            as ''json_build_array''';
        execute 'comment on function json_array("any") is ''an array of its arguments''';
    end if;

    create or replace aggregate json_group_array(value anyelement) (
        sfunc = json_agg_transfn, stype = internal, finalfunc = json_agg_finalfn
    );
    comment on aggregate json_group_array(anyelement) is 'an array of all values';
end
$$;
