create or replace view sqml_experiments with (security_invoker = true) as
select id, created_at, created_at as updated_at, name, task as prediction_type
from pgml.projects;
comment on view sqml_experiments is 'what is predicted';

create or replace view sqml_runs with (security_invoker = true) as
select
    m.id,
    m.created_at,
    m.created_at as updated_at,
    'success'::text as status,
    m.algorithm,
    s.relation_name as dataset,
    p.targets[1] as target,
    p.test_size,
    'shuffle'::text as split_strategy,
    p.id as experiment_id
from pgml.models m
join pgml.projects p on p.id = m.project_id
join pgml.snapshots s on s.id = m.snapshot_id;
comment on view sqml_runs is 'trainings; those that failed left nothing';

create or replace view sqml_models with (security_invoker = true) as
select
    id,
    created_at,
    created_at as updated_at,
    id as run_id,
    coalesce(substring(algorithm from '^(xgboost|lightgbm|catboost)'), 'scikit-learn') as library,
    artifact as data
from pgml.models;
comment on view sqml_models is 'fitted models';
comment on column sqml_models.data is 'in the format of pgml; the first part of a large one';

create or replace view sqml_metrics with (security_invoker = true) as
select
    m.id * 8 + k.place as id,
    m.created_at,
    m.created_at as updated_at,
    m.id as model_id,
    k.name,
    coalesce((m.metrics ->> k.measure)::float8, m.score) as value
from pgml.models m
join (
    values
        (0, 'score', ''), (1, 'r2', 'r2'), (2, 'mae', 'mean_absolute_error'),
        (3, 'rmse', 'root_mean_squared_error'), (4, 'accuracy', 'accuracy'), (5, 'f1', 'f1'),
        (6, 'precision', 'precision'), (7, 'recall', 'recall')
) as k(place, name, measure) on m.metrics ->> k.measure is not null or k.place = 0 and m.score is not null;
comment on view sqml_metrics is 'metrics of each model on its test rows';

create or replace view sqml_deployments with (security_invoker = true) as
select
    id,
    created_at,
    created_at as updated_at,
    project_id as experiment_id,
    model_id,
    id = max(id) over (partition by project_id) as active
from pgml.deployments;
comment on view sqml_deployments is 'history of what was live';

create or replace view sqml_runs_overview with (security_invoker = true) as
select
    m.id as run_id,
    p.name as experiment,
    m.created_at as start_time,
    'success'::text as status,
    m.algorithm,
    m.score
from pgml.models m
join pgml.projects p on p.id = m.project_id;
comment on view sqml_runs_overview is 'every run with its score';
