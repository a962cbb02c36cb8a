create table pgml.published (
    project_id bigint not null references pgml.projects on delete cascade,
    output text not null,
    name text not null,
    signature text not null,
    model_id bigint not null,
    published_at timestamptz not null default now(),
    published_by name not null,
    primary key (project_id, output)
);
comment on table pgml.published is 'the SQL functions that serve projects where there is no extension';
comment on column pgml.published.output is 'prediction or probabilities';
comment on column pgml.published.name is 'of the function, with its schema';
comment on column pgml.published.signature is 'its name with the types of its parameters';
comment on column pgml.published.model_id is 'the model it was made of';

alter table pgml.published enable row level security;
create policy of_rights on pgml.published
    for select
    using (project_id in (select project_id from pgml._rights where role = current_user));
comment on policy of_rights on pgml.published is 'those of a role''s own projects and of those shared with it';
