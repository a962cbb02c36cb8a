"""Predicting row by row in one query."""

from collections.abc import Iterator
from functools import partial

from bench.case import Case, Finding, Goal, compare, in_turns, seconds
from bench.server import NARROW, Server

GOALS = {"linear": 4, "xgboost": 7, "random_forest": 9}
ARRAY = f"array[{', '.join(NARROW)}]"


def run(server: Server) -> Iterator[Finding]:
    """Compare each model with a function that does nothing."""
    for algorithm, bound in GOALS.items():
        project = server.train(algorithm)
        with server.connect() as db:
            array, nothing, row = in_turns(
                server.rounds,
                *(
                    seconds(partial(db.execute, f"select sum({call}) from few t"))
                    for call in (
                        f"pgml.predict('{project}', {ARRAY})",
                        f"nothing('{project}', {ARRAY})",
                        f"pgml.predict('{project}', t)",
                    )
                ),
            )
        scale = 1e6 / server.few
        name = f"{algorithm}, a row as"
        yield compare(
            f"{name} an array", "an empty PL/Python function", "µs", array, nothing, Goal(bound), scale
        )
        yield compare(f"{name} a composite", f"{name} an array", "µs", row, array, Goal(3), scale)


CASE = Case(
    "rows",
    "`select sum(pgml.predict(…)) from t`, ten features, beside `return 0.0` of the same signature in "
    "PL/Python. The xgboost model has 100 trees of depth 6, the random_forest 100 of depth 8.",
    run,
)
