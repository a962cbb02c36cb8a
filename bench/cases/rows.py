"""Predicting row by row in one query."""

from collections.abc import Iterator
from functools import partial

from bench.case import Case, Finding, Goal, compare, in_turns, seconds
from bench.server import NARROW, Server

GOALS = {"linear": 4, "xgboost": 7, "random_forest": 9}
INSERTED = 2_000
"""Rows of the statements that also write."""
INSERT = f"insert into written select {{}} from few limit {INSERTED}"
ARRAY = f"array[{', '.join(NARROW)}]"


def run(server: Server) -> Iterator[Finding]:
    """Compare each model with a function that does nothing."""
    for algorithm, bound in GOALS.items():
        project = server.train(algorithm)
        predicted, empty = f"pgml.predict('{project}', {ARRAY})", f"nothing('{project}', {ARRAY})"
        with server.connect() as db:
            array, nothing, row = in_turns(
                server.rounds,
                seconds(partial(db.execute, f"select sum({predicted}) from few")),
                seconds(partial(db.execute, f"select sum({empty}) from few")),
                seconds(partial(db.execute, f"select sum(pgml.predict('{project}', t)) from few t")),
            )
            db.execute("create temporary table written (prediction float8)")
            inserted, inserted_nothing = in_turns(
                server.rounds,
                seconds(partial(db.execute, INSERT.format(predicted))),
                seconds(partial(db.execute, INSERT.format(empty))),
            )
        scale = 1e6 / server.few
        name = f"{algorithm}, a row as"
        yield compare(
            f"{name} an array", "an empty PL/Python function", "µs", array, nothing, Goal(bound), scale
        )
        yield compare(f"{name} a composite", f"{name} an array", "µs", row, array, Goal(3), scale)
        scale = 1e6 / min(server.few, INSERTED)
        yield compare(
            f"{name} an array, inserted",
            "an empty PL/Python function",
            "µs",
            inserted,
            inserted_nothing,
            scale=scale,
        )


CASE = Case(
    "rows",
    "`select sum(pgml.predict(…)) from t`, ten features, beside `return 0.0` of the same signature in "
    "PL/Python. The xgboost model has 100 trees of depth 6, the random_forest 100 of depth 8.",
    run,
)
