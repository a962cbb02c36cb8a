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

create type pgml.snapshotted as (
    relation text,
    row_count bigint,
    data_hash text
);
comment on type pgml.snapshotted is 'the copy of a relation';

create type pgml._outcome as (
    result jsonb,
    notice text,
    message text,
    sqlstate text,
    detail text,
    hint text
);
comment on type pgml._outcome is 'a result, or an error to be raised';

create type pgml._filed as (
    outcome pgml._outcome,
    file bytea
);
comment on type pgml._filed is 'a result with a file, or an error to be raised';

create type pgml.predicted as (
    key jsonb,
    prediction float8,
    label text,
    probability float8
);
comment on type pgml.predicted is 'the prediction of one row of a relation';

create type pgml._chunk as (
    outcome pgml._outcome,
    keys jsonb,
    predictions text,
    codes text,
    probabilities text,
    labels text[]
);
comment on type pgml._chunk is 'predictions of many rows, as literals of arrays';

create type pgml.cached as (
    project text,
    model text,
    model_id bigint,
    bytes bigint
);
comment on type pgml.cached is 'a model held in memory, with an estimate of what it takes';
