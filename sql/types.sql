create type pgml.trained as (
    project text,
    task text,
    algorithm text,
    deployed boolean,
    model_id bigint,
    model text,
    metric text,
    score float8
);
comment on type pgml.trained is 'what a training made';

create type pgml.deployed as (
    project text,
    strategy text,
    algorithm text,
    model_id bigint,
    model text
);
comment on type pgml.deployed is 'which model is live';

create type pgml._outcome as (
    result jsonb,
    notice text,
    message text,
    sqlstate text,
    detail text,
    hint text
);
comment on type pgml._outcome is 'a result, or an error to be raised';
