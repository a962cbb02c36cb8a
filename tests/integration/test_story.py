"""The product's promise as one script: users and orders, a view, train, score, predict by row."""

import time

from tests.cluster import Cluster

STORY = """
create table users (
    id int primary key, email text not null, age int, location text, created_at timestamptz not null
);
create table orders (
    id int primary key, user_id int not null references users, amount numeric(10, 2) not null
);

select setseed(0.5);
insert into users
select
    n,
    'user' || n || '@example.com',
    case when n % 17 <> 0 then 18 + (random() * 60)::int end,
    (array['Paris', 'Lyon', 'Nice', null])[1 + (random() * 3)::int],
    now() - random() * interval '6 years'
from generate_series(1, 2000) n;
insert into orders
select row_number() over (), u.id, round((5 + random() * 40 + coalesce(u.age, 40) / 2.0)::numeric, 2)
from users u, generate_series(1, 1 + extract(year from age(now(), u.created_at))::int * 2)
where u.id % 10 <> 0;

create view my_data as
select now() - u.created_at as user_tenure, u.age, u.location, sum(o.amount) as total_purchases
from users u
left join orders o on o.user_id = u.id
group by u.id;
"""


def test_empty_database_to_prediction(cluster: Cluster, database: str) -> None:
    started = time.monotonic()
    result = cluster.psql(
        database,
        STORY
        + """
        select project, task, algorithm, deployed, metric, score > 0.5
        from pgml.train('my_data', 'total_purchases');
        select project, task, algorithm, model from pgml.train('my_data', 'total_purchases', 'xgboost');
        select pgml.score('my_data', '2 years'::interval) between 100 and 400;
        select pgml.score('my_data', row('2 years'::interval, 35, 'Paris')) between 100 and 400;
        select count(*), count(pgml.predict('my_data', d)) from my_data d;
        """,
        options=["-At"],
    )
    assert result.returncode == 0, result.stderr
    assert '200 row(s) with NULL in "total_purchases" were left out' in result.stderr
    assert result.stdout.splitlines()[-5:] == [
        "my_data|regression|linear|t|r2|t",
        "my_data|regression|xgboost|my_data_2",
        "t",
        "t",
        "2000|2000",
    ]
    assert time.monotonic() - started < 30
