"""What a page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A picture of the model.

    Attributes
    ----------
    kind : str
        As pgml.plot calls it.
    svg : str
        Of `pgml.plots`, which is well-formed and escaped.
    """

    kind: str
    svg: str


@dataclass(frozen=True)
class Facts:
    """What is known of a model and of its project, as JSON has it.

    Attributes
    ----------
    project, model : mapping
        See `pgml.dossiers.of_model`.
    data : mapping or None
        See there; None of an imported model.
    scores : sequence of mapping
        ``metric``, ``value``, ``low`` and ``high``.
    metric : str or None
        The one that decides deployments.
    measured : mapping
        ``train_rows``, ``test_rows``, ``fit_time``, and ``by_class`` of a classification.
    importances : mapping of str to float
        Shares by feature; empty where the model says nothing.
    trials, models, deployments : sequence of mapping
        See `pgml.dossiers`; the models as they are to be listed.
    pictures : sequence of Picture
    written : str
        When, for people.
    version : str
        Of pgml.
    """

    project: Row
    model: Row
    data: Row | None
    scores: Sequence[Row]
    metric: str | None
    measured: Row = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
    trials: Sequence[Row] = ()
    models: Sequence[Row] = ()
    deployments: Sequence[Row] = ()
    pictures: Sequence[Picture] = ()
    written: str = ""
    version: str = ""

    @property
    def score(self) -> Row | None:
        """The row of the metric that decides deployments."""
        return next((each for each in self.scores if each["metric"] == self.metric), None)
