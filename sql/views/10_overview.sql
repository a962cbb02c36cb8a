create view pgml.overview with (security_invoker = true) as
select
    p.name as project,
    p.task,
    p.targets,
    p.relation_name,
    m.algorithm,
    m.name as model,
    m.id as model_id,
    m.metric,
    m.score,
    (select count(*) from pgml.models c where c.project_id = p.id) as candidates,
    d.created_at as deployed_at,
    p.owner,
    (m.metrics -> (m.metric || '_interval') ->> 0)::float8 as score_low,
    (m.metrics -> (m.metric || '_interval') ->> 1)::float8 as score_high,
    p.name,
    'local'::text as runtime,
    p.targets as y_column_name,
    p.test_sampling,
    p.test_size
from pgml.projects p
left join lateral (
    select d.model_id, d.created_at
    from pgml.deployments d
    where d.project_id = p.id
    order by d.id desc
    limit 1
) d on true
left join pgml.models m on m.id = d.model_id;
comment on view pgml.overview is 'each project with its live model';
comment on column pgml.overview.candidates is 'models compared on the project''s test rows';
comment on column pgml.overview.score_low is 'with score_high the interval of 95 % in which the score lies on other rows';
comment on column pgml.overview.name is 'with the columns after it as PostgresML calls them';

create view pgml.trained_models with (security_invoker = true) as
select
    m.id as model_id,
    m.name as model,
    p.name as project,
    p.task,
    m.algorithm,
    m.hyperparams,
    m.metric,
    m.score,
    m.metrics,
    m.columns,
    s.relation_name,
    s.row_count,
    m.size,
    m.versions,
    m.created_at,
    m.created_by,
    s.materialized,
    (m.metrics -> (m.metric || '_interval') ->> 0)::float8 as score_low,
    (m.metrics -> (m.metric || '_interval') ->> 1)::float8 as score_high,
    m.id,
    p.name,
    'local'::text as runtime,
    p.test_sampling,
    p.test_size,
    coalesce(
        m.id = (
            select d.model_id from pgml.deployments d where d.project_id = p.id order by d.id desc limit 1
        ),
        false
    ) as deployed,
    m.source
from pgml.models m
join pgml.projects p on p.id = m.project_id
left join pgml.snapshots s on s.id = m.snapshot_id;
comment on view pgml.trained_models is 'every model, with what it was trained on and its metrics';
comment on column pgml.trained_models.score_low is 'with score_high the interval of 95 % in which the score lies on other rows';
comment on column pgml.trained_models.id is 'with the columns after it as PostgresML calls them';

create view pgml.deployed_models with (security_invoker = true) as
select
    d.id as deployment_id,
    p.name as project,
    m.id as model_id,
    m.name as model,
    m.algorithm,
    d.strategy,
    d.id = max(d.id) over (partition by d.project_id) as live,
    d.created_at,
    d.created_by,
    m.id,
    p.name,
    p.task,
    'local'::text as runtime,
    d.created_at as deployed_at,
    case when d.statement is not null then 'sql' when m.id is not null then 'graph' end as engine
from pgml.deployments d
join pgml.projects p on p.id = d.project_id
left join pgml.models m on m.id = d.model_id;
comment on view pgml.deployed_models is 'history of what was live';
comment on column pgml.deployed_models.engine is 'what answers pgml.predict: the graph, or SQL written of it';
comment on column pgml.deployed_models.id is 'of the model; with the columns after it as PostgresML calls them';
