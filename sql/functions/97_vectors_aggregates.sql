create aggregate pgml.sum(vector anyarray) (
    sfunc = pgml._vector_sum,
    stype = float8[],
    finalfunc = pgml._vector_result,
    finalfunc_extra,
    combinefunc = pgml._vector_sum,
    parallel = safe
);
comment on aggregate pgml.sum(anyarray) is 'element-wise sum of vectors';

create aggregate pgml.max(vector anyarray) (
    sfunc = pgml._vector_max,
    stype = float8[],
    finalfunc = pgml._vector_result,
    finalfunc_extra,
    combinefunc = pgml._vector_max,
    parallel = safe
);
comment on aggregate pgml.max(anyarray) is 'element-wise maximum of vectors';

create aggregate pgml.min(vector anyarray) (
    sfunc = pgml._vector_min,
    stype = float8[],
    finalfunc = pgml._vector_result,
    finalfunc_extra,
    combinefunc = pgml._vector_min,
    parallel = safe
);
comment on aggregate pgml.min(anyarray) is 'element-wise minimum of vectors';

create aggregate pgml.max_abs(vector anyarray) (
    sfunc = pgml._vector_max_abs,
    stype = float8[],
    finalfunc = pgml._vector_result,
    finalfunc_extra,
    combinefunc = pgml._vector_max_abs,
    parallel = safe
);
comment on aggregate pgml.max_abs(anyarray) is 'element-wise maximum of the absolute values';

create aggregate pgml.min_abs(vector anyarray) (
    sfunc = pgml._vector_min_abs,
    stype = float8[],
    finalfunc = pgml._vector_result,
    finalfunc_extra,
    combinefunc = pgml._vector_min_abs,
    parallel = safe
);
comment on aggregate pgml.min_abs(anyarray) is 'element-wise minimum of the absolute values';
