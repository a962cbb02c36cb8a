-- What must hold for every object of the extension: each query finds those that break a rule.
set client_min_messages = warning;
create extension pgml cascade;
create temporary view members as
select d.classid, d.objid
from pg_depend d
join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
where e.extname = 'pgml' and d.deptype = 'e';
select count(*) > 50 as there_are_members from members;

-- Tables and sequences that pg_dump would leave out.
select c.relname
from members m
join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid
where c.relkind in ('r', 'S') and c.oid <> all ((select extconfig from pg_extension where extname = 'pgml')::oid[])
union
select s.relname
from members m
join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid and c.relkind = 'r'
join pg_depend d on d.refobjid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('i', 'a')
join pg_class s on s.oid = d.objid and d.classid = 'pg_class'::regclass and s.relkind = 'S'
where s.oid <> all ((select extconfig from pg_extension where extname = 'pgml')::oid[]);

-- Objects without a comment.
select pg_describe_object(classid, objid, 0)
from members
where obj_description(objid, (select relname from pg_class where oid = classid)) is null
    and not exists (
        select from pg_type t
        where classid = 'pg_type'::regclass and t.oid = objid
            and (t.typelem <> 0 or exists (select from pg_class c where c.oid = t.typrelid and c.relkind <> 'c'))
    )
    and not exists (
        select from pg_class c
        where classid = 'pg_class'::regclass and c.oid = objid and c.relkind in ('i', 'S', 'c')
    )
order by 1;

-- Functions that use plpy, or a function that does, and are not parallel unsafe.
select p.oid::regprocedure
from members m
join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
join pg_language l on l.oid = p.prolang
where p.proparallel <> 'u' and (l.lanname = 'plpython3u' or p.prosrc ~ 'pgml\._(?!vector_)');

-- Functions in PL/Python or with the owner's rights whose search_path is not fixed.
select p.oid::regprocedure
from members m
join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
join pg_language l on l.oid = p.prolang
where (l.lanname = 'plpython3u' or p.prosecdef)
    and not coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
    -- These two run a million times a query, and no SQL but with qualified names.
    and (p.prosecdef or p.proname not in ('_predict_array', '_predict_json'));

-- Anything PUBLIC may use.
select p.oid::regprocedure
from members m
join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
where p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0);
select c.relname
from members m
join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid
where exists (select from aclexplode(c.relacl) a where a.grantee = 0);

-- Tables that show everybody's rows, and views that read with their owner's rights; _rights shows who asks his own.
select c.relname
from members m
join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid
where (c.relkind = 'r' and not c.relrowsecurity and c.relname <> 'settings')
    or (c.relkind = 'v' and not coalesce(
        c.reloptions @> '{security_invoker=true}'
        or c.relname = '_rights' and c.reloptions @> '{security_barrier=true}', false
    ));

-- Predictions that are not stable.
select p.oid::regprocedure
from members m
join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
where p.proname ~ '^_?(predict|label|score|proba)' and p.provolatile <> 's';
