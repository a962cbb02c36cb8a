"""Training and predicting for a server without PL/Python."""

import json
from pathlib import Path

from tests.cli.running import pgml
from tests.cluster import Cluster, Connection
from tests.results import column, row, value


def trained(managed: str, *options: str, relation: str = "app.training", target: str = "churned") -> dict:
    result = pgml("train", relation, target, "--project", "churn", "--dsn", managed, "--json", *options)
    assert result.code == 0, result.out
    return dict(result.json)


def test_a_model_is_served_as_sql_and_answers_as_the_model_does(managed: str, there: Connection) -> None:
    result = trained(managed)
    assert (result["model"], result["deployed"], result["metric"]) == ("churn_1", True, "accuracy")
    assert result["functions"] == [
        "app.churn_predict(integer,text,integer)",
        "app.churn_proba(integer,text,integer)",
    ]
    answers = dict(
        there.execute("select id, app.churn_predict(age, plan, visits) from app.customers").fetchall()
    )
    shares = dict(
        there.execute("select id, app.churn_proba(age, plan, visits) from app.customers").fetchall()
    )
    out = pgml("predict", "churn", "--relation", "app.customers", "--json", "--dsn", managed).out
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 600
    assert {each["key"]: each["prediction"] for each in found} == {
        key: "true" if answer else "false" for key, answer in answers.items()
    }
    assert max(abs(each["probability"] - max(shares[each["key"]])) for each in found) < 1e-9


def test_the_score_is_that_of_the_extension(managed: str, server: str) -> None:
    here = trained(managed, "--algorithm", "random_forest", "--hyperparams", '{"n_estimators": 5}')
    there = trained(server, "--algorithm", "random_forest", "--hyperparams", '{"n_estimators": 5}')
    assert here["score"] == there["score"]


def test_a_model_is_live_only_if_it_is_better(managed: str, there: Connection) -> None:
    assert trained(managed, "--algorithm", "decision_tree")["deployed"] is True
    before = value(there, "select prosrc from pg_proc where proname = 'churn_predict'")
    worse = trained(managed, "--algorithm", "dummy")
    assert worse["deployed"] is False
    assert worse["functions"] == []
    (notice,) = worse["notices"]
    assert notice.startswith('not deployed, as the live model "churn_1" is as good or better')
    assert value(there, "select prosrc from pg_proc where proname = 'churn_predict'") == before


def test_deploying_makes_the_functions_anew(managed: str, there: Connection) -> None:
    trained(managed, "--algorithm", "dummy")
    trained(managed, "--algorithm", "decision_tree")
    assert value(there, "select distinct model_id from pgml.published") == 2
    assert pgml("deploy", "churn", "--strategy", "rollback", "--dsn", managed).code == 0
    assert value(there, "select distinct model_id from pgml.published") == 1
    assert value(there, "select count(distinct app.churn_predict(age, plan, visits)) from app.customers") == 1
    assert (
        pgml("deploy", "--model", "2", "--dsn", managed).out
        == "churn_2 (decision_tree) is live in project churn\n"
    )
    assert value(there, "select count(distinct app.churn_predict(age, plan, visits)) from app.customers") == 2


def test_other_features_make_another_function_and_drop_the_one_before(
    managed: str, there: Connection
) -> None:
    trained(managed, "--algorithm", "dummy")
    there.execute(
        "create view app.wider as select age, plan, visits, id::bigint % 7 as day, churned from app.customers"
    )
    trained(managed, "--algorithm", "decision_tree", relation="app.wider")
    assert column(
        there,
        "select oid::regprocedure::text from pg_proc where pronamespace = 'app'::regnamespace order by 1",
    ) == [
        "app.churn_predict(integer,text,integer,bigint)",
        "app.churn_proba(integer,text,integer,bigint)",
    ]


def test_a_function_that_is_in_use_stops_the_deployment_of_another(managed: str, there: Connection) -> None:
    trained(managed, "--algorithm", "dummy")
    there.execute("create view app.scored as select app.churn_predict(age, plan, visits) from app.customers")
    there.execute(
        "create view app.wider as select age, plan, visits, id::bigint % 7 as day, churned from app.customers"
    )
    result = pgml(
        "train",
        "app.wider",
        "churned",
        "--project",
        "churn",
        "--algorithm",
        "decision_tree",
        "--dsn",
        managed,
    )
    assert result.code == 1
    assert "HINT:  Drop what uses app.churn_predict" in result.err
    assert value(there, "select count(*) from pgml.models") == 1


def test_a_function_of_the_users_own_is_not_replaced(managed: str, there: Connection) -> None:
    there.execute("create function app.churn_predict(age int, plan text, visits int) returns float8 return 7")
    result = pgml("train", "app.training", "churned", "--project", "churn", "--dsn", managed)
    assert result.code == 1
    assert "function app.churn_predict is there already" in result.err
    assert value(there, "select app.churn_predict(1, 'a', 2)") == 7
    assert value(there, "select count(*) from pgml.models") == 0
    named = trained(managed, "--function", 'app."Churn"')
    assert named["functions"] == [
        'app."Churn"(integer,text,integer)',
        'app."Churn_proba"(integer,text,integer)',
    ]


def test_a_place_where_nothing_may_be_created_is_refused_before_the_training(
    bare: Cluster, owner: str, managed: str, there: Connection
) -> None:
    with bare.connect(owner) as superuser:
        superuser.execute("create schema closed; create view closed.rows as select * from app.training")
        superuser.execute(
            f"grant usage on schema closed to {owner}; grant select on closed.rows to {owner}".encode()
        )
        superuser.execute(f"grant {owner} to postgres".encode())
    result = pgml("train", "closed.rows", "churned", "--dsn", managed)
    assert result.code == 1
    assert 'permission denied for schema "closed"' in result.err
    assert pgml("train", "closed.rows", "churned", "--no-function", "--dsn", managed).code == 0
    assert value(there, "select count(*) from pgml.published") == 0


def test_what_cannot_be_sql_is_refused_and_leaves_nothing(managed: str, there: Connection) -> None:
    there.execute("create view app.numbers as select age, id from app.customers")
    train = ("train", "app.numbers", "--task", "clustering", "--algorithm", "dbscan", "--dsn", managed)
    result = pgml(*train)
    assert result.code == 1
    assert "or say --no-function" in result.err
    assert value(there, "select count(*) from pgml.projects") == 0
    assert pgml(*train, "--no-function").code == 0


def test_a_task_without_a_target_is_served_as_sql(managed: str, there: Connection) -> None:
    there.execute("create view app.numbers as select age, id from app.customers")
    train = ("train", "app.numbers", "--task", "clustering", "--dsn", managed, "--json")
    assert pgml(*train).json["functions"] == ["app.numbers_predict(integer,integer)"]
    assert value(there, "select count(distinct app.numbers_predict(age, id)) from app.numbers") > 1


def test_errors_name_the_commands_of_this_program(managed: str) -> None:
    trained(managed)
    result = pgml("deploy", "churn", "--strategy", "rollback", "--dsn", managed, "--json")
    assert result.code == 1
    assert result.json["error"]["sqlstate"] == "55000"
    unknown = pgml("predict", "chrun", "--relation", "app.customers", "--dsn", managed)
    assert 'ERROR:  project "chrun" does not exist' in unknown.err
    assert 'Perhaps you meant "churn"' in unknown.err


def test_rows_of_a_file_are_predicted(managed: str, tmp_path: Path) -> None:
    trained(managed)
    path = tmp_path / "new.csv"
    path.write_text("id,age,plan,visits\n1,69,pro,100\n2,21,unheard of,\n")
    out = pgml("predict", "churn", "-f", str(path), "--dsn", managed).out.splitlines()
    assert out[0] == "id,age,plan,visits,prediction,probability"
    assert out[1].startswith("1,69,pro,100,true,0.")
    assert out[2].startswith("2,21,unheard of,,false,0.")
    lines = '{"age": 69, "plan": "pro", "visits": 100}\n\n{"age": "21", "plan": null, "visits": null}\n'
    found = pgml("predict", "churn", "-f", "-", "--format", "jsonl", "--json", "--dsn", managed, stdin=lines)
    assert [json.loads(line)["prediction"] for line in found.out.splitlines()] == ["true", "false"]


def test_a_model_goes_out_and_comes_in(managed: str, there: Connection, tmp_path: Path) -> None:
    trained(managed)
    for name in ("m.onnx", "m.pmml", "m.pgml"):
        assert pgml("export", "churn", "-o", str(tmp_path / name), "--dsn", managed).code == 0
        assert (tmp_path / name).stat().st_size > 300
    made = pgml("import", str(tmp_path / "m.pgml"), "--project", "copy", "--dsn", managed, "--json")
    assert made.json["deployed"] is True
    functions = value(there, "select array_agg(name order by name) from pgml.published where project_id = 2")
    assert [name.rpartition(".")[2] for name in functions] == ["copy_predict", "copy_proba"]
    sql = pgml("to-sql", "churn", "--relation", "app.customers", "--dsn", managed).out
    assert len(there.execute(sql.encode()).fetchall()) == 600
    assert "date" not in pgml("to-sql", "churn", "--dialect", "duckdb", "--dsn", managed).err


def test_dropping_a_project_drops_its_functions(managed: str, there: Connection) -> None:
    trained(managed)
    assert pgml("drop", "churn", "--dsn", managed).code == 0
    assert value(there, "select count(*) from pg_proc where proname like 'churn%'") == 0
    assert value(there, "select count(*) from pgml.projects") == 0


def test_models_are_listed(managed: str) -> None:
    assert "there are no projects yet" in pgml("models", "--dsn", managed).err
    trained(managed)
    assert (
        pgml("models", "--dsn", managed).out.splitlines()[2].startswith("churn   | classification | churned")
    )
    (model,) = pgml("models", "churn", "--json", "--dsn", managed).json
    assert (model["model"], model["deployed"], model["hyperparams"]) == ("churn_1", True, {})
    assert pgml("models", "nothing", "--dsn", managed).code == 1


def test_a_picture_needs_the_extension_and_says_so(managed: str) -> None:
    trained(managed)
    result = pgml("plot", "churn", "roc_curve", "--dsn", managed)
    assert result.code == 1
    assert "pgml.plot needs the extension" in result.err


def test_others_call_the_functions_and_cannot_train(bare: Cluster, owner: str, managed: str) -> None:
    trained(managed)
    with bare.connect(owner) as superuser:
        superuser.execute(
            f"create role reader_{owner} login; grant usage on schema app to reader_{owner}".encode()
        )
    try:
        with bare.connect(owner, f"reader_{owner}") as reader:
            assert row(reader, "select app.churn_predict(69, 'pro', 100)") == (1.0,)
        theirs = managed.replace(f"user={owner}", f"user=reader_{owner}")
        assert pgml("train", "app.training", "churned", "--dsn", theirs).code == 1
        doctor = pgml("doctor", "--dsn", theirs)
        assert doctor.code == 1
        assert f'grant {owner} to "reader_{owner}";' in doctor.out
    finally:
        with bare.connect(owner) as superuser:
            superuser.execute(f"drop owned by reader_{owner}".encode())
        bare.drop_role(f"reader_{owner}")
