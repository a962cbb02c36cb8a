"""The swarm: what it finds of functions whose minimum is known, and the rules by which it moves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pgml.errors import InvalidValue
from pgml.swarm import Floats, Settings, Swarmed, minimise

SEEDS = range(20)


def sphere(x: Floats) -> Floats:
    return np.asarray((x**2).sum(axis=1))


def rosenbrock(x: Floats) -> Floats:
    return np.asarray((100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(axis=1))


def rastrigin(x: Floats) -> Floats:
    return np.asarray((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum(axis=1))


def swarmed(
    cost: Callable[[Floats], Any],
    end: float = 1.0,
    dimensions: int = 2,
    seed: int = 0,
    settings: Settings | None = None,
    **given: Any,
) -> Swarmed:
    """Minimise between -end and end in each dimension."""
    high = np.full(dimensions, end)
    return minimise(cost, -high, high, settings or Settings(), np.random.default_rng(seed), **given)


@pytest.mark.parametrize(
    ("cost", "end", "dimensions", "settings", "least", "seeds", "failing"),
    [
        (sphere, 5.12, 10, Settings(iterations=200), 1e-6, 20, 0),
        (rosenbrock, 2.048, 2, Settings(), 1e-3, 20, 0),
        # Slower swarms have not always come to rest after 50 iterations: 45 of 1,000.
        (rastrigin, 5.12, 2, Settings(), 1e-3, 100, 3),
        (rastrigin, 5.12, 2, Settings(kappa=0.9), 1e-3, 20, 0),
    ],
)
def test_functions_of_a_known_minimum_are_minimised(
    cost: Any, end: float, dimensions: int, settings: Settings, least: float, seeds: int, failing: int
) -> None:
    found = [swarmed(cost, end, dimensions, seed, settings) for seed in range(seeds)]
    assert sum(each.cost >= least for each in found) <= failing
    for each in found:
        assert each.cost == cost(each.position[np.newaxis])[0] == each.history[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_best_at_a_bound_is_found_there(seed: int) -> None:
    found = swarmed(lambda x: ((x - 1) ** 2).sum(axis=1), seed=seed, settings=Settings(8, 15))
    assert found.cost < 1e-6


def test_the_constriction_follows_from_the_formula() -> None:
    assert Settings().chi == pytest.approx(0.7298, abs=5e-5)
    assert Settings(kappa=0.5).chi == pytest.approx(0.7298 / 2, abs=5e-5)
    # phi = 5: 2 / |2 - 5 - sqrt(5)|.
    assert Settings(phi1=3, phi2=2).chi == pytest.approx(2 / (3 + 5**0.5))


def watched(settings: Settings, **given: Any) -> tuple[list[Floats], list[Floats]]:
    """Return positions and costs of each iteration."""
    steps: list[tuple[Floats, Floats]] = []

    def on_step(iteration: int, positions: Floats, costs: Floats, best: float) -> None:
        assert iteration == len(steps) + 1
        steps.append((positions.copy(), costs.copy()))
        assert best == min(each.min() for _, each in steps)

    swarmed(rosenbrock, 2.0, 3, 1, settings, on_step=on_step, **given)
    return [x for x, _ in steps], [costs for _, costs in steps]


def test_the_first_swarm_is_evaluated_before_it_moves_and_spread_over_every_dimension() -> None:
    asked: list[Floats] = []
    swarmed(lambda x: asked.append(x.copy()) or sphere(x), 2.0, 3, settings=Settings(16, 4))
    assert len(asked) == 4
    slices = np.floor((asked[0] + 2) / 4 * 16)
    assert (np.sort(slices, axis=0) == np.arange(16)[:, np.newaxis]).all()


@pytest.mark.parametrize("ratio", [0.05, 0.2, 1.0])
def test_no_step_is_longer_than_the_velocity_ratio_allows_and_none_leaves_the_bounds(ratio: float) -> None:
    positions, _ = watched(Settings(20, 30, velocity_ratio=ratio))
    steps = np.abs(np.diff(positions, axis=0))
    assert steps.max() <= ratio * 4 * (1 + 1e-12)
    assert (steps > 0.9 * ratio * 4).any()
    assert np.abs(positions).max() <= 2


def test_a_particle_at_the_best_of_all_keeps_its_direction_and_is_slowed_by_the_constriction() -> None:
    positions, costs = watched(Settings(1, 3, velocity_ratio=1.0), start=np.zeros(3))
    improved = costs[1][0] < costs[0][0]
    first, second = np.diff(positions, axis=0)[:, 0]
    # Alone, it is drawn back to where it was best, unless it is there.
    assert improved == np.allclose(second, Settings().chi * first)


def test_each_particle_and_dimension_has_random_numbers_of_its_own() -> None:
    flat = np.zeros(8)
    positions: list[Floats] = []
    minimise(
        lambda x: positions.append(x.copy()) or (np.arange(8.0) if len(positions) == 1 else flat + 99),
        np.full(4, -1e9),
        np.full(4, 1e9),
        Settings(8, 2, velocity_ratio=1.0),
        np.random.default_rng(0),
        start=np.ones((8, 4)) * np.arange(8)[:, np.newaxis],
    )
    assert np.unique(positions[1]).size == 32


def test_the_same_numbers_give_the_same_swarm_and_others_another() -> None:
    one, same, other = (swarmed(rastrigin, 5.0, seed=seed) for seed in (3, 3, 4))
    assert (one.position == same.position).all()
    assert (one.history == same.history).all()
    assert (one.position != other.position).any()


def test_a_cost_that_is_no_number_is_the_worst() -> None:
    found = swarmed(lambda x: np.where(x[:, 0] < 0, np.nan, sphere(x - 0.5)))
    assert found.cost < 1e-3
    seen: list[bool] = []
    swarmed(
        lambda x: np.full(len(x), np.nan),
        on_step=lambda i, x, costs, best: seen.append(np.isinf(costs).all()),
    )
    assert all(seen)
    nowhere = swarmed(lambda x: np.full(len(x), np.nan), settings=Settings(5, 3))
    assert nowhere.history.tolist() == [np.inf] * 3
    assert (np.abs(nowhere.position) <= 1).all()


def test_a_cost_that_changes_what_it_is_given_does_not_move_the_swarm() -> None:
    def cost(x: Floats) -> Floats:
        found = sphere(x)
        x[:] = 0
        return found

    assert (swarmed(cost).position == swarmed(sphere).position).all()


def test_the_start_takes_the_places_of_the_first_particles_within_the_bounds() -> None:
    positions, _ = watched(Settings(4, 1), start=[[1, 1, 1], [9, -9, 0]])
    assert positions[0][:2].tolist() == [[1, 1, 1], [2, -2, 0]]
    assert len(positions[0]) == 4
    found = swarmed(rosenbrock, 2.0, 3, settings=Settings(2, 1), start=np.ones(3))
    assert found.cost == 0
    assert len(watched(Settings(2, 1), start=np.ones((5, 3)))[0][0]) == 2


def test_the_one_who_watches_may_end_it() -> None:
    found = swarmed(sphere, on_step=lambda iteration, x, costs, best: iteration == 7)
    assert len(found.history) == 7


def test_the_best_is_never_lost() -> None:
    assert (np.diff(swarmed(rastrigin, 5.12).history) <= 0).all()


def test_a_dimension_without_width_stays_where_it_is() -> None:
    found = minimise(sphere, [0.5, -1], [0.5, 1], Settings(), np.random.default_rng(0))
    assert found.position[0] == 0.5
    assert abs(found.position[1]) < 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"particles": 0}, "a particle and an iteration at least"),
        ({"iterations": 0}, "a particle and an iteration at least"),
        ({"phi1": 2.0, "phi2": 2.0}, "must add up to more than 4, not 4"),
        ({"phi1": -1.0, "phi2": 6.0}, "phi1 and phi2"),
        ({"phi1": float("nan")}, "phi1 and phi2"),
        ({"phi1": float("inf")}, "phi1 and phi2"),
        ({"kappa": 0.0}, "kappa must be greater than 0"),
        ({"kappa": 1.5}, "at most 1, not 1.5"),
        ({"velocity_ratio": -0.1}, "velocity_ratio must be greater than 0"),
        ({"velocity_ratio": float("nan")}, "velocity_ratio"),
    ],
    ids=str,
)
def test_settings_that_no_swarm_can_have_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Settings(**settings)
    assert message in caught.value.message
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([0.0], [1.0, 1.0], "shape"),
        (0.0, 1.0, "shape"),
        ([1.0], [0.0], "not above"),
        ([-np.inf], [0.0], "finite"),
        ([0.0], [np.nan], "finite"),
    ],
)
def test_bounds_that_are_none_are_refused(low: Any, high: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minimise(sphere, low, high, Settings(), np.random.default_rng(0))


def test_costs_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"costs must have the shape \(50,\), not \(50, 2\)"):
        swarmed(lambda x: x)
