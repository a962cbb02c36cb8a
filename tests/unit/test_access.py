"""Privileges: which implies which, and how a refusal reads."""

import pytest

from pgml import access
from pgml.errors import NotPermitted
from pgml.store import Project


@pytest.mark.parametrize(
    ("held", "allowed"),
    [("predict", {"predict"}), ("manage", {"predict", "manage"}), ("own", {"predict", "manage", "own"})],
)
def test_a_privilege_implies_the_lesser_ones(held: str, allowed: set[str]) -> None:
    project = Project(1, "p", "ana", "regression", "y", "t", "hash", 0.25, 0, None, {}, held)
    for needed in ("predict", "manage", "own"):
        assert access.suffices(held, needed) is (needed in allowed)
        if needed in allowed:
            project.require(needed)
        else:
            with pytest.raises(NotPermitted) as caught:
                project.require(needed)
            assert 'project "p"' in caught.value.message
            assert 'role "ana"' in caught.value.hint
