"""Draw a picture of a model, as SVG."""

from collections.abc import Mapping
from typing import Any

from pgml.errors import InvalidValue, WrongType, hint_of_names, name_list
from pgml.plots.frame import NARROWEST, USUAL, WIDEST
from pgml.usecases import arguments, measured, pictures
from pgml.usecases.pictures import KINDS, Asked
from pgml.usecases.session import Session


def plot(session: Session, given: Mapping[str, Any], search_path: str) -> tuple[str, list[str]]:
    """Return a picture as pgml.plot was called.

    Raises
    ------
    InvalidValue
        There is no such kind, or it is not of a relation, or so wide.
    WrongType
        The model has nothing to show of this kind.
    NotPermitted
        The caller may predict, but not see what was measured in training.
    PgmlError
        As the functions of `pgml.usecases.evaluate` raise.
    """
    name, width = arguments.required(given, "kind"), given["width"]
    width = USUAL if width is None else width
    if not NARROWEST <= width <= WIDEST:
        raise InvalidValue(
            f"width must be between {NARROWEST} and {WIDEST}, not {width}",
            hint="It is in pixels, as the picture is where nothing scales it.",
        )
    model, stored = measured.asked(session, given)
    asked = Asked(session, given, search_path, model, stored, float(width))
    kind = KINDS.get(name)
    if kind is None:
        known = hint_of_names("kinds of this model", name, pictures.shown(asked))
        raise InvalidValue(f'kind "{name}" does not exist', hint=known)
    if not kind.of_relation and asked.is_of_relation:
        raise InvalidValue(
            f'kind "{name}" is of the training, not of a relation', hint="Leave relation_name out."
        )
    # What is refused to the caller is told before what the model has not.
    if not kind.of_relation or not asked.is_of_relation:
        stored.require_shown()
    if not kind.is_shown(asked):
        raise WrongType(
            f'model "{model.name}" has nothing to show as "{name}"',
            detail=f"It is one of {model.task}, made by {model.algorithm}.",
            hint=f"It can be shown as {name_list(pictures.shown(asked))}.",
        )
    return kind.draw(asked)
