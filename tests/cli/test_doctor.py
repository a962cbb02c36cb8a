"""What doctor finds, on every kind of server."""

import pytest

from tests.cli.running import pgml
from tests.cluster import Cluster, Connection
from tests.results import column, value


def found(dsn: str, *options: str) -> tuple[int, dict[str, dict]]:
    result = pgml("doctor", "--dsn", dsn, "--json", *options)
    return result.code, {each["check"]: each for each in result.json["findings"]}


def test_a_complete_server_has_no_errors_and_keeps_nothing_of_the_trial(server: str, db: Connection) -> None:
    code, findings = found(server)
    assert code == 0
    assert {each["level"] for each in findings.values()} == {"ok"}
    assert "trained on the server" in findings["trial"]["what"]
    assert "with Python 3." in findings["plpython3u"]["what"]
    assert "onnxruntime" in findings["library"]["detail"]
    assert value(db, "select count(*) from pgml.models") == 0
    assert column(db, "select relname::text from pg_class where relname like 'pgml_doctor%'") == []


def test_a_role_without_rights_is_told_the_grants(cluster: Cluster, server: str, plain: Connection) -> None:
    role = plain.info.user
    with cluster.connect(plain.info.dbname) as superuser:
        superuser.execute(f"revoke usage on schema pgml from {role}".encode())
    code, findings = found(server)
    assert code == 1
    assert findings["rights"]["fix"] == [f'grant usage on schema pgml to "{role}";']
    assert "trial" not in findings


def test_a_database_without_the_extension_is_told_how_to_get_it(cluster: Cluster) -> None:
    code, findings = found(f"host={cluster.socket} dbname=template1 user=postgres")
    assert code == 1
    assert findings["extension"]["level"] == "error"
    assert findings["extension"]["fix"][0] == "pgml install"


def test_a_server_without_plpython_is_told_what_is_possible(nowhere: str) -> None:
    code, findings = found(nowhere)
    assert code == 1
    assert findings["plpython3u"]["level"] == "warning"
    assert "plain SQL" in findings["plpython3u"]["detail"]
    assert findings["installation"]["fix"] == ["pgml install"]


def test_without_plpython_the_trial_is_asked_as_sql_and_rolled_back(managed: str, there: Connection) -> None:
    code, findings = found(managed)
    assert code == 0, findings
    assert "asked as SQL" in findings["trial"]["what"]
    assert value(there, "select count(*) from pgml.projects") == 0


def test_a_trial_that_fails_is_an_error(managed: str, there: Connection) -> None:
    there.execute("alter table pgml.models add constraint never check (size < 0)")
    code, findings = found(managed)
    assert code == 1
    assert "never" in findings["trial"]["what"]


@pytest.mark.parametrize("name", ["statement_timeout", "idle_in_transaction_session_timeout"])
def test_a_timeout_is_a_warning(name: str, nowhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", f"-c {name}=60000")
    _, findings = found(nowhere, "--no-trial")
    assert findings["timeout"]["level"] == "warning"
    assert name in findings["timeout"]["what"]


def test_people_read_a_line_each_with_what_to_type(nowhere: str) -> None:
    lines = pgml("doctor", "--dsn", nowhere).out.splitlines()
    assert "error    pgml is not installed in this database" in lines
    assert "         fix: pgml install" in lines
    assert lines[-1] == "1 error(s), 1 warning(s)"
    assert max(map(len, lines)) <= 80
