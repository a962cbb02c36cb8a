-- Over anyarray, as max and min of pg_catalog are: whoever has schema pgml in search_path goes on using those,
-- and no call of theirs becomes ambiguous. Before the first vector state is NULL, and unnest of it gives NULLs.

create function pgml._vector_sum(state float8[], vector anyarray)
returns float8[]
language plpgsql
immutable
parallel safe
as $$
begin
    if vector is null then
        return state;
    elsif pg_catalog.array_ndims(vector) operator(pg_catalog.>) 1
        or pg_catalog.cardinality(state) operator(pg_catalog.<>) pg_catalog.cardinality(vector)
    then
        perform pgml._vector_refusal(state, vector::pg_catalog.float8[]);
    end if;
    return array(
        select coalesce(s operator(pg_catalog.+) x, s, x)
        from (
            select pg_catalog.unnest(state) as s, pg_catalog.unnest(vector::pg_catalog.float8[]) as x
        ) as elements
    );
end
$$;
comment on function pgml._vector_sum(float8[], anyarray) is 'adds a vector to a sum';

create function pgml._vector_max(state float8[], vector anyarray)
returns float8[]
language plpgsql
immutable
parallel safe
as $$
begin
    if vector is null then
        return state;
    elsif pg_catalog.array_ndims(vector) operator(pg_catalog.>) 1
        or pg_catalog.cardinality(state) operator(pg_catalog.<>) pg_catalog.cardinality(vector)
    then
        perform pgml._vector_refusal(state, vector::pg_catalog.float8[]);
    end if;
    return array(
        select greatest(s, x)
        from (
            select pg_catalog.unnest(state) as s, pg_catalog.unnest(vector::pg_catalog.float8[]) as x
        ) as elements
    );
end
$$;
comment on function pgml._vector_max(float8[], anyarray) is 'takes the greater elements';

create function pgml._vector_min(state float8[], vector anyarray)
returns float8[]
language plpgsql
immutable
parallel safe
as $$
begin
    if vector is null then
        return state;
    elsif pg_catalog.array_ndims(vector) operator(pg_catalog.>) 1
        or pg_catalog.cardinality(state) operator(pg_catalog.<>) pg_catalog.cardinality(vector)
    then
        perform pgml._vector_refusal(state, vector::pg_catalog.float8[]);
    end if;
    return array(
        select least(s, x)
        from (
            select pg_catalog.unnest(state) as s, pg_catalog.unnest(vector::pg_catalog.float8[]) as x
        ) as elements
    );
end
$$;
comment on function pgml._vector_min(float8[], anyarray) is 'takes the lesser elements';

create function pgml._vector_max_abs(state float8[], vector anyarray)
returns float8[]
language plpgsql
immutable
parallel safe
as $$
begin
    if vector is null then
        return state;
    elsif pg_catalog.array_ndims(vector) operator(pg_catalog.>) 1
        or pg_catalog.cardinality(state) operator(pg_catalog.<>) pg_catalog.cardinality(vector)
    then
        perform pgml._vector_refusal(state, vector::pg_catalog.float8[]);
    end if;
    return array(
        select greatest(s, pg_catalog.abs(x))
        from (
            select pg_catalog.unnest(state) as s, pg_catalog.unnest(vector::pg_catalog.float8[]) as x
        ) as elements
    );
end
$$;
comment on function pgml._vector_max_abs(float8[], anyarray) is 'takes the greater absolute values';

create function pgml._vector_min_abs(state float8[], vector anyarray)
returns float8[]
language plpgsql
immutable
parallel safe
as $$
begin
    if vector is null then
        return state;
    elsif pg_catalog.array_ndims(vector) operator(pg_catalog.>) 1
        or pg_catalog.cardinality(state) operator(pg_catalog.<>) pg_catalog.cardinality(vector)
    then
        perform pgml._vector_refusal(state, vector::pg_catalog.float8[]);
    end if;
    return array(
        select least(s, pg_catalog.abs(x))
        from (
            select pg_catalog.unnest(state) as s, pg_catalog.unnest(vector::pg_catalog.float8[]) as x
        ) as elements
    );
end
$$;
comment on function pgml._vector_min_abs(float8[], anyarray) is 'takes the lesser absolute values';

create function pgml._vector_result(state float8[], vector anyarray)
returns anyarray
language plpgsql
immutable
parallel safe
as $$
begin
    return state;
end
$$;
comment on function pgml._vector_result(float8[], anyarray) is 'an aggregate in the type of its vectors';
