create function pgml.leaderboard(project_name text)
returns table (
    rank int,
    model_id bigint,
    algorithm text,
    hyperparams jsonb,
    metric text,
    score float8,
    std float8,
    folds int,
    train_rows bigint,
    seconds float8,
    chosen boolean,
    deployed boolean,
    note text
)
language sql
volatile
parallel unsafe
as $$
    select r.rank, r.model_id, r.algorithm, r.hyperparams, r.metric, r.score, r.std, r.folds, r.rows, r.seconds, r.chosen,
        r.deployed, r.note
    from pg_catalog.jsonb_to_recordset(pgml._do('leaderboard', pg_catalog.jsonb_build_object(
        'project_name', project_name
    ))) as r (
        rank pg_catalog.int4,
        model_id pg_catalog.int8,
        algorithm pg_catalog.text,
        hyperparams pg_catalog.jsonb,
        metric pg_catalog.text,
        score pg_catalog.float8,
        std pg_catalog.float8,
        folds pg_catalog.int4,
        rows pg_catalog.int8,
        seconds pg_catalog.float8,
        chosen pg_catalog.bool,
        deployed pg_catalog.bool,
        note pg_catalog.text
    )
    order by r.rank
$$;
comment on function pgml.leaderboard(text) is 'what the last automatic training tried, or the models of a project, the best first';
