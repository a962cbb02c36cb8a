"""What was stored of a model's test rows, and who may see it.

Like store, it runs with the rights of the extension's owner.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml import access
from pgml.database.port import Database
from pgml.errors import UnknownObject


@dataclass(frozen=True)
class Stored:
    """What there is of a model beside `pgml.store.Model`.

    Attributes
    ----------
    metrics, evaluation : mapping
        See `pgml.report.of_test_rows`.
    targets : sequence of str
    project, owner, relation_name : str
        Of its project, with the relation of the last training; None where it was imported.
    privilege : str
        What the caller has.
    created : str
        When the model was stored, to the minute.
    is_imported : bool
        From a file.
    """

    metrics: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    targets: Sequence[str]
    project: str
    owner: str
    relation_name: str | None
    privilege: str
    created: str
    is_imported: bool

    @property
    def is_shown(self) -> bool:
        """Whether the caller may see what was measured on the project's rows."""
        return access.suffices(self.privilege, "manage")

    def require_shown(self) -> None:
        """Raise NotPermitted unless the caller may see what was measured on the project's rows."""
        if not self.is_shown:
            raise access.refusal(self.project, self.owner, "manage")


def of_model(database: Database, caller: str, model_id: int) -> Stored:
    """Return what was stored of a model (UnknownObject if the caller has no such model)."""
    rows = database.query(
        "select m.metrics::text as metrics, m.evaluation::text as evaluation,"
        " pg_catalog.to_json(p.targets)::text as targets, p.name as project, p.owner::text as owner,"
        " p.relation_name, h.privilege, m.source is not null as is_imported,"
        " pg_catalog.to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"') as created"
        f" from pgml.models m join pgml.projects p on p.id = m.project_id {access.HELD}"
        " where h.privilege is not null and m.id = $2::bigint",
        caller,
        model_id,
    )
    if not rows:
        raise UnknownObject(
            f"model {model_id} does not exist", hint="pgml.trained_models lists the models you may use."
        )
    read = {name: json.loads(rows[0][name]) for name in ("metrics", "evaluation", "targets")}
    return Stored(**{**rows[0], **read})
