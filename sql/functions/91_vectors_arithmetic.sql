-- The bodies are parsed here and now, so no search_path of a caller changes what an operator means.

create function pgml.add(vector float8[], addend float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(addend) > 1
            or cardinality(vector) <> cardinality(addend)
        then array[pgml._vector_refusal(vector, addend)]
    else array(select unnest(vector) + unnest(addend))
end;
comment on function pgml.add(float8[], float8[]) is 'sum of two vectors, element by element';

create function pgml.add(vector float8[], addend float8)
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then array[pgml._vector_refusal(vector, vector)]
    else array(select unnest(vector) + addend)
end;
comment on function pgml.add(float8[], float8) is 'sum of each element and a number';

create function pgml.subtract(vector float8[], subtrahend float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(subtrahend) > 1
            or cardinality(vector) <> cardinality(subtrahend)
        then array[pgml._vector_refusal(vector, subtrahend)]
    else array(select unnest(vector) - unnest(subtrahend))
end;
comment on function pgml.subtract(float8[], float8[]) is 'difference of two vectors, element by element';

create function pgml.subtract(vector float8[], subtrahend float8)
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then array[pgml._vector_refusal(vector, vector)]
    else array(select unnest(vector) - subtrahend)
end;
comment on function pgml.subtract(float8[], float8) is 'difference of each element and a number';

create function pgml.multiply(vector float8[], multiplier float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(multiplier) > 1
            or cardinality(vector) <> cardinality(multiplier)
        then array[pgml._vector_refusal(vector, multiplier)]
    else array(select unnest(vector) * unnest(multiplier))
end;
comment on function pgml.multiply(float8[], float8[]) is 'product of two vectors, element by element';

create function pgml.multiply(vector float8[], multiplier float8)
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then array[pgml._vector_refusal(vector, vector)]
    else array(select unnest(vector) * multiplier)
end;
comment on function pgml.multiply(float8[], float8) is 'product of each element and a number';

create function pgml.divide(vector float8[], divisor float8[])
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 or array_ndims(divisor) > 1
            or cardinality(vector) <> cardinality(divisor)
        then array[pgml._vector_refusal(vector, divisor)]
    else array(select unnest(vector) / unnest(divisor))
end;
comment on function pgml.divide(float8[], float8[]) is 'quotient of two vectors, element by element';

create function pgml.divide(vector float8[], divisor float8)
returns float8[]
language sql
immutable
strict
parallel safe
return case
    when array_ndims(vector) > 1 then array[pgml._vector_refusal(vector, vector)]
    else array(select unnest(vector) / divisor)
end;
comment on function pgml.divide(float8[], float8) is 'quotient of each element and a number';
