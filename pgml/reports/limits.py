"""What a reader of a page must know before believing it."""

from collections.abc import Iterator

from pgml.reports.facts import Facts

FEW_ROWS, FEW_OF_A_CLASS, MANY_MODELS = 100, 20, 10


def limits(facts: Facts) -> list[str]:
    """Return sentences, the most important first."""
    return [*_of_the_measure(facts), *_of_the_classes(facts), *_of_what_is_kept(facts)]


def _of_the_measure(facts: Facts) -> Iterator[str]:
    rows = facts.measured.get("test_rows")
    if facts.data is None:
        yield "The model was imported: nobody knows which rows would test it, and nothing was measured here."
        return
    if rows == 0:
        yield "No rows were held back: what was measured is of the training rows themselves."
    elif rows is not None and rows < FEW_ROWS:
        yield f"Only {rows} rows were held back, so all of these numbers are uncertain."
    compared = [each for each in facts.models if each["metric"] == facts.metric]
    if len(compared) >= MANY_MODELS:
        yield (
            f"{len(compared)} models of this project were measured on test rows of one kind: "
            "the best of so many looks a little better than it is."
        )
    if facts.score is not None and facts.score["low"] is None:
        yield f"There is no interval of {facts.metric} for this model."
    yield "The numbers are of rows as those of the training. They say nothing of rows of another kind."


def _of_the_classes(facts: Facts) -> Iterator[str]:
    few = [
        label
        for label, numbers in facts.measured.get("by_class", {}).items()
        if (numbers.get("support") or numbers.get("rows") or FEW_OF_A_CLASS) < FEW_OF_A_CLASS
    ]
    if few:
        named = ", ".join(f'"{label}"' for label in few[:5]) + (" and others" if len(few) > 5 else "")
        yield f"Of these classes fewer than {FEW_OF_A_CLASS} rows were tested: {named}."


def _of_what_is_kept(facts: Facts) -> Iterator[str]:
    if facts.data is None:
        return
    yield "A training's preprocess and weight are not kept by name: give them again to make such a model."
    if facts.data["materialized"] is None:
        yield "The rows of the training were not kept: the relation may have others today. The hash tells."
