"""The page itself: its sections, one below the other."""

from collections.abc import Iterator
from html import escape
from typing import Any

from pgml.plots import numbers
from pgml.reports import limits, statements
from pgml.reports.facts import Facts, Row
from pgml.reports.html import Html, code, pairs, table, text
from pgml.reports.style import STYLE

MOST = 50
"""Rows of a table."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""No browser runs a script on this page, or asks another machine for anything."""


def page(facts: Facts) -> str:
    """Return a page about a model and its project that needs nothing else."""
    title = f"{facts.model['name']}: {facts.project['task']}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{text(title)}</title><style>{STYLE}</style></head><body><main>",
            *_header(facts),
            *_limits(facts),
            *_pictures(facts),
            *_scores(facts),
            *_card(facts),
            *_columns(facts),
            *_models(facts),
            *_trials(facts),
            *_deployments(facts),
            *_statements(facts),
            f"<footer>Written {text(facts.written)} by pgml {text(facts.version)}.</footer>",
            "</main></body></html>\n",
        ]
    )


def _header(facts: Facts) -> Iterator[str]:
    project, model = facts.project, facts.model
    of = f" of {_listed(project['targets'])}" if project["targets"] else ""
    made = "imported" if facts.data is None else "trained"
    yield f"<header><h1>{text(model['name'])}</h1>"
    yield (
        f"<p>{text(project['task'].capitalize())}{of} by {text(model['algorithm'])}, "
        f"{made} {text(model['created'])} by {text(model['created_by'])}, "
        f"in project {text(project['name'])} of {text(project['owner'])}.</p>"
    )
    yield '<div class="tiles">'
    if facts.score is not None:
        low, high = facts.score["low"], facts.score["high"]
        yield _tile(facts.metric, facts.score["value"], "" if low is None else f"95 %: {_between(low, high)}")
    rows = facts.measured
    if "train_rows" in rows:
        yield _tile("rows trained on", rows["train_rows"], f"{rows.get('test_rows', 0):,} held back")
    yield _tile("features", len(model["columns"]), f"{numbers.shown(model['size'] / 1024)} kB in all")
    live = next((each for each in facts.models if each["live"]), None)
    if live is not None:
        here = live["name"] == model["name"]
        yield _tile("live", "this model" if here else live["name"], f"of {len(facts.models)} model(s)")
    yield "</div></header>"


def _tile(what: Any, value: Any, note: str) -> str:
    below = f'<span class="what">{text(note)}</span>' if note else ""
    return (
        f'<div class="tile"><span class="what">{text(what)}</span>'
        f'<span class="value">{text(value)}</span>{below}</div>'
    )


def _limits(facts: Facts) -> Iterator[str]:
    items = "".join(f"<li>{text(each)}</li>" for each in limits.limits(facts))
    yield f'<section><h2>Before you rely on it</h2><div class="card"><ul>{items}</ul></div></section>'


def _pictures(facts: Facts) -> Iterator[str]:
    if facts.pictures:
        figures = "".join(f"<figure>{each.svg}</figure>" for each in facts.pictures)
        yield f'<section><h2>Pictures</h2><div class="pictures">{figures}</div></section>'


def _scores(facts: Facts) -> Iterator[str]:
    if not facts.scores:
        return
    rows = [
        (each["metric"], each["value"], None if each["low"] is None else _between(each["low"], each["high"]))
        for each in facts.scores
    ]
    yield "<section><h2>Measured on rows that were held back</h2>"
    yield table(("metric", "value", "95 % interval"), rows, "Metrics of the test rows")
    classes = facts.measured.get("by_class")
    if classes:
        heads = ("class", "precision", "recall", "f1", "rows")
        each = [
            (label, found.get("precision"), found.get("recall"), found.get("f1"), found.get("support"))
            for label, found in classes.items()
        ]
        yield "<p></p>" + table(heads, each, "The same by class", MOST)
    yield "</section>"


def _card(facts: Facts) -> Iterator[str]:
    project, model, data = facts.project, facts.model, facts.data
    yield '<section><h2>How it was made</h2><div class="cards">'
    if data is not None:
        yield _group(
            "Data",
            [
                ("relation", data["relation_name"]),
                ("rows", data["row_count"]),
                ("hash", data["data_hash"]),
                ("read", data["created"]),
                ("kept as", data["materialized"] or "not kept"),
            ],
        )
        yield _group("Split", _split(facts))
    if model["source"] is not None:
        yield _group("File", [(name, value) for name, value in model["source"].items() if value is not None])
    yield _group(
        "Model",
        [
            ("algorithm", model["algorithm"]),
            *((name, value) for name, value in model["hyperparams"].items()),
            ("seed", model["seed"]),
            ("seconds to fit", facts.measured.get("fit_time")),
            ("SHA-256", model["sha256"]),
            ("project since", project["created"]),
        ],
    )
    yield _group("Versions", list(model["versions"].items()))
    yield "</div></section>"


def _split(facts: Facts) -> list[tuple[str, Any]]:
    project = facts.project
    size = project["test_size"]
    return [
        ("held back", f"{numbers.percent(size)} of the rows" if size < 1 else f"{size:,.0f} rows"),
        ("chosen by", project["test_sampling"]),
        ("column", project["split_by"]),
        ("seed", project["seed"]),
        ("trained on", facts.measured.get("train_rows")),
        ("tested on", facts.measured.get("test_rows")),
    ]


def _group(title: str, found: list[tuple[str, Any]]) -> str:
    return f'<div class="card"><h3>{escape(title)}</h3>{pairs(found)}</div>'


def _columns(facts: Facts) -> Iterator[str]:
    largest = max(facts.importances.values(), default=0.0) or 1.0
    rows = []
    for column in facts.model["columns"]:
        share = facts.importances.get(column["name"])
        bar = (
            "" if share is None else f'<span class="bar" style="width:{110 * share / largest:.0f}px"></span> '
        )
        kind = column["type"] + (f" ({column['width']} wide)" if column.get("width", 1) > 1 else "")
        own = None if share is None else Html(f"{bar}{numbers.percent(share)}")
        rows.append((share or 0.0, (column["name"], kind, own)))
    ranked = [row for _, row in sorted(rows, key=lambda each: -each[0])]
    yield "<section><h2>Features</h2>"
    yield table(("feature", "type", "own importance"), ranked, "What the model is asked with", MOST)
    yield "</section>"


def _models(facts: Facts) -> Iterator[str]:
    if not facts.models:
        return
    heads = ("model", "algorithm", "metric", "score", "95 % interval", "rows", "trained", "")
    same = (facts.data or {}).get("data_hash")
    rows = [
        (
            each["name"],
            each["algorithm"],
            each["metric"],
            each["score"],
            None if each["low"] is None else _between(each["low"], each["high"]),
            each["row_count"],
            each["created"],
            _state(each, same),
        )
        for each in facts.models
    ]
    yield "<section><h2>Models of the project</h2>"
    yield table(heads, rows, "The best score first", MOST)
    yield "</section>"


def _state(model: Row, data_hash: str | None) -> Html:
    said = ['<span class="live">live</span>'] if model["live"] else []
    if data_hash and model["data_hash"] != data_hash:
        said.append("other data")
    return Html(", ".join(said))


def _trials(facts: Facts) -> Iterator[str]:
    if not facts.trials:
        return
    heads = ("trial", "hyperparameters", "score", "deviation", "seconds", "")
    rows = [
        (
            each["trial"],
            ", ".join(f"{name} {_plain(value)}" for name, value in each["parameters"].items()),
            each["score"],
            each["deviation"],
            each["seconds"],
            "best" if each["best"] else each["error"] or "",
        )
        for each in facts.trials
    ]
    yield "<section><h2>What the search has tried</h2>"
    yield table(heads, rows, "Means over folds of the training rows", MOST)
    yield "</section>"


def _deployments(facts: Facts) -> Iterator[str]:
    if not facts.deployments:
        return
    rows = [
        (
            each["created"],
            each["model"] or "dropped since",
            each["strategy"],
            each["engine"],
            each["created_by"],
        )
        for each in facts.deployments
    ]
    yield "<section><h2>What was live</h2>"
    yield table(("since", "model", "strategy", "answered by", "by"), rows, "The newest first", MOST)
    yield "</section>"


def _statements(facts: Facts) -> Iterator[str]:
    yield "<section><h2>In SQL</h2>"
    training = statements.training(facts)
    if training:
        yield "<p>Train such a model again:</p>" + code(training)
    yield "<p>Predict the rows of a relation:</p>" + code(statements.prediction(facts)) + "</section>"


def _plain(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else numbers.shown(value, 4)
        if type(value) in (int, float)
        else str(value)
    )


def _between(low: float, high: float) -> str:
    return f"{numbers.shown(low)} to {numbers.shown(high)}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(text(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
