"""The SQL that makes a model again, and that predicts with it."""

import json
from typing import Any

from pgml.reports.facts import Facts
from pgml.sqltext import literal


def training(facts: Facts) -> str:
    """Return the call that trains such a model; empty of an imported one."""
    if facts.data is None:
        return ""
    project, model = facts.project, facts.model
    targets = project["targets"]
    joint = len(targets) > 1
    target = (
        f"array[{', '.join(map(literal, targets))}]" if joint else literal(targets[0]) if targets else None
    )
    given: list[tuple[str, str | None]] = [
        ("project_name", literal(project["name"])),
        ("task", literal(project["task"])),
        ("relation_name", literal(facts.data["relation_name"])),
        ("y_column_name", target),
        ("algorithm", literal(model["algorithm"])),
        ("hyperparams", literal(json.dumps(model["hyperparams"])) if model["hyperparams"] else None),
        ("test_size", _number(project["test_size"])),
        ("test_sampling", literal(project["test_sampling"])),
        ("seed", str(model["seed"])),
        ("split_by", literal(project["split_by"]) if project["split_by"] else None),
        ("metric", literal(facts.metric) if facts.metric else None),
    ]
    lines = ",\n".join(f"    {name} => {value}" for name, value in given if value is not None)
    return f"select * from pgml.{'train_joint' if joint else 'train'}(\n{lines}\n);"


def prediction(facts: Facts) -> str:
    """Return the call that predicts the rows of a relation."""
    relation = facts.data["relation_name"] if facts.data else "my_rows"
    return f"select * from pgml.predict_table({literal(facts.model['name'])}, {literal(relation)});"


def _number(value: Any) -> str:
    return str(int(value)) if value == int(value) else str(value)
