"""Files of other tools, imported by SQL: they answer as the tool does, and damaged ones are errors."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import psycopg
import pytest
import xgboost

from tests.cluster import Cluster, Connection
from tests.frameworks import Written
from tests.results import column, refusal, row, value
from tests.unit import mutations

ROWS = 40
VERBS = ("import_onnx", "import_keras", "import_xgboost", "import_lightgbm", "import_model")


@dataclass(frozen=True)
class Given:
    """A file, with rows and what its own tool makes of them."""

    verb: str
    file: bytes
    rows: Any
    answers: Any
    architecture: str | None = None
    arguments: str = ""
    close: float = 1e-6
    names: list[str] = field(default_factory=list)


@cache
def table() -> tuple[Any, Any]:
    chance = np.random.default_rng(0)
    rows = np.round(chance.normal(size=(400, 4)), 3)
    rows[chance.random(rows.shape) < 0.1] = np.nan
    return rows, np.nan_to_num(rows) @ [1.0, -2.0, 0.5, 0.0] + np.nan_to_num(rows[:, 0]) ** 2


def of_keras(written: Written, form: str) -> Given:
    stem = written("keras_models") / "conv_2d-float32"
    held = np.load(f"{stem}.npz")
    if form == "json":
        weights = Path(f"{stem}.weights.h5").read_bytes()
        return Given(
            "import_keras", weights, held["inputs"], held["outputs"], stem.with_suffix(".json").read_text()
        )
    return Given("import_keras", Path(f"{stem}.{form}").read_bytes(), held["inputs"], held["outputs"])


def of_torch(written: Written) -> Given:
    path = next(written("torch_models").glob("*convolution*.onnx"))
    held = np.load(path.with_suffix(".npz"))
    return Given("import_onnx", path.read_bytes(), held["x"].reshape(len(held["x"]), -1), held["y"])


def of_xgboost(form: str) -> Given:
    rows, y = table()
    model = xgboost.XGBRegressor(n_estimators=8, max_depth=3).fit(rows, y)
    return Given("import_xgboost", bytes(model.get_booster().save_raw(form)), rows, model.predict(rows))


def of_lightgbm() -> Given:
    rows, y = table()
    model = lightgbm.train({"objective": "regression", "verbose": -1}, lightgbm.Dataset(rows, y), 8)
    return Given("import_lightgbm", model.model_to_string().encode(), rows, model.predict(rows), close=1e-12)


FORMS = ("keras", "h5", "json", "torch", "xgboost_json", "xgboost_ubj", "lightgbm")


def given(written: Written, name: str) -> Given:
    if name in ("keras", "h5", "json"):
        return of_keras(written, name)
    if name == "torch":
        return of_torch(written)
    return of_lightgbm() if name == "lightgbm" else of_xgboost(name.removeprefix("xgboost_"))


def imported(db: Connection, project: str, each: Given) -> Any:
    if each.architecture is None:
        call = f"select * from pgml.{each.verb}(%s, %s{each.arguments})"
        return row(db, call, [project, each.file])
    call = f"select * from pgml.{each.verb}(%s, %s::json, %s{each.arguments})"
    return row(db, call, [project, each.architecture, each.file])


def loaded(db: Connection, project: str, each: Given) -> None:
    """Make a table ``rows`` of what a model takes, in an array or a column each."""
    columns = value(db, "select columns from pgml.models where name = %s", [f"{project}_1"])
    wide = columns[0]["width"] > 1
    names = ", ".join(f'"{one["name"]}" float8{"[]" if wide else ""}' for one in columns)
    db.execute(f"create table rows (id int primary key, {names})".encode())
    with db.cursor() as cursor:
        for at, numbers in enumerate(each.rows[:ROWS].astype(float).tolist()):
            values = [[numbers]] if wide else [None if number != number else number for number in numbers]
            values = [numbers] if wide else values
            marks = ", ".join(["%s"] * (len(values) + 1))
            cursor.execute(f"insert into rows values ({marks})".encode(), [at, *values])


@pytest.mark.parametrize("name", FORMS)
def test_a_file_answers_as_its_own_tool_on_every_path(db: Connection, written: Written, name: str) -> None:
    each = given(written, name)
    made = imported(db, "p", each)
    assert made[3] is True
    loaded(db, "p", each)
    wanted = np.asarray(each.answers)[:ROWS].reshape(min(ROWS, len(each.answers)), -1)
    task = made[1]
    if task == "classification":
        one = "select pgml.predict_proba('p', r) from rows r order by id"
    elif wanted.shape[1] > 1:
        one = "select pgml.predict_joint('p', r) from rows r order by id"
    else:
        one = "select array[pgml.predict('p', r)] from rows r order by id"
    scale = max(float(np.abs(wanted).max()), 1.0)
    assert np.abs(np.array(column(db, one)) - wanted).max() <= each.close * scale
    output = "probabilities" if task == "classification" else "prediction"
    statement = value(
        db, "select pgml.to_sql('p', relation_name => 'rows', key => 'id', output => %s)", [output]
    )
    found = db.execute(f"select * from ({statement}) s order by id".encode()).fetchall()
    assert np.abs(np.array([line[1:] for line in found], dtype=float) - wanted).max() <= each.close * scale
    if wanted.shape[1] == 1 or task == "classification":
        rows = db.execute(
            b"select key::int, prediction from pgml.predict_table('p', 'rows') order by 1"
        ).fetchall()
        decided = wanted.argmax(axis=1) if task == "classification" else wanted[:, 0]
        assert np.abs(np.array([line[1] for line in rows]) - decided).max() <= each.close * scale


def test_imported_networks_are_dumped_and_restored(
    cluster: Cluster, db: Connection, database: str, written: Written
) -> None:
    imported(db, "net", given(written, "keras"))
    imported(db, "trees", given(written, "lightgbm"))
    copy = f"{database}_copy"
    cluster.create_database(copy)
    try:
        cluster.restore(cluster.dump(database), copy)
        with cluster.connect(copy) as other:
            call = "select pgml.predict('trees', array[1, 2, 3, 4]), source from pgml.models where id = 2"
            assert row(other, call) == row(db, call)
            assert (
                value(other, "select count(*) from pgml.models where snapshot_id is null and split is null")
                == 2
            )
    finally:
        cluster.drop_database(copy)


def test_an_exported_network_comes_back_as_it_went(db: Connection, written: Written) -> None:
    each = given(written, "keras")
    imported(db, "p", each)
    db.execute(b"select pgml.import_onnx('again', pgml.export_onnx('p'))")
    db.execute(b"select pgml.import_model('moved', pgml.export_model('p'))")
    loaded(db, "p", each)
    for project in ("again", "moved"):
        answers = f"pgml.predict_joint('p', r) <> pgml.predict_joint('{project}', r)"
        call = f"select count(*) from rows r where {answers}"
        task = value(db, "select task from pgml.overview where project = 'p'")
        if task == "classification":
            call = call.replace("predict_joint", "predict_proba")
        assert value(db, call) == 0


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    name = cluster.database_with_pgml()
    with cluster.connect(name) as db:
        yield db
    cluster.drop_database(name)


def state_of(db: Connection, project: str, each: Given) -> str | None:
    """Return the SQLSTATE that a file ends in; None if it is sound all the same."""
    try:
        imported(db, project, each)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_damaged_files_are_errors_of_the_statement_alone(shared: Connection, written: Written) -> None:
    """The readers meet 500 each in tests of their own; these go all the way, through the same session."""
    chance = random.Random(1)
    session = value(shared, "select pg_backend_pid()")
    states: set[str | None] = set()
    for name in FORMS:
        each = given(written, name)
        for _ in range(4):
            changed = Given(each.verb, mutations.of_bytes(each.file, chance), None, None, each.architecture)
            states.add(state_of(shared, f"p{chance.random()}", changed))
    assert states <= {None, "22P02", "22023", "0A000", "54000", "38000", "53200"}
    assert value(shared, "select pg_backend_pid()") == session


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_file_is_refused(shared: Connection, verb: str) -> None:
    for given, state in (
        (None, "22023"),
        (b"", "22023"),
        (b"hello", "22P02"),
        (bytes(10_000), "22P02"),
        # What pickle writes for a call of os.system.
        (
            b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
            "22P02",
        ),
        (b"PK\x03\x04" + bytes(200), "22P02"),
        (b"[" * 100_000, "22P02"),
        (json.dumps({"learner": None}).encode(), "22P02"),
    ):
        with refusal(state):
            shared.execute(f"select pgml.{verb}('p', %s)".encode(), [given])
    assert value(shared, "select count(*) from pgml.projects where name = 'p'") == 0


def test_a_reader_has_a_bound_of_memory(shared: Connection) -> None:
    """One that would fill a gigabyte is stopped at the bound that the settings name."""
    shared.execute(b"insert into pgml.settings (name, value) values ('child_memory_bytes', 512 << 20)")
    try:
        with refusal("53200", "the importing process ran out of memory", "raise the bound"):
            shared.execute(
                b"select pgml.import_lightgbm('p', convert_to(repeat('tree_sizes=1 2 3 ', 14000000), 'UTF8'))"
            )
    finally:
        shared.execute(b"delete from pgml.settings")
