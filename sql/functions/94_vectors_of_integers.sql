-- As array[1, 2] would otherwise fit both real[] and float8[], and be refused.

create function pgml.add(vector int[], addend int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8[]);
comment on function pgml.add(int[], int[]) is 'sum of two vectors, element by element';

create function pgml.add(vector int[], addend int)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.add(vector::float8[], addend::float8);
comment on function pgml.add(int[], int) is 'sum of each element and a number';

create function pgml.subtract(vector int[], subtrahend int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8[]);
comment on function pgml.subtract(int[], int[]) is 'difference of two vectors, element by element';

create function pgml.subtract(vector int[], subtrahend int)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.subtract(vector::float8[], subtrahend::float8);
comment on function pgml.subtract(int[], int) is 'difference of each element and a number';

create function pgml.multiply(vector int[], multiplier int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8[]);
comment on function pgml.multiply(int[], int[]) is 'product of two vectors, element by element';

create function pgml.multiply(vector int[], multiplier int)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.multiply(vector::float8[], multiplier::float8);
comment on function pgml.multiply(int[], int) is 'product of each element and a number';

create function pgml.divide(vector int[], divisor int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8[]);
comment on function pgml.divide(int[], int[]) is 'quotient of two vectors, element by element';

create function pgml.divide(vector int[], divisor int)
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.divide(vector::float8[], divisor::float8);
comment on function pgml.divide(int[], int) is 'quotient of each element and a number';

create function pgml.norm_l0(vector int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l0(vector::float8[]);
comment on function pgml.norm_l0(int[]) is 'number of elements that are not 0';

create function pgml.norm_l1(vector int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l1(vector::float8[]);
comment on function pgml.norm_l1(int[]) is 'sum of the absolute values';

create function pgml.norm_l2(vector int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_l2(vector::float8[]);
comment on function pgml.norm_l2(int[]) is 'Euclidean length';

create function pgml.norm_max(vector int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.norm_max(vector::float8[]);
comment on function pgml.norm_max(int[]) is 'greatest absolute value';

create function pgml.distance_l1(vector int[], other int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.distance_l1(vector::float8[], other::float8[]);
comment on function pgml.distance_l1(int[], int[]) is 'sum of the absolute differences';

create function pgml.distance_l2(vector int[], other int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.distance_l2(vector::float8[], other::float8[]);
comment on function pgml.distance_l2(int[], int[]) is 'Euclidean distance';

create function pgml.dot_product(vector int[], other int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.dot_product(vector::float8[], other::float8[]);
comment on function pgml.dot_product(int[], int[]) is 'sum of the products of elements';

create function pgml.cosine_similarity(vector int[], other int[])
returns float8
language sql
immutable
strict
parallel safe
return pgml.cosine_similarity(vector::float8[], other::float8[]);
comment on function pgml.cosine_similarity(int[], int[]) is 'cosine of the angle between two vectors';

create function pgml.normalize_l1(vector int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_l1(vector::float8[]);
comment on function pgml.normalize_l1(int[]) is 'the vector brought to sum of absolute values 1';

create function pgml.normalize_l2(vector int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_l2(vector::float8[]);
comment on function pgml.normalize_l2(int[]) is 'the vector brought to Euclidean length 1';

create function pgml.normalize_max(vector int[])
returns float8[]
language sql
immutable
strict
parallel safe
return pgml.normalize_max(vector::float8[]);
comment on function pgml.normalize_max(int[]) is 'the vector brought to greatest absolute value 1';
