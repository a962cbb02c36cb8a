"""What a user wants of each column: read and checked before any row is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgml.columns import Column
from pgml.errors import InvalidValue, UnknownColumn, hint_of_names
from pgml.preprocessing.base import Key
from pgml.preprocessing.options import EXAMPLE, Fields, parsed
from pgml.preprocessing.scaling import LINEAR
from pgml.preprocessing.times import CIRCLES

EVERY = "*"
"""In the place of a column: all that say nothing themselves."""
LOOKED_UP = ("one_hot", "target", "ordinal")
"""Encodings that take a value for a category, whatever its type."""
OF_TEXTS = (*LOOKED_UP, "tfidf", "hash")


@dataclass(frozen=True)
class ColumnPlan:
    """What is to be done with one column; None: nothing is said of it.

    Attributes
    ----------
    encode : str or None
        One of `ENCODES`.
    order : tuple of str or float
        The list of ``ordinal``.
    size : int
        How many columns ``tfidf`` and ``hash`` make at most, or bins ``bins``.
    edges : tuple of float
        Of ``bins``, where the user gives them.
    impute : str or None
        One of `IMPUTES`.
    constant : str, float or None
        What ``constant`` fills.
    scale : str or None
        One of `SCALES`.
    indicator : bool or None
        Whether the matrix says where the value was missing.
    """

    encode: str | None = None
    order: tuple[Key, ...] = ()
    size: int = 0
    edges: tuple[float, ...] = ()
    impute: str | None = None
    constant: Key | None = None
    scale: str | None = None
    indicator: bool | None = None


def checked(preprocess: Any, columns: Sequence[Column], targets: Sequence[str]) -> Mapping[str, ColumnPlan]:
    """Return the plan of each feature of which something is said.

    Parameters
    ----------
    preprocess : mapping of column name to mapping
        As JSON gives it.  ``*`` stands for the features that do not say a key themselves, where it can apply.
    columns : sequence of Column
        Of the relation; targets may be among them.
    targets : sequence of str
        None where nothing is to be predicted.

    Raises
    ------
    UnknownColumn
        It names a column that is none of these.
    InvalidValue
        It names a target, or what it says of a column is unknown or contradicts itself or the column's type.
    """
    if not isinstance(preprocess, Mapping):
        raise InvalidValue("preprocess is no object", hint=f'Write {{"column": {EXAMPLE}}}.')
    features = [column for column in columns if column.name not in targets]
    for name in preprocess:
        if name in targets:
            raise InvalidValue(
                f'preprocess names the target "{name}"', hint="Give the target another form in a view."
            )
        if name != EVERY and name not in (column.name for column in features):
            names = [column.name for column in features]
            raise UnknownColumn(
                f'preprocess names the column "{name}", which is no feature',
                hint=hint_of_names("features", name, names),
            )
    every = parsed(f'"{EVERY}"', preprocess.get(EVERY, {}))
    own = {
        column.name: parsed(f'column "{column.name}"', preprocess.get(column.name, {})) for column in features
    }
    plans = {column.name: _plan(column, own[column.name], every, bool(targets)) for column in features}
    return {name: plan for name, plan in plans.items() if plan != ColumnPlan()}


def _plan(
    column: Column, own: Mapping[str, Fields], every: Mapping[str, Fields], supervised: bool
) -> ColumnPlan:
    """Return the plan of one column: its own, and what of the plan of all agrees with that."""
    plan = ColumnPlan()
    for fields in own.values():
        plan = replace(plan, **fields)
    wrong = contradiction(column, plan, supervised)
    if wrong is not None:
        raise InvalidValue(f'preprocess of column "{column.name}": {wrong[0]}', hint=wrong[1])
    for key in ("encode", "impute", "scale", "indicator"):
        if key not in every or key in own:
            continue
        wider = replace(plan, **every[key])
        # Said of all columns, numbers stay numbers.
        for_texts = key == "encode" and wider.encode in OF_TEXTS and not column.is_category
        if not for_texts and contradiction(column, wider, supervised) is None:
            plan = wider
    return plan


Wrong = tuple[str, str] | None
"""What is wrong, and what to do."""


def contradiction(column: Column, plan: ColumnPlan, supervised: bool) -> Wrong:
    """Return what of a plan contradicts itself or its column, and a hint; None if nothing does."""
    return _encode(column, plan, supervised) or _impute(column, plan) or _scale(column, plan)


def _encode(column: Column, plan: ColumnPlan, supervised: bool) -> Wrong:
    if plan.encode is None:
        return None
    says = f'encode "{plan.encode}"'
    if column.kind.shape == "array":
        return (
            None
            if plan.encode == "native"
            else (f"{says} of an array", "An array is encoded as native only.")
        )
    if plan.encode == "target" and not supervised:
        return f"{says} without a target", 'Choose another encoding, such as "one_hot".'
    if column.is_category and plan.encode not in OF_TEXTS:
        return f"{says} of a text", hint_of_names("encodings of texts", "", OF_TEXTS)
    if not column.is_category and plan.encode in ("tfidf", "hash"):
        return f"{says} of a number", 'Choose another encoding, such as "native" or "bins".'
    if plan.encode == "cyclic" and column.kind.temporal not in CIRCLES:
        return (
            f"{says} of type {column.type}",
            "Only dates, times and timestamps have a place in day, week and year.",
        )
    if plan.encode == "ordinal" and isinstance(plan.order[0], str) != column.is_category:
        kind = "texts" if column.is_category else "numbers"
        return f"the ordinal list is not of {kind}", f"The column is of type {column.type}: list {kind}."
    return None


def _impute(column: Column, plan: ColumnPlan) -> Wrong:
    if plan.impute is None:
        return None
    allowed = (
        ("error", "mode", "constant")
        if column.is_category
        else (("error", "mode", "min", "max", "zero", "constant") if plan.encode in LOOKED_UP else None)
    )
    if allowed is not None and plan.impute not in allowed:
        what = "of a text" if column.is_category else f'of a column with encode "{plan.encode}"'
        return f'impute "{plan.impute}" {what}', hint_of_names("ways to impute it", "", allowed)
    if plan.impute == "constant" and isinstance(plan.constant, str) != column.is_category:
        kind = "a text" if column.is_category else "a number"
        hint = f"The column is of type {column.type}: give {kind}"
        return (
            f"the constant is not {kind}",
            f"{hint}, in epoch seconds." if column.kind.temporal else f"{hint}.",
        )
    if plan.encode == "ordinal" and plan.impute in ("constant", "zero"):
        value = plan.constant if plan.impute == "constant" else 0.0
        if value not in plan.order:
            return f'the ordinal list lacks "{value}", which is imputed', "Add it to the list, in its place."
    return None


def _scale(column: Column, plan: ColumnPlan) -> Wrong:
    if plan.scale in (None, "preserve"):
        return None
    encode = plan.encode or ("a text" if column.is_category else "native")
    if encode == "native" or (encode in ("target", "ordinal") and plan.scale in LINEAR):
        return None
    what = "of a text" if encode == "a text" else f'of a column with encode "{encode}"'
    scales = LINEAR if encode in ("target", "ordinal") else ("preserve",)
    return f'scale "{plan.scale}" {what}', hint_of_names("scales of it", "", scales)
