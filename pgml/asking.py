"""A cost of the user's, as the process that fits has it: PostgreSQL is asked through the backend."""

from collections.abc import Callable, Mapping
from typing import Any

from pgml import sql_cost
from pgml.criterion import Metric
from pgml.sql_cost import Batch
from pgml.wire import Patience


def criterion(cost: Mapping[str, Any], tell: Callable[..., Any]) -> Metric:
    """Return a cost as what models compare by.

    Parameters
    ----------
    cost : mapping
        ``name`` and ``written``, ``hands`` and ``label_kind`` as in `sql_cost.metric`; ``milliseconds``, how
        long a statement may take, 0 without a bound; ``by_signal`` as in `Patience`.
    tell : callable
        `pgml.child.Peer.tell`.
    """
    patience = _patience(cost)

    def ask(batch: Batch) -> list[float]:
        head, blob = sql_cost.as_message(batch)
        found: list[float] = tell({"cost": head}, blob, patience)
        return found

    return sql_cost.metric(cost["name"], cost["hands"], cost["label_kind"], ask)


def _patience(cost: Mapping[str, Any]) -> Patience | None:
    limit = cost["milliseconds"]
    if not limit:
        return None
    error = {
        "message": f'cost function "{cost["written"]}" took longer than {limit} ms',
        "detail": "It was asked once about all predictions of one step of the training.",
        "hint": "Make it faster, train on fewer rows, or raise cost_milliseconds in pgml.settings.",
    }
    return Patience(limit / 1000, error, cost["by_signal"])
