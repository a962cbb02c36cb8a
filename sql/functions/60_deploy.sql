create function pgml.deploy(
    project_name text,
    strategy text default 'best_score',
    algorithm text default null,
    engine text default null
)
returns pgml.deployed
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.deployed,
        pgml._do('deploy', pg_catalog.jsonb_build_object(
            'project_name', project_name,
            'strategy', strategy,
            'algorithm', algorithm,
            'engine', engine
        ))
    );
end
$$;
comment on function pgml.deploy(text, text, text, text) is 'makes a model live by a strategy';

create function pgml.deploy(model_id bigint, engine text default null)
returns pgml.deployed
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.jsonb_populate_record(
        null::pgml.deployed,
        pgml._do('deploy_model', pg_catalog.jsonb_build_object('model_id', model_id, 'engine', engine))
    );
end
$$;
comment on function pgml.deploy(bigint, text) is 'makes one model live';

create function pgml.drop_model(id bigint)
returns void
language plpgsql
volatile
parallel unsafe
as $$
begin
    perform pgml._do('drop_model', pg_catalog.jsonb_build_object('model_id', id));
end
$$;
comment on function pgml.drop_model(bigint) is 'removes a model that is not live';

create function pgml.drop_project(name text)
returns void
language plpgsql
volatile
parallel unsafe
as $$
begin
    perform pgml._do('drop_project', pg_catalog.jsonb_build_object('project_name', name));
end
$$;
comment on function pgml.drop_project(text) is 'removes a project and all its models';
