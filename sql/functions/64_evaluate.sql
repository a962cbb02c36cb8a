create function pgml.evaluate(project_name text, relation_name text default null, cost text default null)
returns table (
    metric text,
    value float8,
    low float8,
    high float8
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('evaluate', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name,
        'cost', cost
    ))) as r (metric pg_catalog.text, value pg_catalog.float8, low pg_catalog.float8, high pg_catalog.float8)
$$;
comment on function pgml.evaluate(text, text, text) is 'the metrics of a project''s live model, on its test rows or on a relation';

create function pgml.evaluate(model_id bigint, relation_name text default null, cost text default null)
returns table (
    metric text,
    value float8,
    low float8,
    high float8
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('evaluate_model', pg_catalog.jsonb_build_object(
        'model_id', model_id,
        'relation_name', relation_name,
        'cost', cost
    ))) as r (metric pg_catalog.text, value pg_catalog.float8, low pg_catalog.float8, high pg_catalog.float8)
$$;
comment on function pgml.evaluate(bigint, text, text) is 'the metrics of one model, on its test rows or on a relation';

create function pgml.confusion_matrix(project_name text, relation_name text default null)
returns table (
    actual text,
    predicted text,
    count bigint
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('confusion_matrix', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name
    ))) as r (actual pg_catalog.text, predicted pg_catalog.text, count pg_catalog.int8)
$$;
comment on function pgml.confusion_matrix(text, text) is 'how often each label was predicted for each';

create function pgml.roc_curve(project_name text, relation_name text default null)
returns table (
    class text,
    threshold float8,
    false_positive_rate float8,
    true_positive_rate float8
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('roc_curve', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name
    ))) as r (
        class pg_catalog.text,
        threshold pg_catalog.float8,
        false_positive_rate pg_catalog.float8,
        true_positive_rate pg_catalog.float8
    )
$$;
comment on function pgml.roc_curve(text, text) is 'how true positives rise with false ones, for each class';

create function pgml.precision_recall_curve(project_name text, relation_name text default null)
returns table (
    class text,
    threshold float8,
    "precision" float8,
    recall float8
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('precision_recall_curve', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name
    ))) as r (
        class pg_catalog.text,
        threshold pg_catalog.float8,
        "precision" pg_catalog.float8,
        recall pg_catalog.float8
    )
$$;
comment on function pgml.precision_recall_curve(text, text) is 'how precision changes with recall, for each class';

create function pgml.calibration_curve(project_name text, relation_name text default null)
returns table (
    class text,
    predicted float8,
    observed float8,
    count bigint
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('calibration_curve', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name
    ))) as r (
        class pg_catalog.text,
        predicted pg_catalog.float8,
        observed pg_catalog.float8,
        count pg_catalog.int8
    )
$$;
comment on function pgml.calibration_curve(text, text) is 'how often rows of about one probability are of the class';

create function pgml.feature_importance(project_name text, relation_name text default null)
returns table (
    feature text,
    importance float8,
    deviation float8,
    own float8
)
language sql
volatile
parallel unsafe
as $$
    select *
    from pg_catalog.jsonb_to_recordset(pgml._do('feature_importance', pg_catalog.jsonb_build_object(
        'project_name', project_name,
        'relation_name', relation_name
    ))) as r (
        feature pg_catalog.text,
        importance pg_catalog.float8,
        deviation pg_catalog.float8,
        own pg_catalog.float8
    )
$$;
comment on function pgml.feature_importance(text, text) is 'how much worse the model is without each feature';
