create function pgml._vector_refusal(vector float8[], other float8[])
returns float8
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    dimensions int := greatest(array_ndims(vector), array_ndims(other));
begin
    if dimensions > 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('a vector has 1 dimension, not %s', dimensions),
            hint = 'Give one row of the array, as array(select unnest(matrix[1:1])).';
    end if;
    raise exception using
        errcode = 'array_subscript_error',
        message = format('vectors have %s and %s elements', cardinality(vector), cardinality(other)),
        hint = 'Give vectors with the same number of elements.';
end
$$;
comment on function pgml._vector_refusal(float8[], float8[]) is 'says why arrays do not go together as vectors';

create function pgml._vector_dot(vector float8[], other float8[], threshold float8)
returns float8
language sql
immutable
strict
parallel safe
-- A product below the range of float8 would be an error in PostgreSQL, and a result below that of real another.
return case
    when array_ndims(vector) > 1 or array_ndims(other) > 1 or cardinality(vector) <> cardinality(other)
        then pgml._vector_refusal(vector, other)
    when array_position(vector, null) is null and array_position(other, null) is null
        then (
            select case when abs(product) >= threshold then product else 0 end
            from (
                select sum(
                    case
                        when abs(x) < 1e-150 and abs(y) < 1 or abs(y) < 1e-150 and abs(x) < 1 then 0
                        else x * y
                    end
                ) as product
                from (select unnest(vector) as x, unnest(other) as y) as elements
            ) as products
        )
end;
comment on function pgml._vector_dot(float8[], float8[], float8) is
    'the dot product, or 0 where it is less than the threshold';

create function pgml._vector_cosine(vector float8[], other float8[], threshold float8)
returns float8
language sql
immutable
strict
parallel safe
-- Rounding may lead beyond 1, where acos would refuse it. NaN is greater than any number.
return case
    when array_ndims(vector) > 1 or array_ndims(other) > 1 or cardinality(vector) <> cardinality(other)
        then pgml._vector_refusal(vector, other)
    when array_position(vector, null) is null and array_position(other, null) is null
        then (
            select case
                when abs(cosine) < threshold then 0
                when abs(cosine) > 1 and abs(cosine) < 1.1 then sign(cosine)
                else cosine
            end
            from (
                select sum(
                    case
                        when abs(x) < 1e-150 and abs(y) < 1 or abs(y) < 1e-150 and abs(x) < 1 then 0
                        else x * y
                    end
                ) / nullif(
                    sqrt(sum(case when abs(x) < 1e-150 then 0 else x * x end))
                    * sqrt(sum(case when abs(y) < 1e-150 then 0 else y * y end)),
                    0
                ) as cosine
                from (select unnest(vector) as x, unnest(other) as y) as elements
            ) as cosines
        )
end;
comment on function pgml._vector_cosine(float8[], float8[], float8) is
    'the cosine, or 0 where it is less than the threshold';

create function pgml._vector_scaled(vector float8[], norm float8, threshold float8)
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when norm = 0 then vector
    else array(
        select case when norm >= 1 and abs(x) < threshold * norm then 0 else x / norm end
        from (select unnest(vector) as x) as elements
    )
end;
comment on function pgml._vector_scaled(float8[], float8, float8) is
    'a vector by its norm, elements less than the threshold being 0';
