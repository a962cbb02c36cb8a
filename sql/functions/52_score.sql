create function pgml.score(model text, variadic features float8[])
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_json(model, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.score(text, variadic float8[]) is 'predicts, imputing what is missing at the end';

create function pgml.score(model text, features anyelement)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_json(model, null, pgml._json(features), pgml._snapshot())
$$;
comment on function pgml.score(text, anyelement) is 'predicts, imputing what is missing at the end';

create function pgml.score(model text, features text)
returns float8
language sql
stable
parallel unsafe
as $$
    select pgml._score_text(model, null, features, pgml._snapshot())
$$;
comment on function pgml.score(text, text) is 'predicts, imputing what is missing at the end';
