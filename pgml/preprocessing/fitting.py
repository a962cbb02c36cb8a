"""Encodings learnt from training rows: what the plan says, else what suits the algorithm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.errors import InvalidValue
from pgml.preprocessing import imputation, scaling
from pgml.preprocessing.base import (
    MOST_CATEGORIES,
    Encoding,
    Family,
    Floats,
    Key,
    Matrix,
    Missing,
    refused,
    within,
)
from pgml.preprocessing.bins import BinEncoding, quantile_edges
from pgml.preprocessing.categories import CategoryEncoding, OrdinalEncoding, Places, unlisted
from pgml.preprocessing.encoder import Encoder
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.means import Folds, TargetEncoding, held_out, outcomes, seeded_folds, smoothed
from pgml.preprocessing.numbers import NumberEncoding, PowerEncoding, QuantileEncoding, filled
from pgml.preprocessing.plan import ColumnPlan
from pgml.preprocessing.texts import HashEncoding, TfidfEncoding, vocabulary
from pgml.preprocessing.times import CyclicEncoding

Learnt = tuple[Encoding, Floats | None]
"""An encoding and, where the training rows get other values than new rows would, those."""


@dataclass(frozen=True)
class Sample:
    """One feature of the training rows, and what is wanted of it."""

    dataset: Dataset
    column: Column
    family: Family
    plan: ColumnPlan
    outcome: Floats | None
    folds: Folds

    @property
    def missing(self) -> Missing:
        return imputation.missing(self.plan, passes=self.family.takes_missing)

    @property
    def nulls(self) -> bool:
        if self.column.is_category:
            return bool((self.dataset.coded(self.column.name)[0] == MISSING).any())
        return bool(np.isnan(self.dataset.values(self.column.name)).any())

    @property
    def scale(self) -> str:
        return self.plan.scale or ("standard" if self.family.scaled else "preserve")


def fit(
    dataset: Dataset,
    columns: Sequence[Column],
    family: Family,
    plans: Mapping[str, ColumnPlan],
    target: Floats | None,
    classes: int,
    folds: Folds | None = None,
    seed: int = 0,
) -> tuple[Encoder, Matrix]:
    """Learn an encoder from training rows alone, and encode them.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    columns : sequence of Column
        The features, in the order the model is to take them.
    family : Family
        What the algorithm wants of features of which the plans say nothing.
    plans : mapping of column name to ColumnPlan
        As `plan.checked` returns them.
    target : float64 array of shape (rows,) or (rows, targets), or None
        Values, or codes of classes; None if nothing is to be predicted.
    classes : int
        How many classes there are; 0 for values.
    folds : sequence of (training positions, held-out positions), optional
        For means of the target: a row's own are made of other folds.  Else 5 folds drawn with the seed.

    Returns
    -------
    encoder : Encoder
    matrix : array of shape (rows, encoder.width)
        Of the training rows; other than `Encoder.encode` of them in the means of the target alone, as
        no row's own target goes into those.

    Raises
    ------
    InvalidValue
        A value is missing where the plan calls that an error, an ordinal list lacks one, or texts lack words.
    """
    outcome = None if target is None else outcomes(target, classes)
    folds = seeded_folds(len(dataset), seed) if folds is None else folds
    learnt = [
        _learnt(Sample(dataset, column, family, plans.get(column.name, ColumnPlan()), outcome, folds))
        for column in columns
    ]
    encoder = Encoder([encoding for encoding, _ in learnt], family.dtype)
    matrix = encoder.encode(dataset)
    start = 0
    for encoding, own in learnt:
        if own is not None:
            matrix[:, start : start + own.shape[1]] = within(own, family.dtype)
        start += encoding.width
    return encoder, matrix


def _learnt(sample: Sample) -> Learnt:
    if sample.plan.impute == "error" and sample.nulls:
        raise refused(sample.column)
    encode = sample.plan.encode or _default(sample)
    encoding, own = _means(sample) if encode == "target" else (LEARNERS[encode](sample), None)
    return (MarkedEncoding.around(encoding) if sample.plan.indicator else encoding), own


def _default(sample: Sample) -> str:
    """Return the encoding of a feature of which nothing is said."""
    if not sample.column.is_category:
        return "native"
    codes, _ = sample.dataset.coded(sample.column.name)
    few = np.unique(codes[codes != MISSING]).size <= MOST_CATEGORIES
    wide = sample.outcome is None or sample.outcome.shape[1] > MOST_CATEGORIES
    return "one_hot" if few or wide else "target"


def _values(sample: Sample) -> tuple[Floats, tuple[float, ...]]:
    """Return the numbers as the encoding will see them, and what fills them."""
    given = sample.dataset.values(sample.column.name)
    fill = imputation.numbers(given, sample.plan)
    return filled(sample.dataset, sample.column, sample.missing, fill), fill


def _native(sample: Sample) -> Encoding:
    column, missing, nulls, how = sample.column, sample.missing, sample.nulls, sample.scale
    values, fill = _values(sample)
    parts = [part[~np.isnan(part)] for part in values.T]
    if how == "quantile":
        return QuantileEncoding(column, missing, nulls, fill, tuple(map(scaling.quantiles, parts)))
    if how == "power":
        powers = tuple(map(scaling.power, parts))
        bent = [scaling.yeo_johnson(part, power) for part, power in zip(parts, powers, strict=True)]
        center, scale = zip(*(scaling.line(part, "standard", "float64") for part in bent), strict=True)
        return PowerEncoding(column, missing, nulls, fill, powers, center, scale)
    center, scale = zip(*(scaling.line(part, how, sample.family.dtype) for part in parts), strict=True)
    return NumberEncoding(column, missing, nulls, fill, center, scale)


def _bins(sample: Sample) -> Encoding:
    values, fill = _values(sample)
    known = values[~np.isnan(values)]
    edges = sample.plan.edges or quantile_edges(known, sample.plan.size)
    return BinEncoding(sample.column, sample.missing, sample.nulls, fill, edges)


def _cyclic(sample: Sample) -> Encoding:
    return CyclicEncoding(sample.column, sample.missing, sample.nulls, _values(sample)[1])


def _coded(sample: Sample, missing: Missing) -> tuple[Sequence[Key], Places, Key]:
    """Return the sorted categories that training rows hold, a code of each row, and what fills.

    A missing value has the code of what fills it or, where it is not filled, one after the last.
    """
    column, dataset = sample.column, sample.dataset
    if column.is_category:
        known, texts = dataset.coded(column.name)
        absent = known == MISSING
        seen, codes = np.unique(known[~absent], return_inverse=True)
        keys: list[Any] = [texts[code] for code in seen]
    else:
        values = dataset.values(column.name)[:, 0]
        absent = np.isnan(values)
        each, codes = np.unique(values[~absent], return_inverse=True)
        keys = each.tolist()
    fill = imputation.category(keys, np.bincount(codes, minlength=len(keys)), sample.plan)
    if not keys and not column.is_category:
        fill = float(fill or 0.0)
    if missing == "fill" and absent.any() and fill not in keys and sample.plan.impute is not None:
        place = sum(key < fill for key in keys)
        keys.insert(place, fill)
        codes = codes + (codes >= place)
    code = np.full(len(dataset), len(keys), dtype=np.intp)
    code[~absent] = codes
    if missing == "fill" and fill in keys:
        code[absent] = keys.index(fill)
    return keys, code, fill


def _one_hot(sample: Sample) -> Encoding:
    keys, codes, fill = _coded(sample, sample.missing)
    counts = np.bincount(codes, minlength=len(keys))[: len(keys)]
    order = np.argsort(-counts, kind="stable").tolist()
    own = len(keys) if len(keys) <= MOST_CATEGORIES else MOST_CATEGORIES - 1
    categories = tuple(keys[place] for place in sorted(order[:own]))
    return CategoryEncoding(sample.column, sample.missing, sample.nulls, fill, categories, own < len(keys))


def _ordinal(sample: Sample) -> Encoding:
    order = sample.plan.order
    keys, _, fill = _coded(sample, sample.missing)
    encoding = OrdinalEncoding(sample.column, sample.missing, sample.nulls, fill, order, 0.0, 1.0)
    lacking = next((key for key in keys if key not in encoding.place), None)
    if lacking is not None:
        raise unlisted(sample.column, f'"{encoding.shown(lacking)}"', order)
    ranks = np.zeros((len(sample.dataset), 1))
    encoding.write(sample.dataset, ranks)
    center, scale = scaling.line(ranks[~np.isnan(ranks)], sample.scale, sample.family.dtype)
    return OrdinalEncoding(sample.column, sample.missing, sample.nulls, fill, order, center, scale)


def _means(sample: Sample) -> tuple[Encoding, Floats]:
    """Return the means of the target, and those that each training row gets: without its own target."""
    assert sample.outcome is not None
    missing: Missing = imputation.missing(sample.plan, passes=True)
    keys, codes, fill = _coded(sample, missing)
    count = len(keys) + 1
    own = held_out(codes, sample.outcome, count, sample.folds)
    lines = [scaling.line(part, sample.scale, sample.family.dtype) for part in own.T]
    center, scale = np.array(lines).T
    means, overall = smoothed(codes, sample.outcome, count)
    counts = np.bincount(codes, minlength=count)
    table = ((means - center) / scale).tolist()
    kept = [place for place in range(len(keys)) if counts[place] > 1]
    encoding = TargetEncoding(
        sample.column,
        missing,
        sample.nulls,
        fill,
        tuple(keys[place] for place in kept),
        tuple(tuple(table[place]) for place in kept),
        tuple(table[-1]),
        tuple(((overall - center) / scale).tolist()),
    )
    return encoding, (own - center) / scale


def _tfidf(sample: Sample) -> Encoding:
    codes, texts = sample.dataset.coded(sample.column.name)
    fill = _text_fill(sample)
    words, weight = vocabulary(codes, texts, fill, sample.plan.size)
    if not words:
        raise InvalidValue(
            f'feature "{sample.column.name}" holds no word in any training row',
            hint='Leave it out, or choose another encoding than "tfidf".',
        )
    return TfidfEncoding(sample.column, _text_missing(sample), sample.nulls, fill, words, weight)


def _hash(sample: Sample) -> Encoding:
    return HashEncoding(
        sample.column, _text_missing(sample), sample.nulls, _text_fill(sample), sample.plan.size
    )


def _text_missing(sample: Sample) -> Missing:
    return imputation.missing(sample.plan, passes=False)


def _text_fill(sample: Sample) -> str:
    return "" if sample.plan.impute is None else str(_coded(sample, "refuse")[2])


LEARNERS: Mapping[str, Callable[[Sample], Encoding]] = {
    "native": _native,
    "bins": _bins,
    "cyclic": _cyclic,
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "tfidf": _tfidf,
    "hash": _hash,
}
