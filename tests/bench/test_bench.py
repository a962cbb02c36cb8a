"""The benchmarks run, and say what was measured; how fast anything is concerns no test."""

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bench import client, report
from bench.case import Comparison, Goal, compare, in_turns
from bench.cases import CASES, auto, costs, orbital, swarm
from bench.server import Server
from tests.cluster import Cluster


@pytest.fixture
def server(cluster: Cluster, database: str) -> Server:
    """A database with the data of all cases, but few rows."""
    lent = Server(cluster, database, rows=500, rounds=1)
    lent.make_data()
    return lent


@pytest.mark.parametrize("name", ["read", "rows", "batch", "first", "compiled"])
def test_a_case_measures_two_sides(server: Server, name: str) -> None:
    found = [finding for finding in CASES[name].run(server) if isinstance(finding, Comparison)]
    assert found or name == "batch"
    # So few rows may fit into memory that the session has already.
    timed = [one for one in found if one.unit != "MB"]
    assert all(one.ours > 0 and one.theirs > 0 and one.ratio > 0 for one in timed)
    assert all(one.ours >= 0 and one.theirs >= 0 for one in found)


def test_models_as_sql_are_listed_also_without_orbital(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(orbital, "ALGORITHMS", {"linear": "linear", "logistic": "linear"})
    monkeypatch.setattr(orbital, "PYTHON", tmp_path / "python")
    table, note = CASES["orbital"].run(server)
    assert "| linear | pgml | " in str(table)
    assert "| 0 of 50 decisions differ |" in str(table)
    assert "orbital is not installed" in str(note)


def test_the_page_has_every_figure_note_and_missed_goal(server: Server) -> None:
    slow = compare("ours", "theirs", "ms", [0.9, 0.1, 0.3], [0.1, 0.1, 0.2], Goal(1.2), 1000)
    fast = compare("ours", "others", "rows/s", [123_456.0], [100.0], Goal(3, at_least=True))
    found = {"read": [slow, fast, "Something is left out."], "rows": [compare("a", "b", "s", [1], [1])]}
    page = report.page("make bench", server, [CASES["read"], CASES["rows"]], found, 4.2)
    assert "| ours | 300 ms | theirs | 100 ms | 1.50 | ≤ 1.2, missed |" in page
    assert "| ours | 123,000 rows/s | others | 100 rows/s | 1234.56 | ≥ 3 |" in page
    assert "| a | 1 s | b | 1 s | 1.00 |  |" in page
    assert "Something is left out." in page
    assert "`make bench`" in page
    assert "| 4.2: the machine was busy" in page
    assert CASES["read"].what in page


def test_sides_take_turns_after_a_round_that_does_not_count() -> None:
    calls: list[str] = []

    def side(name: str) -> float:
        calls.append(name)
        return len(calls)

    measured = in_turns(2, lambda: side("a"), lambda: side("b"))
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert measured == [[3, 5], [4, 6]]


class Echo(BaseHTTPRequestHandler):
    """Answers what it is sent, and refuses the empty."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if body else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = None, size: object = None) -> None:
        """Say nothing."""


class Service(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A thread a connection."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that was refused closes at once."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Path]:
    """The socket of an HTTP service."""
    path = tmp_path / "socket"
    with Service(str(path), Echo) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield path
        running.shutdown()
        thread.join()


def test_the_client_gets_an_answer_to_each_request_small_or_large(service: Path) -> None:
    bodies = [b"x" * size for size in (1, 10, 3_000_000, 100, 1_000_000, 7)]
    answered = list(client.answers([service], 3, map(client.request, bodies)))
    assert sorted(answered) == sorted(bodies)


def test_the_client_takes_no_refusal_for_an_answer(service: Path) -> None:
    with pytest.raises(RuntimeError, match="400"):
        list(client.answers([service], 1, iter([client.request(b"")])))


def test_searches_are_listed_with_standard_errors(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm, "TASKS", swarm.TASKS[:1])
    monkeypatch.setattr(swarm, "SEEDS", 2)
    (table,) = CASES["swarm"].run(server)
    *_, line = str(table).splitlines()
    assert line.startswith("| diabetes, elastic_net | r2 | 0.")
    assert line.count(" ± ") == 5


def test_costs_are_measured_beside_fits_and_costs_of_its_own(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, small in {"ROWS": 200, "PARTICLES": 4, "STEPS": 3}.items():
        monkeypatch.setattr(costs, name, small)
    found = list(CASES["costs"].run(server))
    assert len(found) == 4
    for each in found:
        assert isinstance(each, Comparison)
        assert each.ratio > 0


def test_automatic_trainings_are_listed_with_what_is_below() -> None:
    numbers = (0.9, 0.85, 0.95, 60.0, "xgboost", 0.88, "lgbm")
    good = auto.Line("wine", "accuracy", *numbers, 0.95, 0.89, "svm")
    bad = auto.Line("cars", "r2", *numbers, 0.99, 0.97, "ridge")
    below, apart = auto.said([good, bad])
    assert "chose, on cars." in below
    assert "FLAML's is +0.0200" in apart
    assert good.text.startswith("| wine | accuracy | 0.900 | 0.850 … 0.950 | 60.0 | xgboost | 0.880 | lgbm |")
