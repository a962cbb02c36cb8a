"""What pages are made from in tests."""

from dataclasses import replace
from random import Random

from pgml.reports.facts import Facts, Picture
from tests.pictures.gallery import GALLERY, HOSTILE

WIDTH = 380.0
USUAL = (
    "roc",
    "precision_recall",
    "confusion of 2",
    "calibration",
    "feature_importance",
    "leaderboard",
    "search",
    "tree",
)
HARD = (
    "roc of hostile labels",
    "confusion of hostile labels",
    "feature_importance of 60",
    "tree of hostile names",
    "leaderboard of 40",
    "residuals of two targets",
)


RANDOM = Random(1)
MODEL = {
    "name": "cells_3",
    "number": 3,
    "algorithm": "random_forest",
    "hyperparams": {"max_depth": 5, "n_estimators": 100},
    "seed": 0,
    "split": {},
    "size": 123456,
    "columns": [
        {"name": "radius", "type": "double precision", "width": 1},
        {"name": "texture", "type": "double precision", "width": 1},
        {"name": "smoothness", "type": "double precision", "width": 1},
    ],
    "versions": {"python": "3.11.2", "numpy": "2.1.0", "onnxruntime": "1.20.0", "scikit-learn": "1.5.2"},
    "sha256": "ab" * 32,
    "source": None,
    "created_by": "ana",
    "created": "2026-11-22 09:30 UTC",
}
DATA = {
    "relation_name": "app.cells",
    "columns": MODEL["columns"],
    "row_count": 569,
    "data_hash": "d41d8cd98f00b204",
    "materialized": None,
    "created": "2026-11-22 09:30 UTC",
}
PROJECT = {
    "id": 1,
    "name": "cells",
    "owner": "ana",
    "task": "classification",
    "targets": ["malignant"],
    "test_sampling": "stratified",
    "test_size": 0.25,
    "seed": 0,
    "split_by": None,
    "created": "2026-11-20 08:00 UTC",
}
NAMES = ("accuracy", "f1", "roc_auc", "log_loss", "mcc", "brier")
SCORES = [
    {
        "metric": name,
        "value": 0.936 - 0.01 * at,
        "low": 0.879 if at == 0 else None,
        "high": 0.967 if at == 0 else None,
    }
    for at, name in enumerate(NAMES)
]
MODELS = [
    {
        "id": 4 - at,
        "name": f"cells_{4 - at}",
        "algorithm": kind,
        "metric": "accuracy",
        "score": 0.95 - 0.02 * at,
        "low": 0.9 - 0.02 * at,
        "high": 0.97 - 0.02 * at,
        "live": at == 1,
        "created": "2026-11-22 09:30 UTC",
        "created_by": "ana",
        "fit_time": 0.2,
        "row_count": 569,
        "data_hash": DATA["data_hash"] if at < 3 else "other",
    }
    for at, kind in enumerate(("xgboost", "random_forest", "linear", "dummy"))
]
TRIALS = [
    {
        "trial": n,
        "parameters": {"max_depth": RANDOM.randint(2, 9), "learning_rate": 10 ** RANDOM.uniform(-3, 0)},
        "score": 0.9 + RANDOM.random() / 20,
        "deviation": 0.01,
        "seconds": 0.3,
        "train_rows": 426,
        "error": None,
        "best": n == 7,
    }
    for n in range(1, 13)
]
DEPLOYMENTS = [
    {
        "model": "cells_3",
        "strategy": "rollback",
        "engine": "graph",
        "created": "2026-11-22 09:40 UTC",
        "created_by": "ana",
    },
    {
        "model": None,
        "strategy": "best_score",
        "engine": "sql",
        "created": "2026-11-21 12:00 UTC",
        "created_by": "bob",
    },
]
FACTS = Facts(
    PROJECT,
    MODEL,
    DATA,
    SCORES,
    "accuracy",
    {
        "train_rows": 426,
        "test_rows": 143,
        "fit_time": 0.21,
        "by_class": {
            "false": {"precision": 0.95, "recall": 0.94, "f1": 0.945, "support": 90},
            "true": {"precision": 0.91, "recall": 0.92, "f1": 0.915, "support": 53},
        },
    },
    {"radius": 0.56, "texture": 0.22, "smoothness": 0.22},
    TRIALS,
    MODELS,
    DEPLOYMENTS,
    [Picture(name, GALLERY[name](WIDTH)) for name in USUAL],
    "2026-11-22 10:00 UTC",
    "0.1",
)


def facts() -> Facts:
    """Return those of a usual model."""
    return FACTS


def hostile() -> Facts:
    """Return those of a model whose names somebody has chosen with care."""
    known = facts()
    columns = [{"name": name, "type": HOSTILE[at - 1], "width": 3} for at, name in enumerate(HOSTILE)]
    model = {
        **known.model,
        "name": HOSTILE[0],
        "columns": columns,
        "algorithm": HOSTILE[1],
        "hyperparams": dict.fromkeys(HOSTILE, HOSTILE),
        "created_by": HOSTILE[2],
        "versions": {HOSTILE[9]: HOSTILE[5]},
        "source": {"format": HOSTILE[8]},
    }
    return replace(
        known,
        project={**known.project, "name": HOSTILE[2], "targets": HOSTILE[:3], "owner": HOSTILE[5]},
        model=model,
        data={**(known.data or {}), "relation_name": HOSTILE[7], "data_hash": "W" * 200},
        measured={**known.measured, "by_class": {name: {"precision": 1, "support": 2} for name in HOSTILE}},
        importances=dict.fromkeys(HOSTILE, 0.1),
        models=[{**known.models[0], "name": name, "algorithm": name} for name in HOSTILE],
        trials=[{**known.trials[0], "parameters": {name: name}, "error": name} for name in HOSTILE],
        pictures=[Picture(name, GALLERY[name](WIDTH)) for name in HARD],
    )
