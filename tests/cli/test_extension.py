"""The commands on a server that has the extension, as an ordinary role."""

import json
from pathlib import Path

import pytest

from tests.cli.running import pgml
from tests.cluster import Cluster, Connection
from tests.results import value


@pytest.fixture
def trained(server: str) -> str:
    """The server, with a live model of project churn."""
    result = pgml("train", "app.training", "churned", "--project", "churn", "--dsn", server, "--json")
    assert result.code == 0, result.out
    assert (result.json["model"], result.json["deployed"], result.json["algorithm"]) == (
        "churn_1",
        True,
        "linear",
    )
    return server


def test_the_options_of_a_training_reach_the_server(server: str, plain: Connection) -> None:
    result = pgml(
        *("train", "app.spending", "spent", "--project", "s", "--algorithm", "ridge", "--dsn", server),
        *("--hyperparams", '{"alpha": 2}', "--search", "random", "--search-args", '{"n_iter": 2}'),
        *(
            "--metric",
            "mean_absolute_error",
            "--test-size",
            "0.4",
            "--test-sampling",
            "random",
            "--seed",
            "3",
        ),
        *("--preprocess", '{"plan": {"encode": "one_hot"}}', "--no-deploy", "--json"),
    )
    assert result.code == 0, result.out
    assert result.json["deployed"] is False
    assert value(plain, "select (hyperparams ->> 'alpha')::float from pgml.trained_models") == 2
    sampled = "select test_sampling || test_size || seed from pgml.projects"
    assert value(plain, sampled) == "random0.43"
    assert value(plain, "select count(*) from pgml.trials") == 2


def test_rows_of_a_file_a_pipe_and_a_relation_have_the_same_answers(trained: str, tmp_path: Path) -> None:
    out = pgml("predict", "churn", "--relation", "app.customers", "--dsn", trained).out.splitlines()
    assert out[0] == "key,prediction,probability"
    assert len(out) == 601
    whole = dict(line.split(",", 1) for line in out[1:])
    path = tmp_path / "rows.csv"
    path.write_text("id,age,plan,visits\n1,51,pro,41\n2,32,team,82\n11,61,team,\n")
    scored = pgml("predict", "churn", "-f", str(path), "--key", "id", "--dsn", trained).out.splitlines()
    assert scored[0] == "id,prediction,probability"
    for line in scored[1:]:
        key, label, probability = line.split(",")
        assert whole[key].split(",")[0] == label
        assert float(whole[key].split(",")[1]) == pytest.approx(float(probability))
    lines = "".join(f'{{"age": {age}, "plan": "pro", "visits": 7}}\n' for age in range(2500))
    many = pgml("predict", "churn", "-f", "-", "--format", "jsonl", "--json", "--dsn", trained, stdin=lines)
    ages = [json.loads(line)["age"] for line in many.out.splitlines()]
    assert ages == list(range(2500))


def test_a_number_is_predicted_without_a_probability(server: str) -> None:
    assert pgml("train", "app.spending", "spent", "--dsn", server).code == 0
    given = "age,plan,visits\n30,pro,10\n"
    result = pgml("predict", "app.spending", "-f", "-", "--dsn", server, stdin=given)
    header, line = result.out.splitlines()
    assert header == "age,plan,visits,prediction"
    assert float(line.rpartition(",")[2]) == pytest.approx(70, abs=0.01)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("age,plan,visits\n1,2\n", "line 2 has 2 fields, the header 3"),
        ("age,age\n1,2\n", 'the header names "age" twice'),
        ("plan,visits\npro,1\n", "are not given"),
        ("age,plan,visits\nold,pro,1\n", 'feature "age" wants a number'),
    ],
)
def test_bad_rows_are_errors_that_say_where(trained: str, rows: str, message: str) -> None:
    result = pgml("predict", "churn", "-f", "-", "--dsn", trained, stdin=rows)
    assert result.code == 1
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_model_is_exported_imported_deployed_and_dropped(
    trained: str, tmp_path: Path, plain: Connection
) -> None:
    path = str(tmp_path / "churn.pgml")
    assert pgml("export", "churn", "-o", path, "--dsn", trained).code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "churn.pgml"]
    pmml = pgml("export", "churn", "-o", "-", "--format", "pmml", "--dsn", trained)
    assert pmml.out.startswith("<?xml")
    made = pgml("import", path, "--project", "copy", "--dsn", trained, "--json").json
    assert made["deployed"] is True
    onnx = str(tmp_path / "churn.onnx")
    assert pgml("export", "churn", "-o", onnx, "--json", "--dsn", trained).json["bytes"] > 300
    other = pgml(
        *("import", onnx, "--project", "copy", "--no-deploy", "--dsn", trained, "--json"),
        *("--target", "churned"),
    )
    assert other.json["deployed"] is False, other
    deployed = pgml("deploy", "--model", str(other.json["model_id"]), "--dsn", trained)
    assert "copy_2" in deployed.out
    refused = pgml("drop", "--model", str(other.json["model_id"]), "--dsn", trained)
    assert 'model "copy_2" is live' in refused.err
    assert pgml("drop", "copy", "--dsn", trained).code == 0
    assert value(plain, "select count(*) from pgml.projects") == 1


def test_a_model_is_written_as_sql(trained: str, tmp_path: Path) -> None:
    path = tmp_path / "churn.sql"
    options = ("--dialect", "sqlite", "--relation", "customers", "--key", "id", "-o", str(path))
    assert pgml("to-sql", "churn", *options, "--dsn", trained).code == 0
    assert "from customers" in path.read_text()


def test_models_say_what_a_role_lacks(cluster: Cluster, server: str, plain: Connection) -> None:
    with cluster.connect(plain.info.dbname) as superuser:
        superuser.execute(f"revoke select on all tables in schema pgml from {plain.info.user}".encode())
    result = pgml("models", "--dsn", server)
    assert result.code == 1
    assert "grant select on all tables in schema pgml" in result.err


def test_pictures_are_what_the_functions_give(trained: str, plain: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    assert pgml("plot", "churn", "roc", "-o", str(path), "--dsn", trained).code == 0
    (drawn,) = plain.execute("select pgml.plot('churn', 'roc')").fetchone() or ()
    assert path.read_text().rstrip("\n") == drawn.rstrip("\n")
    page = pgml("report", "churn", "--dsn", trained).out
    assert page.startswith("<!DOCTYPE html>")
    assert "churn" in page


def test_an_unknown_project_is_an_error_without_the_name_of_a_class(trained: str) -> None:
    result = pgml("predict", "chrun", "--relation", "app.customers", "--dsn", trained, "--json")
    assert result.json["error"]["message"] == 'project "chrun" does not exist'
    assert 'Perhaps you meant "churn"' in result.json["error"]["hint"]
    given = pgml("predict", "chrun", "-f", "-", "--dsn", trained, stdin="age\n1\n")
    assert given.err.startswith('ERROR:  project "chrun" does not exist\n')


def test_a_function_for_servers_without_plpython_is_refused(trained: str) -> None:
    result = pgml("train", "app.training", "churned", "--function", "app.f", "--dsn", trained)
    assert result.code == 1
    assert "for servers without PL/Python" in result.err
