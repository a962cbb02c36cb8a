-- A square below the range of float8 would be an error in PostgreSQL, so very small elements count as 0.

create function pgml.norm_l0(vector float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then pgml._vector_refusal(vector, vector)
    when array_position(vector, null) is null
        then (
            select coalesce(sum(case when x = 0 then 0 else 1 end)::float8, 0)
            from (select unnest(vector) as x) as elements
        )
end;
comment on function pgml.norm_l0(float8[]) is 'number of elements that are not 0';

create function pgml.norm_l1(vector float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then pgml._vector_refusal(vector, vector)
    when array_position(vector, null) is null
        then (
            select coalesce(sum(abs(x)), 0)
            from (select unnest(vector) as x) as elements
        )
end;
comment on function pgml.norm_l1(float8[]) is 'sum of the absolute values';

create function pgml.norm_l2(vector float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then pgml._vector_refusal(vector, vector)
    when array_position(vector, null) is null
        then (
            select coalesce(sqrt(sum(case when abs(x) < 1e-150 then 0 else x * x end)), 0)
            from (select unnest(vector) as x) as elements
        )
end;
comment on function pgml.norm_l2(float8[]) is 'Euclidean length';

create function pgml.norm_max(vector float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then pgml._vector_refusal(vector, vector)
    when array_position(vector, null) is null
        then (
            select coalesce(max(abs(x)), 0)
            from (select unnest(vector) as x) as elements
        )
end;
comment on function pgml.norm_max(float8[]) is 'greatest absolute value';

create function pgml.distance_l1(vector float8[], other float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(other) > 1 or cardinality(vector) <> cardinality(other)
        then pgml._vector_refusal(vector, other)
    when array_position(vector, null) is null and array_position(other, null) is null
        then (
            select coalesce(sum(abs(d)), 0)
            from (select unnest(vector) - unnest(other) as d) as elements
        )
end;
comment on function pgml.distance_l1(float8[], float8[]) is 'sum of the absolute differences';

create function pgml.distance_l2(vector float8[], other float8[])
returns float8
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(other) > 1 or cardinality(vector) <> cardinality(other)
        then pgml._vector_refusal(vector, other)
    when array_position(vector, null) is null and array_position(other, null) is null
        then (
            select coalesce(sqrt(sum(case when abs(d) < 1e-150 then 0 else d * d end)), 0)
            from (select unnest(vector) - unnest(other) as d) as elements
        )
end;
comment on function pgml.distance_l2(float8[], float8[]) is 'Euclidean distance';

create function pgml.dot_product(vector float8[], other float8[])
returns float8
language sql
immutable
strict
parallel safe
return pgml._vector_dot(vector, other, 0);
comment on function pgml.dot_product(float8[], float8[]) is 'sum of the products of elements';

create function pgml.cosine_similarity(vector float8[], other float8[])
returns float8
language sql
immutable
strict
parallel safe
return pgml._vector_cosine(vector, other, 0);
comment on function pgml.cosine_similarity(float8[], float8[]) is 'cosine of the angle between two vectors';

create function pgml.normalize_l1(vector float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector, pgml.norm_l1(vector), 1e-300);
comment on function pgml.normalize_l1(float8[]) is 'the vector brought to sum of absolute values 1';

create function pgml.normalize_l2(vector float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector, pgml.norm_l2(vector), 1e-300);
comment on function pgml.normalize_l2(float8[]) is 'the vector brought to Euclidean length 1';

create function pgml.normalize_max(vector float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector, pgml.norm_max(vector), 1e-300);
comment on function pgml.normalize_max(float8[]) is 'the vector brought to greatest absolute value 1';
