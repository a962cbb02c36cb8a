"""What a training is asked to do, once its arguments are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pgml.criterion import Metric
from pgml.recipe import Recipe as Recipe

SUPERVISED = ("regression", "classification")
"""The tasks that have a target."""
AUTO = "auto"
"""A threshold that is chosen on the training rows, see `pgml.thresholds`."""
TASKS = (*SUPERVISED, "clustering", "decomposition", "anomaly", "autoencoder")
Output = Literal[
    "value", "probabilities", "scores", "distances", "components", "anomaly", "cluster", "reconstruction"
]
"""What a model's outputs are, each of shape (rows, width) in float64.

* value: numbers, one a target;
* probabilities: of each class or cluster, in code order;
* scores: of each class, of which the largest names the label;
* distances: to each cluster, of which the smallest names it;
* components: of a decomposition;
* anomaly: one number, above 0 for what is out of the ordinary;
* reconstruction: the code of an autoencoder, then the mean squared error of what it makes of that;
* cluster: the number of a training row's cluster, NaN for any other row.
"""


@dataclass(frozen=True)
class FitSpec:
    """One fit on one dataset.

    Attributes
    ----------
    task : str
    targets : sequence of str
        The columns to predict; none for the tasks without a target.
    features : sequence of str
        The columns to predict from, in the relation's order.
    algorithm : str
    hyperparams : mapping
        Only those the user gave.
    seed : int
        Of the fit.
    recipe : Recipe
        Of the split.
    max_model_bytes : int
    threads : int
    metric : str or None
        What search and deployment compare; None: the task's own.
    weight : str or None
        The column with the weights of the rows.
    preprocess : mapping
        What the user wants done with columns, by name.
    search : mapping or None
        See `pgml.search`.
    cost : mapping or None
        The user's cost that `metric` names, as `pgml.sql_cost.asked` takes it.
    criterion : Metric or None
        The same, ready to be computed. It does not travel: each process makes its own.
    threshold : float, str or None
        Of two classes, see `pgml.decision.codes_of`; ``auto``: chosen by the metric, see `pgml.thresholds`.
    base : mapping or None
        Of the model whose weights the fit starts from: ``model``, its name, ``normed``, whether it was
        trained with norms of batches, and ``frozen``, how many of its layers keep their weights.
    automatic : mapping or None
        Algorithm and hyperparameters are to be found, see `pgml.automatic.run`.
    deadline : float or None
        See `pgml.algorithms.base.FitContext`.
    """

    task: str
    targets: Sequence[str]
    features: Sequence[str]
    algorithm: str
    hyperparams: Mapping[str, Any]
    seed: int
    recipe: Recipe
    max_model_bytes: int
    threads: int
    metric: str | None = None
    weight: str | None = None
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] | None = None
    cost: Mapping[str, Any] | None = None
    threshold: float | str | None = None
    base: Mapping[str, Any] | None = None
    automatic: Mapping[str, Any] | None = None
    deadline: float | None = None
    criterion: Metric | None = field(default=None, compare=False, repr=False)

    @property
    def fixed_threshold(self) -> float | None:
        """The threshold if it does not depend on the rows."""
        return self.threshold if isinstance(self.threshold, float) else None

    def as_json(self) -> dict[str, Any]:
        form = asdict(replace(self, criterion=None)) | {"recipe": self.recipe.as_json()}
        del form["criterion"]
        return form

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "FitSpec":
        return cls(**{**form, "recipe": Recipe.from_json(form["recipe"])})
