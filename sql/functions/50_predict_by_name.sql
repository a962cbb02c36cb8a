create function pgml.predict(project_name text, features float8[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict(text, float8[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features real[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.text::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, real[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features numeric[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, numeric[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features smallint[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, smallint[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features int[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, int[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features bigint[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, bigint[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features boolean[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_array(project_name, null, features::pg_catalog.int4[]::pg_catalog.float8[], pgml._snapshot())
$$;
comment on function pgml.predict(text, boolean[]) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict(text, anyelement) is 'predicts a number by the live model of a project';

create function pgml.predict(project_name text, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._predict_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict(text, text) is 'predicts a number by the live model of a project';

create function pgml.predict_label(project_name text, features anyelement)
returns text
language sql
stable
parallel unsafe
as $$
    select pgml._label_json(project_name, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.predict_label(text, anyelement) is 'predicts a label by the live model of a project';

create function pgml.predict_label(project_name text, features text)
returns text
language sql
stable
parallel unsafe
as $$
    select pgml._label_text(project_name, null, features, pgml._snapshot())
$$;
comment on function pgml.predict_label(text, text) is 'predicts a label by the live model of a project';
