"""The cases, in the order in which they are run and reported."""

from collections.abc import Mapping

from bench.case import Case
from bench.cases import (
    auto,
    batch,
    compiled,
    costs,
    first,
    orbital,
    read,
    rows,
    service,
    sqlite_ml,
    swarm,
    train,
)

_ALL = (
    read.CASE,
    train.CASE,
    rows.CASE,
    batch.CASE,
    first.CASE,
    service.CASE,
    sqlite_ml.CASE,
    compiled.CASE,
    orbital.CASE,
    swarm.CASE,
    costs.CASE,
    auto.CASE,
)
CASES: Mapping[str, Case] = {case.name: case for case in _ALL}
"""By name."""
