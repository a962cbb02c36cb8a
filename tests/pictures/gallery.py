"""Pictures of each kind, of usual data and of data that is hard to draw."""

from collections.abc import Callable, Mapping
from math import inf, nan
from random import Random

from pgml.plots import bars, curves, leaderboard, matrix, progress, residuals, search, tree
from pgml.plots.bars import Bar
from pgml.plots.curves import Curve
from pgml.plots.leaderboard import Entry
from pgml.plots.residuals import Residuals
from pgml.plots.search import Trial
from pgml.plots.tree import Branch

HOSTILE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "]]></style></svg><script>window.hacked = 1</script>",
    "שלום עולם, وعليكم السلام",
    "👩‍🔬 emoji 🧪🧬",
    "a very long label that nobody would ever like to read to its end, but that somebody has given",
    "\u202eright to left\u0000\x1b\nand lines",
    "日本語のとても長いラベル、最後まで読めない",
    "%s {0} \\ ' &amp; &lt;",
    "WWWWWWWWWWWWWWWWWWWWWWWW",
]
Draw = Callable[[float], str]


def _roc(number: int, skill: float) -> list[tuple[float, float]]:
    random = Random(number)
    steps = sorted(random.random() for _ in range(40))
    return [(0.0, 0.0), *((x, min(1.0, x ** (1 / (1 + skill)))) for x in steps), (1.0, 1.0)]


def _precision(number: int, skill: float) -> list[tuple[float, float]]:
    return [(1 - at / 40, 0.3 + 0.7 * (at / 40) ** (1 / skill)) for at in range(41)]


def _calibrated(number: int) -> Curve:
    random = Random(number)
    places = [0.05 + each / 10 for each in range(10)]
    points = [(x, min(1.0, max(0.0, x + random.gauss(0, 0.06)))) for x in places]
    return Curve(("no", "yes", "perhaps")[number], points, [random.randint(3, 90) for _ in places])


def _counts(size: int, *, unknown: bool = False) -> list[list[int]]:
    random = Random(size)
    rows = [
        [
            random.randint(30, 120) if a == p else int(random.random() < 0.2) * random.randint(1, 15)
            for p in range(size)
        ]
        for a in range(size)
    ]
    return [*rows, [random.randint(0, 3) for _ in range(size)]] if unknown else rows


def _points(count: int, noise: float, scale: float = 1.0) -> list[tuple[float, float]]:
    random = Random(count)
    found = []
    for _ in range(count):
        actual = random.uniform(20, 340)
        found.append((scale * actual, scale * (actual + random.gauss(0, noise))))
    return found


def _quantiles(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    off = sorted(a - p for a, p in points)
    return [(q, off[round(q * (len(off) - 1))]) for q in (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)]


def _trials(count: int) -> list[Trial]:
    random = Random(count)
    found = []
    for number in range(1, count + 1):
        rate, depth = 10 ** random.uniform(-3, 0), random.randint(2, 12)
        score = 0.9 - 0.04 * abs(depth - 6) / 6 - 0.03 * abs(rate - 0.1) + random.gauss(0, 0.01)
        kind = random.choice(["gini", "entropy", "log_loss"])
        parameters = {"learning_rate": rate, "max_depth": depth, "criterion": kind, "booster": True}
        found.append(Trial(number, parameters, None if number % 9 == 0 else score))
    best = max(found, key=lambda each: each.score or 0)
    return [Trial(each.number, each.parameters, each.score, each is best) for each in found]


def _tree(
    depth: int, number: int = 1, names: tuple[str, ...] = ("petal_length", "petal_width", "sepal_length")
) -> Branch:
    if not depth:
        return Branch(
            [("setosa", "versicolor", "virginica")[number % 3], f"{60 + number % 40} %"],
            share=0.6 + number % 40 / 100,
        )
    cut = depth == 1 and number % 5 == 0
    if cut:
        return Branch(["…", "12 leaves"], is_cut=True)
    below = [("yes", _tree(depth - 1, 2 * number, names)), ("no", _tree(depth - 1, 2 * number + 1, names))]
    return Branch([names[number % len(names)], f"≤ {0.45 + number:.2f}"], below)


CLASSES = ["setosa", "versicolor", "virginica"]
HUGE = [(1e300, -1e300), (-1.7e308, 1.7e308), (0.0, 5.0)]
GALLERY: Mapping[str, Draw] = {
    "roc": lambda w: curves.roc("ROC of cells_1", [Curve("malignant", _roc(1, 9))], w),
    "roc of 3 classes": lambda w: curves.roc(
        "ROC of iris_1", [Curve(name, _roc(at, 2 + 3 * at)) for at, name in enumerate(CLASSES)], w
    ),
    "roc of 20 classes": lambda w: curves.roc(
        "ROC of many", [Curve(f"class {at}", _roc(at, 1 + at)) for at in range(20)], w
    ),
    "roc of hostile labels": lambda w: curves.roc(
        f"ROC of {HOSTILE[0]}", [Curve(name, _roc(at, 1 + at)) for at, name in enumerate(HOSTILE[:6])], w
    ),
    "roc of nothing": lambda w: curves.roc("ROC of rare_1", [], w),
    "precision_recall": lambda w: curves.precision_recall(
        "Precision and recall of cells_1", [Curve("malignant", _precision(1, 3))], w, {"malignant": 0.344}
    ),
    "precision_recall of 3": lambda w: curves.precision_recall(
        "Precision and recall of iris_1", [Curve(n, _precision(1, 1 + a)) for a, n in enumerate(CLASSES)], w
    ),
    "calibration": lambda w: curves.calibration("Calibration of cells_1", [_calibrated(1)], w),
    "calibration of 3": lambda w: curves.calibration(
        "Calibration of iris_1", [_calibrated(at) for at in range(3)], w
    ),
    "confusion of 2": lambda w: matrix.confusion(
        "Confusion matrix of cells_1", ["benign", "malignant"], [[78, 4], [4, 39]], w
    ),
    "confusion of 3": lambda w: matrix.confusion("Confusion matrix of iris_1", CLASSES, _counts(3), w),
    "confusion of 10": lambda w: matrix.confusion(
        "Confusion matrix of digits_1", [str(each) for each in range(10)], _counts(10, unknown=True), w
    ),
    "confusion of hostile labels": lambda w: matrix.confusion(
        "Confusion matrix of hostile", HOSTILE, _counts(len(HOSTILE)), w
    ),
    "confusion of 100": lambda w: matrix.confusion(
        "Confusion matrix of many", [f"class {each}" for each in range(100)], _counts(100), w
    ),
    "confusion of 1": lambda w: matrix.confusion("Confusion matrix of one", ["only"], [[5], [2_000_000]], w),
    "confusion of nothing": lambda w: matrix.confusion(
        "Confusion matrix of none", ["a", "b"], [[0, 0], [0, 0]], w
    ),
    "residuals": lambda w: residuals.residuals(
        "Residuals of diabetes_1", [Residuals("target", _points(140, 40), _quantiles(_points(140, 40)))], w
    ),
    "residuals of 500": lambda w: residuals.residuals(
        "Residuals of prices",
        [Residuals("price", _points(500, 30, 1e4), _quantiles(_points(500, 30, 1e4)))],
        w,
    ),
    "residuals without points": lambda w: residuals.residuals(
        "Residuals of old_1", [Residuals("target", [], _quantiles(_points(140, 40)))], w
    ),
    "residuals of two targets": lambda w: residuals.residuals(
        "Residuals of both_1",
        [
            Residuals(name, _points(60, 20, s), _quantiles(_points(60, 20, s)))
            for name, s in (("price", 1), (HOSTILE[5], 1e-7))
        ],
        w,
    ),
    "residuals beyond floats": lambda w: residuals.residuals(
        "Residuals of huge_1", [Residuals("y", [*HUGE, (inf, 1.0), (nan, 2.0)], [])], w
    ),
    "residuals of one point": lambda w: residuals.residuals(
        "Residuals of one_1", [Residuals("y", [(3.0, 3.0)], [(0.05, 0.0), (0.95, 0.0)])], w
    ),
    "feature_importance": lambda w: bars.bars(
        "What the features of cells_1 are worth",
        "By how much accuracy falls when the values of a feature change rows.",
        [
            Bar("radius", 0.27, 0.03),
            Bar("smoothness", 0.06, 0.02),
            Bar("texture", 0.03, 0.01),
            Bar("noise", -0.01, 0.005),
        ],
        w,
        "features",
        "",
    ),
    "feature_importance of 60": lambda w: bars.bars(
        "What the features of wide_1 are worth",
        "Shares of the model's own importances.",
        [Bar(HOSTILE[at] if at < len(HOSTILE) else f"column_{at}", 0.3 / (at + 1)) for at in range(60)],
        w,
        "features",
        "",
    ),
    "feature_importance of odd values": lambda w: bars.bars(
        "Odd values",
        "None, infinite and huge.",
        [Bar("huge", 1e308), Bar("infinite", inf), Bar("none", None), Bar("nan", nan), Bar("small", 1e-300)],
        w,
        "features",
        "",
    ),
    "leaderboard": lambda w: leaderboard.leaderboard(
        "Models of cells",
        "accuracy",
        [
            Entry("cells_3 xgboost", 0.951, 0.91, 0.975),
            Entry("cells_1 random_forest", 0.936, 0.879, 0.967, live=True),
            Entry("cells_2 linear", 0.92, 0.87, 0.96),
            Entry("cells_4 dummy", 0.66, 0.57, 0.73),
        ],
        w,
        "higher",
    ),
    "leaderboard of 40": lambda w: leaderboard.leaderboard(
        "Models of many",
        "root_mean_squared_error",
        [Entry(f"{HOSTILE[at % 10]}_{at} hist_gradient_boosting", 54321.123 + 1234 * at) for at in range(40)],
        w,
        "lower",
    ),
    "leaderboard of one": lambda w: leaderboard.leaderboard(
        "Models of one", "r2", [Entry("one_1 linear", 0.4)], w, "higher"
    ),
    "learning_curve": lambda w: progress.learning_curve(
        "Learning of net_1",
        "epoch",
        "cost",
        [
            ("training rows", [(e, 2.5 * 0.93**e + 0.02) for e in range(1, 80)]),
            ("held rows", [(e, 2.5 * 0.94**e + 0.08 + 0.0006 * e) for e in range(1, 80)]),
        ],
        w,
    ),
    "learning_curve of one": lambda w: progress.learning_curve(
        "Learning of net_2", "epoch", "cost", [("training rows", [(1, 0.5)])], w
    ),
    "learning_curve of nothing": lambda w: progress.learning_curve(
        "Learning of net_3", "epoch", "cost", [("training rows", [(1, inf), (2, nan)])], w
    ),
    "search": lambda w: search.search("Search of cells_1", "accuracy", _trials(40), w, greater=True),
    "search of one": lambda w: search.search(
        "Search of cells_2", "rmse", [Trial(1, {"alpha": 0.1}, 5.0, best=True)], w, greater=False
    ),
    "search that failed": lambda w: search.search(
        "Search of cells_3", "rmse", [Trial(1, {HOSTILE[0]: HOSTILE}, None)], w, greater=False
    ),
    "search of hostile values": lambda w: search.search(
        "Search of cells_4",
        "accuracy",
        [Trial(n, {HOSTILE[5]: HOSTILE[n], "layers": [n, n + 1]}, 1 / (n + 1), n == 0) for n in range(10)],
        w,
        greater=True,
    ),
    "tree": lambda w: tree.tree(
        "The first tree of iris_1", "A row goes up where the answer is yes.", _tree(3), w
    ),
    "tree of hostile names": lambda w: tree.tree(
        "The only tree of hostile_1", "A row goes up where the answer is yes.", _tree(3, 1, tuple(HOSTILE)), w
    ),
    "tree of one leaf": lambda w: tree.tree("The only tree of dull_1", "", Branch(["42.5"]), w),
}
"""By what each shows: from a width in pixels to a picture."""
