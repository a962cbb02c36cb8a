create function pgml.grant(project_name text, role text, privilege text default 'predict')
returns void
language plpgsql
volatile
parallel unsafe
as $$
begin
    perform pgml._do('grant', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'role', role,
        'privilege', privilege
    ));
end
$$;
comment on function pgml.grant(text, text, text) is 'lets another role use a project';

create function pgml.revoke(project_name text, role text, privilege text default 'predict')
returns void
language plpgsql
volatile
parallel unsafe
as $$
begin
    perform pgml._do('revoke', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'role', role,
        'privilege', privilege
    ));
end
$$;
comment on function pgml.revoke(text, text, text) is 'takes back what was granted';
