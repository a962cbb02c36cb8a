"""Libraries that are not installed: known by name, refused where a fit needs them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pgml import algorithms
from pgml.algorithms import extras
from pgml.errors import NotBuilt
from tests.unit.graphs import fitted

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


@pytest.mark.parametrize("name", ["catboost", "lightgbm"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_is_not_installed_is_named_with_what_to_type(
    name: str, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in extras.EXTRAS:
        monkeypatch.setitem(sys.modules, each, None)
    with pytest.raises(NotBuilt, match=f'^algorithm "{name}" needs the package {name}, which') as caught:
        fitted(name, task, np.arange(20.0)[:, np.newaxis], np.arange(20) % 2)
    assert caught.value.hint == f'On the machine of the server, run: make install EXTRAS="{name}".'


def test_what_is_installed_is_named_too_so_that_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: name == "catboost")
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(NotBuilt) as caught:
        extras.imported("lightgbm", "lightgbm:LGBMRegressor")
    assert caught.value.hint.endswith('EXTRAS="catboost lightgbm".')


@pytest.mark.parametrize("name", extras.EXTRAS)
def test_each_has_a_lock_of_pinned_versions_and_parameters_without_it(name: str) -> None:
    lines = (REQUIREMENTS / f"extra-{name}.txt").read_text().splitlines()
    pinned = [line for line in lines if line[:1].isalpha()]
    assert any(line.startswith(f"{name}==") for line in pinned)
    assert all("==" in line for line in pinned)
    assert {path.name for path in REQUIREMENTS.glob("extra-*")} == {
        f"extra-{each}.txt" for each in extras.EXTRAS
    }
    if name in algorithms.ALGORITHMS:
        assert len(algorithms.find(name, "regression").parameters("regression")) > 20
