create table pgml.trials (
    model_id bigint not null references pgml.models on delete cascade,
    trial int not null,
    parameters jsonb not null,
    scores float8[] not null,
    score float8,
    deviation float8,
    train_rows bigint not null,
    seconds float8 not null,
    error text,
    best boolean not null,
    iteration int,
    particle int,
    train_score float8,
    cost float8,
    kept boolean,
    algorithm text,
    primary key (model_id, trial)
);
comment on table pgml.trials is 'what the searches have tried that models came from';
comment on column pgml.trials.trial is 'counts within the search, in the order of the trials';
comment on column pgml.trials.parameters is 'the hyperparameters that were searched for';
comment on column pgml.trials.scores is 'by fold of the training rows; null where the metric is undefined';
comment on column pgml.trials.score is 'mean over the folds; null if the trial failed';
comment on column pgml.trials.deviation is 'standard deviation over the folds';
comment on column pgml.trials.train_rows is 'on how many rows a fold was trained at most';
comment on column pgml.trials.seconds is 'of all folds';
comment on column pgml.trials.error is 'why it failed';
comment on column pgml.trials.best is 'the model has its hyperparameters';
comment on column pgml.trials.iteration is 'of a swarm, from 1; null for other searches, as what follows';
comment on column pgml.trials.particle is 'of the swarm, from 1';
comment on column pgml.trials.train_score is 'mean over the folds, on the rows they were trained on';
comment on column pgml.trials.cost is 'what the swarm made as small as it could; null if the trial failed';
comment on column pgml.trials.kept is 'its cost was the least so far';
comment on column pgml.trials.algorithm is 'of an automatic training; null for a search, which has the model''s';

alter table pgml.trials enable row level security;
create policy of_models on pgml.trials
    for select
    using (model_id in (select id from pgml.models));
comment on policy of_models on pgml.trials is 'those of the models a role sees';

select pg_catalog.pg_extension_config_dump('pgml.trials', '');
