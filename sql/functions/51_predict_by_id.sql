create function pgml.predict(model_id bigint, features float8[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict(bigint, float8[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features real[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.text::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, real[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features numeric[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, numeric[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features smallint[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, smallint[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features int[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, int[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features bigint[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, bigint[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features boolean[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(null, model_id, features::pg_catalog.int4[]::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(bigint, boolean[]) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict(bigint, anyelement) is 'predicts a number by one model';

create function pgml.predict(model_id bigint, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict(bigint, text) is 'predicts a number by one model';

create function pgml.predict_label(model_id bigint, features anyelement)
returns text
language sql
stable
parallel unsafe
as $$
    select pgml._label_json(null, model_id, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_label(bigint, anyelement) is 'predicts a label by one model';

create function pgml.predict_label(model_id bigint, features text)
returns text
language sql
stable
parallel unsafe
as $$
    select pgml._label_text(null, model_id, features, pgml._snapshot())
$$;
comment on function pgml.predict_label(bigint, text) is 'predicts a label by one model';
