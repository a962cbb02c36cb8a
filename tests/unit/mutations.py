"""Files that nobody should trust: sound ones, of which something was changed."""

import copy
import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pgml import runner
from pgml.errors import PgmlError
from pgml.runner import Limits

FULL = bool(os.environ.get("PGML_FULL"))
COUNT = 10_000 if FULL else 500
"""Of each reader."""
DEATH = "the importing process was killed"
USUAL = dict.fromkeys(("features", "labels", "task", "targets", "usual_targets", "architecture")) | {
    "max_bytes": 64 << 20
}
"""What a verb is given beside a file."""
ODD_BYTES = (
    b"",
    b"\0",
    b"\xff" * 8,
    b"\x80" * 10,
    b"[" * 500,
    b'{"a":' * 200,
    b"../../etc/passwd",
    b"nan",
    b"1e999",
)
ODD_VALUES: Sequence[Any] = (
    None, True, -1, 0, 2**31, 2**63, 10**30, -0.5, float("nan"), float("inf"), 1e308, "", "\0", "\ud800",
    "x" * 5000,
    [], {}, [[]], [None], [float("nan")], {"a": 1}, "../../etc/passwd", "nan",
)  # fmt: skip


def of_bytes(data: bytes, chance: random.Random) -> bytes:
    """Return bytes of which a few were changed, lost, doubled, moved or put in."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(changed) + 1)
        size = chance.choice((1, 1, 2, 8, 64, 1000))
        match chance.randrange(6):
            case 0 if changed:
                at = min(at, len(changed) - 1)
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + size] = chance.randbytes(size)
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = changed[at : at + size]
            case 4:
                changed[at:at] = chance.choice(ODD_BYTES)
            case _:
                other = chance.randrange(len(changed) + 1)
                changed[at : at + size] = changed[other : other + size]
    return bytes(changed[: chance.randrange(len(changed) + 1)] if chance.random() < 0.1 else changed)


def of_json(value: Any, chance: random.Random) -> Any:
    """Return a value of JSON in which a few places hold something else, lack something, or hold it twice."""
    changed = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(changed))
        if not places:
            return chance.choice(ODD_VALUES)
        holder, key = chance.choice(places)
        match chance.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, holder[key])
            case 2:
                other_holder, other_key = chance.choice(places)
                holder[key] = copy.deepcopy(other_holder[other_key])
            case 3 if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
                holder[key] = holder[key] + chance.choice((1, -1, 0.5, 1000, -1e6, 2**40))
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    return changed


def _places(value: Any, most: int = 3000) -> Iterator[tuple[Any, Any]]:
    found = 0
    values = [value]
    while values and found < most:
        each = values.pop()
        keys = (
            list(each) if isinstance(each, dict) else list(range(len(each))) if isinstance(each, list) else []
        )
        for key in keys:
            found += 1
            yield each, key
            if isinstance(each[key], (dict, list)):
                values.append(each[key])


def imported(verb: str, files: Iterator[tuple[dict[str, Any], bytes]]) -> list[PgmlError]:
    """Import files in the process that imports run in, which may die of one, and return what it says of them.

    Anything that a reader raises but errors of pgml fails.

    Parameters
    ----------
    files : iterator of (arguments, bytes)
    """
    found: list[PgmlError] = []
    left = True
    while left:
        with runner.start(limits=Limits(1, 4 << 30), warm_up=("pgml.imports",), purpose="importing") as job:
            for given, file in files:
                error = outcome(lambda: job.run(verb, USUAL | given, file, lambda: None))  # noqa: B023
                if error is not None:
                    found.append(error)
                    if error.message.startswith(DEATH):
                        break
            else:
                left = False
    assert {error.sqlstate for error in found} <= {"22P02", "22023", "0A000", "54000", "53200", "38000"}
    failed = [each for each in found if each.sqlstate == "38000" and not each.message.startswith(DEATH)]
    assert [(each.message, each.detail) for each in failed[:3]] == []
    return found


def outcome(read: Callable[[], Any]) -> PgmlError | None:
    """Return what a reader says of a file; None if it takes it. Anything else it raises is a bug."""
    try:
        read()
    except PgmlError as error:
        return error
    return None
