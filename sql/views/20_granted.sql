create view pgml.granted with (security_invoker = true) as
select
    p.name as project,
    p.owner,
    g.grantee,
    g.privilege,
    g.granted_by,
    g.granted_at
from pgml.grants g
join pgml.projects p on p.id = g.project_id;
comment on view pgml.granted is 'who else may use a role''s projects';
