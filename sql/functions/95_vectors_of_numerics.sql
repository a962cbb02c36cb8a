-- As array[1.0, 2.0] would otherwise fit both real[] and float8[], and be refused.

create function pgml.add(vector numeric[], addend numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8[]);
comment on function pgml.add(numeric[], numeric[]) is 'sum of two vectors, element by element';

create function pgml.add(vector numeric[], addend numeric)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8);
comment on function pgml.add(numeric[], numeric) is 'sum of each element and a number';

create function pgml.subtract(vector numeric[], subtrahend numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8[]);
comment on function pgml.subtract(numeric[], numeric[]) is 'difference of two vectors, element by element';

create function pgml.subtract(vector numeric[], subtrahend numeric)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8);
comment on function pgml.subtract(numeric[], numeric) is 'difference of each element and a number';

create function pgml.multiply(vector numeric[], multiplier numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8[]);
comment on function pgml.multiply(numeric[], numeric[]) is 'product of two vectors, element by element';

create function pgml.multiply(vector numeric[], multiplier numeric)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8);
comment on function pgml.multiply(numeric[], numeric) is 'product of each element and a number';

create function pgml.divide(vector numeric[], divisor numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8[]);
comment on function pgml.divide(numeric[], numeric[]) is 'quotient of two vectors, element by element';

create function pgml.divide(vector numeric[], divisor numeric)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8);
comment on function pgml.divide(numeric[], numeric) is 'quotient of each element and a number';

create function pgml.norm_l0(vector numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l0(vector::float8[]);
comment on function pgml.norm_l0(numeric[]) is 'number of elements that are not 0';

create function pgml.norm_l1(vector numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l1(vector::float8[]);
comment on function pgml.norm_l1(numeric[]) is 'sum of the absolute values';

create function pgml.norm_l2(vector numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l2(vector::float8[]);
comment on function pgml.norm_l2(numeric[]) is 'Euclidean length';

create function pgml.norm_max(vector numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_max(vector::float8[]);
comment on function pgml.norm_max(numeric[]) is 'greatest absolute value';

create function pgml.distance_l1(vector numeric[], other numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.distance_l1(vector::float8[], other::float8[]);
comment on function pgml.distance_l1(numeric[], numeric[]) is 'sum of the absolute differences';

create function pgml.distance_l2(vector numeric[], other numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.distance_l2(vector::float8[], other::float8[]);
comment on function pgml.distance_l2(numeric[], numeric[]) is 'Euclidean distance';

create function pgml.dot_product(vector numeric[], other numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.dot_product(vector::float8[], other::float8[]);
comment on function pgml.dot_product(numeric[], numeric[]) is 'sum of the products of elements';

create function pgml.cosine_similarity(vector numeric[], other numeric[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.cosine_similarity(vector::float8[], other::float8[]);
comment on function pgml.cosine_similarity(numeric[], numeric[]) is 'cosine of the angle between two vectors';

create function pgml.normalize_l1(vector numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_l1(vector::float8[]);
comment on function pgml.normalize_l1(numeric[]) is 'the vector brought to sum of absolute values 1';

create function pgml.normalize_l2(vector numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_l2(vector::float8[]);
comment on function pgml.normalize_l2(numeric[]) is 'the vector brought to Euclidean length 1';

create function pgml.normalize_max(vector numeric[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_max(vector::float8[]);
comment on function pgml.normalize_max(numeric[]) is 'the vector brought to greatest absolute value 1';
