"""The arguments of a search: all of them checked before a row is read, with what would be right."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pgml import algorithms
from pgml.algorithms import extras
from pgml.columns import Column
from pgml.errors import InvalidValue, NotBuilt, PgmlError
from pgml.usecases import search_request

TREES = {"max_depth": [3, 5], "min_samples_leaf": {"int": [1, 9]}}
CLASSES = Column("y", "text")


def checked(
    algorithm: str | None = "random_forest",
    target: Column | None = CLASSES,
    task: str | None = None,
    **given: Any,
) -> search_request.Search | None:
    arguments = {"search": None, "search_params": {}, "search_args": {}, "hyperparams": {}, "metric": None}
    return search_request.checked({**arguments, **given}, target, task, algorithm)


def settled(
    algorithm: str = "random_forest", task: str = "classification", seed: int = 3, **given: Any
) -> Mapping[str, Any]:
    wanted = checked(algorithm, **{"search": "random", "search_params": TREES, **given}, task=task)
    assert wanted is not None
    return search_request.settled(
        wanted,
        algorithms.find(algorithm, task),
        task,
        given.get("hyperparams") or {},
        given.get("metric"),
        seed,
    )


def refused(kind: type[PgmlError] = InvalidValue, **given: Any) -> PgmlError:
    with pytest.raises(kind) as caught:
        checked(**{"search": "random", "search_params": TREES, **given})
    assert caught.value.hint.endswith(".")
    return caught.value


def test_defaults_are_those_of_the_documentation() -> None:
    found = settled()
    assert found == {
        "kind": "random",
        "space": TREES,
        "trials": 10,
        "folds": 5,
        "metric": "accuracy",
        "seed": 3,
        "time_limit": None,
        "factor": 3,
        "min_resources": None,
    }
    assert checked() is None
    assert settled(search_args=None)["trials"] == 10


def test_what_is_given_is_taken_and_old_scripts_are_not_refused() -> None:
    old = {
        "n_jobs": -1,
        "verbose": 2,
        "refit": True,
        "return_train_score": False,
        "error_score": "raise",
        "pre_dispatch": "2*n_jobs",
        "iid": True,
        "random_state": None,
    }
    own = {"n_iter": 30, "cv": 3, "scoring": "f1_score", "factor": 2, "min_resources": 50}
    found = settled(search="halving", search_args={**old, **own})
    assert (found["trials"], found["folds"], found["metric"], found["seed"]) == (30, 3, "f1", 3)
    assert (found["factor"], found["min_resources"]) == (2, 50)
    assert settled(search_args={"random_state": 0})["seed"] == 0


def test_the_metric_of_the_training_decides_unless_scoring_does() -> None:
    assert settled(metric="log_loss")["metric"] == "log_loss"
    assert settled(metric="log_loss", search_args={"scoring": "roc_auc"})["metric"] == "roc_auc"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *((30, 30), (0.5, 0.5), ("90", 90), ("90 s", 90), ("10 min", 600), ("2h", 7200), ("1.5 hours", 5400)),
        *(("1 Minute", 60), ("3 secs", 3), ("20 seconds", 20), (" 5mins ", 300), ("1 sec", 1)),
    ],
)
def test_a_time_limit_is_seconds_or_a_short_text(text: Any, seconds: float) -> None:
    assert settled(search_args={"time_limit": text})["time_limit"] == seconds


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"n_iters": 3}, 'name "n_iters", which does not exist'),
        ({"factor": 3}, 'name "factor", which search "random" does not take'),
        *(
            ({"n_iter": wrong}, '"n_iter" must be a whole number')
            for wrong in (0, -1, 10_001, 2.0, "3", True)
        ),
        *(({"cv": wrong}, '"cv" must be a whole number') for wrong in (1, 101, [1], {"a": 1})),
        *(({"random_state": wrong}, '"random_state" must be') for wrong in (-1, 2**32, 1.5)),
        *(({"scoring": wrong}, '"scoring" must be the name') for wrong in (3, ["f1", "r2"], {})),
        ({"scoring": "r2"}, 'metric "r2" does not score classification'),
        ({"scoring": "nope"}, 'metric "nope" does not exist'),
        *(
            ({"time_limit": wrong}, '"time_limit" must be a time above 0')
            for wrong in (
                0,
                -1,
                "0",
                "1 day",
                "soon",
                "5 ms",
                "",
                "1 h 5 min",
                "-3 s",
                True,
                [1],
                "9" * 30,
                1e300,
            )
        ),
    ],
    ids=str,
)
def test_wrong_search_args_are_refused(args: dict[str, Any], message: str) -> None:
    assert message in refused(search_args=args).message


@pytest.mark.parametrize("option", ["search_args", "search_params"])
@pytest.mark.parametrize("wrong", [[1], "x", 3])
def test_what_is_no_object_is_refused(option: str, wrong: Any) -> None:
    assert refused(**{option: wrong}).message == f"{option} is no JSON object"


@pytest.mark.parametrize("option", ["search_args", "search_params"])
def test_options_of_a_search_without_one_are_refused(option: str) -> None:
    error = refused(**{"search": None, "search_params": {}, option: {"cv": [3]}})
    assert error.message == f"{option} is given without search"
    assert '"grid", "random", "halving", "bayes", "pso"' in error.hint


def test_searches_that_do_not_exist_are_refused() -> None:
    assert '"random"' in refused(search="randon").hint
    assert "does not exist" in refused(search="").message


def test_bayes_without_its_package_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (search_request, extras):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    error = refused(NotBuilt, search="bayes")
    assert 'make install EXTRAS="optuna".' in error.hint


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_deth": [1]}, '"max_deth" does not exist for random_forest'),
        ({"max_depth": [3, "x"]}, '"max_depth" must be of type'),
        ({"max_depth": [3, 0]}, '"max_depth" must be'),
        ({"max_depth": {"int": [0, 9]}}, '"max_depth" must be'),
        ({"max_depth": {"uniform": [1, 9]}}, '"max_depth" must be of type'),
        ({"max_features": {"uniform": [0.5, 1.5]}}, '"max_features" must be'),
        ({"max_depth": {"log": [1, 9]}}, '"max_depth" must be of type'),
        ({"max_depth": []}, "list no value"),
        ({"max_depth": 3}, "neither a list nor a range"),
        ({"criterion": ["gini", "ginni"]}, '"criterion" must be one of'),
    ],
    ids=str,
)
def test_each_value_and_both_ends_of_a_range_must_be_what_the_hyperparameter_takes(
    params: dict[str, Any], message: str
) -> None:
    assert message in refused(search_params=params).message


def test_the_way_to_search_whole_numbers_is_told() -> None:
    assert '"int" or "logint"' in refused(search_params={"max_depth": {"uniform": [1, 9]}}).hint


def test_a_hyperparameter_is_fixed_or_searched_for() -> None:
    error = refused(hyperparams={"max_depth": 3})
    assert error.message == 'hyperparameter "max_depth" is given in hyperparams and in search_params'
    assert settled(hyperparams={"n_estimators": 3})["space"] == TREES


def test_a_grid_takes_lists_and_not_too_many() -> None:
    error = refused(search="grid")
    assert error.message == 'search_params for "min_samples_leaf" are a range, and a grid takes lists'
    assert "'random'" in error.hint
    large = {"max_depth": list(range(1, 102)), "min_samples_leaf": list(range(1, 102))}
    assert "10201 combinations" in refused(search="grid", search_params=large).message
    assert '"n_iter", which search "grid"' in refused(search="grid", search_args={"n_iter": 3}).message


@pytest.fixture
def spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give two algorithms a space, one of them with names that only one of its tasks has."""
    linear = replace(algorithms.ALGORITHMS["linear"], space={"C": {"log": [0.1, 1]}, "fit_intercept": [True]})
    forest = replace(algorithms.ALGORITHMS["random_forest"], space=TREES)
    changed = {**algorithms.ALGORITHMS, "linear": linear, "random_forest": forest}
    changed["xgboost"] = replace(changed["xgboost"], space={})
    monkeypatch.setattr(algorithms, "ALGORITHMS", changed)


@pytest.mark.usefixtures("spaced")
def test_without_search_params_the_algorithms_own_space_is_searched() -> None:
    assert settled(search_params={})["space"] == TREES
    assert settled(search_params=None, hyperparams={"max_depth": 2})["space"] == {
        "min_samples_leaf": {"int": [1, 9]}
    }
    assert set(settled("linear", search_params={})["space"]) == {"C", "fit_intercept"}
    assert set(settled("linear", "regression", search_params={})["space"]) == {"fit_intercept"}
    assert "no search space of its own" in refused(algorithm="xgboost", search_params={}).message
    both = {"max_depth": 2, "min_samples_leaf": 3}
    assert "beside hyperparams" in refused(search_params={}, hyperparams=both).message
    assert "which a grid cannot list" in refused(search="grid", search_params={}).message


@pytest.mark.parametrize("task", ["decomposition", "anomaly"])
def test_tasks_without_a_metric_are_not_searched(task: str) -> None:
    with pytest.raises(InvalidValue, match=f"{task} has no metric to search by"):
        search_request.settled(
            search_request.Search("random", {}, {}), algorithms.ALGORITHMS["linear"], task, {}, None, 0
        )


def test_a_target_whose_task_the_rows_decide_is_checked_for_both() -> None:
    either = Column("y", "integer")
    assert checked("linear", either, search="random", search_params={"C": [1]}) is not None
    assert checked("linear", either, search="random", search_params={"positive": [True]}) is not None
    error = refused(algorithm="linear", target=either, search_params={"nope": [1]})
    assert '"nope" does not exist for linear' in error.message
    number = refused(algorithm="linear", target=Column("y", "numeric"), search_params={"C": [1]})
    assert '"C" does not exist for linear regression' in number.message
    boolean = refused(algorithm="linear", target=Column("y", "boolean"), search_params={"positive": [True]})
    assert "linear classification" in boolean.message


SWARMED = {
    "swarm": {
        "particles": 8,
        "iterations": 3,
        "velocity_ratio": 0.2,
        "phi1": 2.05,
        "phi2": 2.05,
        "kappa": 1.0,
    },
    "selection": "mean",
    "run_type": "normal",
    "candidate_time_limit": None,
    "regularising": [],
}


def test_a_swarm_has_the_defaults_of_the_documentation_and_takes_what_is_given() -> None:
    found = settled(search="pso")
    assert {name: found[name] for name in SWARMED} == SWARMED
    assert found["folds"] == 5
    own = {"particles": 20, "iterations": 2, "velocity_ratio": 1, "phi1": 3, "phi2": 1.5, "kappa": 0.5}
    rest = {"selection": "gap_penalised", "run_type": "overfitting"}
    limits = {"candidate_time_limit": "2 min", "time_limit": "1 h", "cv": 2}
    given = settled(search="pso", search_args={**own, **rest, **limits})
    assert given["swarm"] == own
    assert (given["selection"], given["run_type"]) == ("gap_penalised", "overfitting")
    assert (given["candidate_time_limit"], given["time_limit"], given["folds"]) == (120, 3600, 2)
    assert not set(SWARMED) & set(settled(search="random"))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"n_iter": 3}, 'name "n_iter", which search "pso" does not take'),
        *(
            ({"particles": wrong}, '"particles" must be a whole number from 1 to 1000')
            for wrong in (0, 1001, 2.5, "8")
        ),
        ({"iterations": 0}, '"iterations" must be a whole number'),
        *(
            ({"velocity_ratio": wrong}, '"velocity_ratio" must be a number above 0 and up to 1')
            for wrong in (0, -0.1, 1.1, "x", True, float("nan"))
        ),
        ({"kappa": 2}, '"kappa" must be a number above 0 and up to 1'),
        ({"phi1": 1.5}, "phi1 and phi2 must add up to more than 4, not 3.55"),
        ({"phi2": 1e9}, '"phi2" must be a number above 0 and up to 100'),
        ({"selection": "median"}, '"selection" must be one of "mean", "gap_penalised"'),
        ({"selection": ["mean"]}, '"selection" must be one of'),
        ({"run_type": "2 steps"}, '"run_type" must be one of "normal", "overfitting"'),
        ({"candidate_time_limit": "soon"}, '"candidate_time_limit" must be a time above 0'),
        ({"particles": 1000, "iterations": 11}, "would try 11000 candidates, and 10000 can be tried"),
        ({"particles": 1000, "iterations": 6, "run_type": "2steps"}, "would try 12000 candidates"),
    ],
    ids=str,
)
def test_wrong_arguments_of_a_swarm_are_refused(args: dict[str, Any], message: str) -> None:
    assert message in refused(search="pso", search_args=args).message


def test_other_searches_do_not_take_the_arguments_of_a_swarm() -> None:
    for name in SWARMED["swarm"]:
        assert 'which search "random" does not take' in refused(search_args={name: 1}).message


WRONG = 'run_type "{}" tunes what regularises, which "max_depth" of random_forest does not'


def test_what_regularises_is_tuned_alone_where_that_is_wanted() -> None:
    only = {"search": "pso", "search_args": {"run_type": "regularization"}}
    assert set(settled(**only, search_params={})["space"]) == {"min_samples_leaf"}
    leaf = {"min_samples_leaf": [1, 5]}
    assert settled(**only, search_params=leaf)["regularising"] == ["min_samples_leaf"]
    error = refused(**only)
    assert error.message == WRONG.format("regularization")
    assert '"min_samples_leaf"' in error.hint
    error = refused(**only, algorithm="knn", search_params={})
    assert error.hint == 'Search knn by run_type "normal".'


def test_two_steps_need_something_that_regularises() -> None:
    both = {"search": "pso", "search_args": {"run_type": "2steps"}}
    found = settled(**both)
    assert (set(found["space"]), found["regularising"]) == (set(TREES), ["min_samples_leaf"])
    error = refused(**both, search_params={"max_depth": [1, 2]})
    assert error.message == WRONG.format("2steps")
