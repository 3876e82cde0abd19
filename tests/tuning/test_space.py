"""Search spaces: what a card means, and what it cannot mean."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from animeid.config.locate import conf_dir, groups
from animeid.errors import InputError
from animeid.system.files import read_yaml
from animeid.tuning.charts import importances
from animeid.tuning.space import Choice, Range, as_argument, combinations, grid_of, read_space

CARDS = [card for card in groups(conf_dir())["space"] if card != "none"]


def test_lists_are_choices_and_low_and_high_ranges() -> None:
    card = {
        "loss": ["focal", "poly1", "focal"],
        "optimizer": {"lr": {"low": 1e-4, "high": 1e-2, "log": True}, "betas": [[0.9, 0.99], [0.8, 0.99]]},
        "head.dropout": {"low": 0.0, "high": 0.5, "step": 0.25},
        "trainer": {"max_epochs": {"low": 2, "high": 8}},
    }
    assert read_space(card) == [
        Choice("loss", ("focal", "poly1")),
        Range("optimizer.lr", 1e-4, 1e-2, log=True),
        Choice("optimizer.betas", ("[0.9,0.99]", "[0.8,0.99]")),
        Range("head.dropout", 0.0, 0.5, step=0.25),
        Range("trainer.max_epochs", 2, 8),
    ]


@pytest.mark.parametrize("value", [None, True, False, 3, 0.5, "focal", [1, 2.5], ["a", None]])
def test_values_are_written_as_hydra_reads_them(value: Any) -> None:
    assert OverridesParser.create().parse_override(f"key={as_argument(value)}").value() == value


def test_suggestions_lie_in_the_space() -> None:
    space = read_space({"a": ["x", "y"], "b": {"low": 0.1, "high": 10, "log": True}, "c": {"low": 2, "high": 5}})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = [[dimension.suggest(trial) for dimension in space] for trial in (study.ask() for _ in range(60))]
    assert {row[0] for row in found} == {"x", "y"}
    assert all(0.1 <= float(row[1]) <= 10 for row in found)
    assert 15 < sum(float(row[1]) < 1 for row in found) < 45, "half of a logarithmic range lies below its middle"
    assert {row[2] for row in found} == {"2", "3", "4", "5"}


def test_a_grid_is_every_combination() -> None:
    space = read_space(
        {"a": ["x", "y"], "b": {"low": 0.05, "high": 0.15, "step": 0.05}, "c": {"low": 1, "high": 5, "step": 2}}
    )
    found = grid_of(space)
    assert len(found) == 2 * 3 * 3
    assert {values["c"] for values in found} == {1, 3, 5}
    assert sorted({values["b"] for values in found}) == [0.05, 0.1, 0.15], "as they are written, none above the end"
    with pytest.raises(InputError, match="give its range a step"):
        grid_of(read_space({"b": {"low": 1, "high": 2.5}}))


def test_steps_are_tried_as_they_are_written() -> None:
    (steps,) = read_space({"b": {"low": 0.05, "high": 0.15, "step": 0.05}})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    assert {steps.suggest(study.ask()) for _ in range(30)} == {"0.05", "0.1", "0.15"}
    assert steps.written(0.15000000000000002) == "0.15"


def test_what_can_be_counted_is() -> None:
    countable = {"a": ["x", "y"], "b": {"low": 2, "high": 9}, "c": {"low": 0.0, "high": 0.5, "step": 0.25}}
    assert combinations(read_space(countable)) == 2 * 8 * 3
    assert combinations(read_space({**countable, "d": {"low": 0.0, "high": 1.0}})) is None


def test_wandb_draws_from_the_same_values() -> None:
    """Its own steps are multiples of the step, not of the step from the low end; its logarithmic draws are floats."""
    card = {
        "a": {"low": 1, "high": 7, "step": 3},
        "b": {"low": 0.1, "high": 0.6, "step": 0.25},
        "c": {"low": 2, "high": 5},
        "d": {"low": 1, "high": 1000, "log": True},
        "e": {"low": 0.5, "high": 2},
    }
    a, b, c, d, e = (dimension.for_wandb() for dimension in read_space(card))
    assert a == {"values": [1, 4, 7]}
    assert b == {"values": [0.1, 0.35, 0.6]}
    assert c == {"distribution": "int_uniform", "min": 2, "max": 5}
    assert e == {"distribution": "uniform", "min": 0.5, "max": 2}
    values = d["values"]
    assert all(isinstance(value, int) for value in values)
    assert (values[0], values[-1]) == (1, 1000)
    assert 10 < sum(value < 32 for value in values) < 20, "half of them below the middle of the logarithm"


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ({}, "the search space is empty"),
        ({"loss": []}, "space.loss names no value"),
        ({"loss": "focal"}, "space.loss is focal: give a list"),
        ({"optimizer": {}}, "space.optimizer is"),
        ({"a": {"low": 1}}, "must go from a number to a number"),
        ({"a": {"low": "1", "high": 2}}, "must go from a number to a number"),
        ({"a": {"low": 1, "high": 2, "logs": True}}, "space.a has the key logs"),
        ({"a": {"low": 2, "high": 1}}, "cannot go from 2 to 1"),
        ({"a": {"low": 0.0, "high": 1, "log": True}}, "above 0 with log"),
        ({"a": {"low": 1, "high": 2, "log": "no"}}, "space.a has log: no: log is true or false"),
        ({"a": {"low": 1, "high": float("inf")}}, "must go from a number to a number"),
        ({"a": {"low": float("nan"), "high": 2}}, "must go from a number to a number"),
        ({"a": {"low": 1, "high": 2, "step": 0}}, "a step above 0"),
        ({"a": {"low": 1, "high": 2, "step": 0.5, "log": True}}, "without log"),
    ],
)
def test_what_is_no_space(card: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_space(card)


@pytest.mark.parametrize("card", CARDS)
def test_training_takes_every_value_of_every_card(card: str) -> None:
    from animeid.config.compose import compose
    from animeid.tuning.checks import check_space
    from animeid.tuning.trials import Training

    space = read_space(read_yaml(conf_dir() / "space" / f"{card}.yaml"))
    check_space(space, Training((), (), compose))


def test_numbers_are_written_and_tried_with_as_many_digits_as_say_something() -> None:
    lr = Range("optimizer.lr", 1e-5, 1.0, log=True)
    assert [lr.written(value) for value in (0.0012345678901234567, 0.5, 1.23456789e-05)] == [
        "0.001235",
        "0.5",
        "1.235e-05",
    ]
    assert Range("head.dropout", 0.0, 0.5, step=0.05).written(0.15000000000000002) == "0.15"


def test_importance_is_told_of_enough_trials_alone() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("a", 0, 1) + 0 * trial.suggest_float("b", 0, 1), n_trials=9)
    assert importances(study) == {}
    study.optimize(lambda trial: trial.suggest_float("a", 0, 1) + 0 * trial.suggest_float("b", 0, 1), n_trials=1)
    found = importances(study)
    assert found["a"] > found["b"]
