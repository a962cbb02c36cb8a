-- Computed in float8 and rounded once, at the end.

create function pgml.add(vector real[], addend real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8[])::real[];
comment on function pgml.add(real[], real[]) is 'sum of two vectors, element by element';

create function pgml.add(vector real[], addend real)
returns real[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8)::real[];
comment on function pgml.add(real[], real) is 'sum of each element and a number';

create function pgml.subtract(vector real[], subtrahend real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8[])::real[];
comment on function pgml.subtract(real[], real[]) is 'difference of two vectors, element by element';

create function pgml.subtract(vector real[], subtrahend real)
returns real[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8)::real[];
comment on function pgml.subtract(real[], real) is 'difference of each element and a number';

create function pgml.multiply(vector real[], multiplier real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8[])::real[];
comment on function pgml.multiply(real[], real[]) is 'product of two vectors, element by element';

create function pgml.multiply(vector real[], multiplier real)
returns real[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8)::real[];
comment on function pgml.multiply(real[], real) is 'product of each element and a number';

create function pgml.divide(vector real[], divisor real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8[])::real[];
comment on function pgml.divide(real[], real[]) is 'quotient of two vectors, element by element';

create function pgml.divide(vector real[], divisor real)
returns real[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8)::real[];
comment on function pgml.divide(real[], real) is 'quotient of each element and a number';

create function pgml.norm_l0(vector real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.norm_l0(vector::float8[])::real;
comment on function pgml.norm_l0(real[]) is 'number of elements that are not 0';

create function pgml.norm_l1(vector real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.norm_l1(vector::float8[])::real;
comment on function pgml.norm_l1(real[]) is 'sum of the absolute values';

create function pgml.norm_l2(vector real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.norm_l2(vector::float8[])::real;
comment on function pgml.norm_l2(real[]) is 'Euclidean length';

create function pgml.norm_max(vector real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.norm_max(vector::float8[])::real;
comment on function pgml.norm_max(real[]) is 'greatest absolute value';

create function pgml.distance_l1(vector real[], other real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.distance_l1(vector::float8[], other::float8[])::real;
comment on function pgml.distance_l1(real[], real[]) is 'sum of the absolute differences';

create function pgml.distance_l2(vector real[], other real[])
returns real
language sql
immutable
strict
parallel safe
return pgml.distance_l2(vector::float8[], other::float8[])::real;
comment on function pgml.distance_l2(real[], real[]) is 'Euclidean distance';

create function pgml.dot_product(vector real[], other real[])
returns real
language sql
immutable
strict
parallel safe
return pgml._vector_dot(vector::float8[], other::float8[], 1e-37)::real;
comment on function pgml.dot_product(real[], real[]) is 'sum of the products of elements';

create function pgml.cosine_similarity(vector real[], other real[])
returns real
language sql
immutable
strict
parallel safe
return pgml._vector_cosine(vector::float8[], other::float8[], 1e-37)::real;
comment on function pgml.cosine_similarity(real[], real[]) is 'cosine of the angle between two vectors';

create function pgml.normalize_l1(vector real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector::float8[], pgml.norm_l1(vector::float8[]), 1e-37)::real[];
comment on function pgml.normalize_l1(real[]) is 'the vector brought to sum of absolute values 1';

create function pgml.normalize_l2(vector real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector::float8[], pgml.norm_l2(vector::float8[]), 1e-37)::real[];
comment on function pgml.normalize_l2(real[]) is 'the vector brought to Euclidean length 1';

create function pgml.normalize_max(vector real[])
returns real[]
language sql
immutable
strict
parallel safe
return pgml._vector_scaled(vector::float8[], pgml.norm_max(vector::float8[]), 1e-37)::real[];
comment on function pgml.normalize_max(real[]) is 'the vector brought to greatest absolute value 1';
