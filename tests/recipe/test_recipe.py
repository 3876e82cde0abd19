"""`recipe=auto`: what is chosen from which facts, what stays the user's, and that it is only a way to type."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from animeid.assembly.planning import plan_for
from animeid.config.compose import compose
from animeid.config.freeze import read_plan
from animeid.data.prepare import Prepared
from animeid.doctor import main as doctor
from animeid.engine import precision
from animeid.errors import InputError
from animeid.recipe import budget, choose, timing
from animeid.recipe.apply import settle
from animeid.recipe.budget import epochs_of, seconds_of
from animeid.recipe.choice import YOURS, Choice, table
from animeid.recipe.facts import Facts, judges_unseen_styles
from animeid.recipe.rules import (
    FEWEST_EPOCHS,
    LOADED_MODEL,
    MOST_EPOCHS,
    RULES,
    STEPS,
    augment,
    image_size,
    max_epochs,
    refit,
    steps_wanted,
)
from animeid.recipe.timing import Estimate, Measured
from animeid.recipe.weights import Beginning
from animeid.train import main as train
from tests.small_runs import QUICK, class_folders, unreported

LONG = np.array([400, 60, 9, 3])
EVEN = np.array([30, 30, 29, 30])
OPEN = tuple(argument for argument in QUICK if argument != "recipe=none")


def facts(counts: np.ndarray = LONG, side: int | None = 128, accelerator: str = "cpu", random: bool = True) -> Facts:
    return Facts(counts, side, accelerator, random, has_val=True)


def chosen_by_rules(found: Facts) -> dict[str, Choice]:
    return {choice.key: choice for choice in (rule(found) for rule in RULES)}


def test_a_long_tail_is_corrected_once() -> None:
    choices = chosen_by_rules(facts())
    assert choices["loss"].value == "balanced_softmax"
    assert choices["sampler"].value == "natural"
    assert "133 times" in choices["loss"].reason


def test_even_classes_need_no_correction() -> None:
    assert chosen_by_rules(facts(EVEN))["loss"].value == "cross_entropy"


def chosen_model(*overrides: str, root: str | None = "pictures") -> Choice:
    request = compose("train", overrides)
    request["data"]["root"] = root
    return choose.with_network(request, request["recipe"]["fixed"])[1][0]


def test_real_pictures_start_from_the_weights_that_are_there() -> None:
    assert chosen_model().value == "efficientnet_lite0"
    assert chosen_model(root=None).value == "small"
    assert chosen_model("model=resnet18").reason == YOURS
    assert chosen_model("model.pretrained=false").reason == YOURS, "random weights are learnt by the card's network"


def test_without_the_weights_the_small_network_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "is_at_hand", lambda name: name != LOADED_MODEL)
    assert chosen_model().value == "small"


@pytest.mark.parametrize(
    ("found", "side"),
    [
        (facts(), 64),
        (facts(side=40), 64),
        (facts(side=20), 32),
        (facts(side=None), 64),
        (facts(accelerator="cuda"), 128),
        (facts(accelerator="cuda", random=False, side=600), 224),
        (facts(accelerator="mps", random=False, side=100), 128),
        (facts(random=False, side=600), 128),
        (replace(facts(random=False, side=600), is_drawn=True), 64),
    ],
)
def test_pictures_are_shown_no_larger_than_they_are(found: Facts, side: int) -> None:
    assert image_size(found).value == side


@pytest.mark.parametrize(
    ("pictures", "budget_s", "cores", "side"),
    [(900, None, 1, 224), (1100, None, 8, 128), (600, 300, 2, 224), (600, 100, 2, 128), (600, 100, 8, 224)],
)
def test_published_weights_get_their_own_size_where_a_cpu_has_time(
    pictures: int, budget_s: float | None, cores: int, side: int
) -> None:
    found = replace(facts(np.array([pictures - 3, 3]), side=96, random=False), is_published=True)
    assert image_size(replace(found, network="resnet50")).value == 128, "a larger one takes too long"
    found = replace(found, network=LOADED_MODEL, budget_s=budget_s, cores=cores)
    assert image_size(found).value == side, "pictures of 96 px are enlarged"


def test_small_folders_get_more_epochs_within_bounds() -> None:
    epochs = [max_epochs(facts(), steps).value for steps in (1, STEPS // 40, STEPS // 20, 10 * STEPS)]
    assert epochs == [MOST_EPOCHS, 40, 20, FEWEST_EPOCHS]
    assert max_epochs(facts(random=False), STEPS // 40).value < 40


@pytest.mark.parametrize("random", [True, False])
def test_pictures_are_changed_as_much_as_steps_allow(random: bool) -> None:
    found = facts(random=random)
    whole = steps_wanted(found)
    assert augment(found, whole).value == "basic"
    few = augment(found, whole // 2)
    assert few.value == "adaptive"
    assert f"{whole // 2} steps are few" in few.reason
    assert augment(replace(found, has_val=False), whole // 2).value == "light"


def test_published_weights_learn_from_changed_pictures_at_once() -> None:
    assert augment(replace(facts(random=False), is_published=True), 1).value == "basic"


def test_unseen_styles_are_prepared_for() -> None:
    found = replace(facts(random=False), unseen_styles=True)
    assert augment(found, STEPS).value == augment(found, 1).value == "style"
    assert augment(replace(facts(), unseen_styles=True), STEPS).value == "basic", "not measured from random weights"


@pytest.mark.parametrize(
    ("styles", "is_unseen"),
    [
        ("aabb cc", True),
        ("aabb ca", False),
        ("aabb  c", True),
        ("    cc", False),
        ("aabb  ", False),
        ("aabb bb", False),
    ],
)
def test_styles_are_unseen_where_training_has_none_of_most(styles: str, is_unseen: bool) -> None:
    """The first four pictures are of training, and a blank is a style that is not known."""
    table = pd.DataFrame({"style": [style.strip() for style in styles]})
    table["split"] = ["train"] * 4 + ["val", "test", "val"][: len(styles) - 4]
    assert judges_unseen_styles(table) is is_unseen


@pytest.mark.parametrize(
    ("counts", "own", "is_refit"),
    [((9, 3, 10, 40), True, True), ((9, 3, 10, 40), False, False), ((3, 11, 12, 11), True, False)],
)
def test_val_is_learnt_from_where_classes_are_small(counts: tuple[int, ...], own: bool, is_refit: bool) -> None:
    found = replace(facts(np.array(counts)), may_refit=own)
    assert refit(found).value is is_refit


def test_a_refit_is_averaged_and_follows_no_validation() -> None:
    found = facts().decided_refit
    assert chosen_by_rules(found)["averaging"].value == "tail"
    assert augment(found, steps_wanted(found) // 2).value == "light"
    assert chosen_by_rules(facts())["averaging"].value == "none"


def test_a_refit_is_the_recipes_to_choose_for_pictures_of_ones_own(prepared: Prepared) -> None:
    def asked(*words: str) -> dict:
        return compose("train", ["data.root=pictures", *words])

    carved = replace(prepared, carved_val=True)
    assert choose.may_refit(asked(), carved)
    assert not choose.may_refit(asked(), prepared)
    assert not choose.may_refit(compose("train", []), carved)
    assert not choose.may_refit(asked("callbacks.patience=2"), carved)
    assert not choose.may_refit({**asked(), "stage": {}}, carved)
    assert not choose.may_refit(asked("data.refit=false"), carved)


def test_a_budget_counts_the_twin_and_the_refit() -> None:
    once = timing.estimate(Measured((1.0, 1.0), (0.5,)), epochs=4, batches=10, judged=20, pictures=30, devices=1)
    both = once.and_again(80, 20)
    assert once.seconds == 4 * (10 + 10)
    assert both.seconds == once.seconds + 4 * 13
    assert epochs_of(both, 1000) == int((0.9 * 1000 - 2 * budget.FIXED_S - 2 * once.answering) / (20 + 13))


@pytest.mark.parametrize("pictures", range(520, 5000, 330))
@pytest.mark.parametrize("random", [True, False])
def test_a_training_that_nobody_cuts_short_has_steps_enough(pictures: int, random: bool) -> None:
    """Whatever is left over by the division."""
    found = facts(np.array([pictures - 3, 3]), random=random)
    steps = -(-pictures // 32)
    assert augment(found, steps * int(max_epochs(found, steps).value)).value == "basic"


@pytest.mark.parametrize(("contrastive", "draws"), [("none", 1000), ("supervised", 2000)])
def test_steps_of_an_epoch_are_those_of_all_views(contrastive: str, draws: int) -> None:
    request = compose("train", ["recipe=none", f"contrastive={contrastive}", "data.batch_size=32"])
    assert choose.steps_of_epoch(request, facts(np.array([900, 100]))) == -(-draws // 32)


def test_every_choice_is_a_card_with_such_values() -> None:
    for counts in (LONG, EVEN):
        words = [word for choice in chosen_by_rules(facts(counts)).values() for word in choice.overrides]
        for steps in (1, STEPS):
            compose("train", ["recipe=none", *words, *augment(facts(counts), steps).overrides])


def test_facts_are_those_of_the_training_part(prepared: Prepared) -> None:
    found = Facts.of(prepared, "cpu", beginning=Beginning(True))
    assert found.counts.tolist() == [5, 2, 2]
    assert (found.pictures, found.imbalance, found.side, found.has_val) == (9, 2.5, None, True)


def fixed(*overrides: str) -> list[str]:
    return list(compose("train", overrides)["recipe"]["fixed"])


def test_what_the_command_or_an_experiment_sets_is_fixed(tmp_path: Path) -> None:
    assert fixed() == []
    assert fixed("loss=cross_entropy", "seed=3", "run_id=a", "resume=auto", "logger=none") == ["loss"]
    assert fixed("optimizer.lr=0.1") == ["optimizer.lr"]
    found = fixed("experiment=v1", "recipe=auto")
    assert {"augment.ops.rotate.p", "model.name", "sampler", "scheduler", "trainer.max_epochs"} <= set(found)
    cards = tmp_path / "cards" / "experiment"
    cards.mkdir(parents=True)
    (cards / "mine.yaml").write_text("# @package _global_\nloss:\n  label_smoothing: 0.3\n")
    request = compose("train", ["experiment=mine"], [str(tmp_path / "cards")])
    assert request["recipe"]["fixed"] == ["experiment", "loss.label_smoothing"]


def settled(overrides: list[str], *choices: Choice) -> tuple[dict, list[Choice]]:
    request = compose("train", overrides)
    return settle(request, choices, request["recipe"]["fixed"])


def test_what_is_fixed_stays() -> None:
    request, told = settled(
        ["loss=focal"], Choice("loss", "balanced_softmax", "why"), Choice("sampler", "dynamic", "w")
    )
    assert request["loss"]["_target_"].endswith("FocalLoss")
    assert request["sampler"]["_target_"].endswith("Dynamic")
    assert [choice.reason for choice in told] == [YOURS, "w"]


def test_a_chosen_card_takes_the_users_values() -> None:
    request, told = settled(["loss.label_smoothing=0.3"], Choice("loss", "balanced_softmax", "why"))
    assert request["loss"]["_target_"].endswith("LogitAdjustmentLoss")
    assert request["loss"]["label_smoothing"] == 0.3
    assert told[0].reason == "why"


def test_a_chosen_card_without_the_users_key_is_left() -> None:
    request, told = settled(["loss.label_smoothing=0.3"], Choice("loss", "focal", "why"))
    assert request["loss"]["_target_"].endswith("CrossEntropyLoss")
    assert told[0].reason == YOURS


def test_auto_is_a_choice_left_open() -> None:
    choices = [Choice("trainer.max_epochs", 7, "why"), Choice("data.image_size", 96, "why")]
    request, told = settled(["trainer=cpu", "data=folder", "data.root=x", "data.image_size=auto"], *choices)
    assert (request["trainer"]["max_epochs"], request["data"]["image_size"]) == (7, 96)
    assert (request["trainer"]["accelerator"], request["data"]["root"]) == ("cpu", "x")
    assert [choice.reason for choice in told] == ["why", "why"]
    request, _ = settled(["trainer=cpu", "trainer.max_epochs=3"], *choices)
    assert request["trainer"]["max_epochs"] == 3


def test_values_inside_a_card() -> None:
    request, _ = settled([], Choice("averaging", "ema", "why", {"decay": 0.5}), Choice("data.image_size", 96, "why"))
    assert request["averaging"]["decay"] == 0.5
    assert request["data"]["image_size"] == 96


def test_nothing_is_chosen_without_a_recipe(prepared: Prepared) -> None:
    request = compose("train", ["recipe=none"])
    found = choose.choose(request, prepared, "cpu")
    assert (found.request, found.choices) == (request, ())


def test_the_table_names_each_choice_and_reason() -> None:
    told = table([Choice("loss", "focal", "so it is", {"gamma": 3}), Choice("sampler", None, YOURS)])
    assert "loss=focal loss.gamma=3  so it is" in told
    assert "sampler                  yours" in told


@pytest.mark.parametrize("case", [("90s", 90), ("10min", 600), ("2h", 7200)])
def test_budgets(case: tuple[str, int]) -> None:
    assert seconds_of(case[0]) == case[1]


def test_epochs_fill_the_budget_and_no_more() -> None:
    estimate = Estimate(Measured((0.1,), (0.01,)), 4, 10, 5, seconds=8.0, low=8.0, high=8.0, answering=7.0)
    epochs = epochs_of(estimate, 200.0)
    taken = [budget.FIXED_S + 7.0 + number * 2.0 for number in (epochs, epochs + 1)]
    assert taken[0] <= 200.0 * budget.RESERVE < taken[1]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["budget=soon"], "budget must be a time such as 90s, 10min or 2h"),
        (["budget=10min", "recipe=none"], "take recipe=auto"),
        (["budget=10min", "trainer.max_epochs=3"], "leave one out"),
    ],
)
def test_budgets_that_say_nothing(overrides: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        compose("train", overrides)


COUNTS = {"many": 24, "some": 12, "few": 6}
CHOSEN = ("data.root=pictures", "trainer.max_epochs=2", *OPEN)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return class_folders(tmp_path / "pictures", COUNTS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a run `auto` whose recipe was chosen, and what its training said."""
    home = tmp_path_factory.mktemp("home")
    class_folders(home / "pictures", COUNTS)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said:
        patch.chdir(home)
        assert train([*CHOSEN, "run_id=auto"]) == 0
    return home, said.getvalue()


@pytest.fixture
def chosen(trained: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What training said, in its folder."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def test_a_budget_that_is_too_small(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train([*OPEN, f"data.root={pictures}", "budget=1s", "run_id=a"]) == 2
    assert "not enough for one epoch" in capsys.readouterr().err
    assert not Path("outputs/a").exists()


def test_a_budget_chooses_the_epochs(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "epochs_within", lambda *_: 2)
    with unreported():
        assert train([*OPEN, f"data.root={pictures}", "budget=10min", "run_id=a"]) == 0
    plan = read_plan(Path("outputs/a/config.yaml"))
    assert plan["trainer"]["max_epochs"] == 2
    assert (
        "budget=10min" in next(choice for choice in plan["choices"] if choice["key"] == "trainer.max_epochs")["reason"]
    )


def test_a_budget_measures_the_costlier_augmentation(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(request: dict, *_: object) -> int:
        asked.append(request["augment"])
        return 2

    monkeypatch.setattr(choose, "epochs_within", measured)
    chosen = choose.choose(compose("train", ["budget=10min", "model.pretrained=false"]), prepared, "cpu")
    assert asked == [compose("train", ["recipe=none", "augment=basic"])["augment"]]
    assert chosen.request["augment"]["_target_"].endswith("Adaptive")
    asked.clear()
    own = compose("train", ["budget=10min", "model.pretrained=false", "augment=none"])
    assert choose.choose(own, prepared, "cpu").request["augment"] == own["augment"]
    assert asked == [own["augment"]]


def test_what_was_measured_before_is_spent(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    estimate = Estimate(Measured((0.1,), (0.01,)), 4, 10, 5, seconds=8.0, low=8.0, high=8.0, answering=7.0)
    monkeypatch.setattr(budget, "build", lambda *_: None)
    monkeypatch.setattr(budget, "expected_time", lambda *_: estimate)
    monkeypatch.setattr(budget.time, "monotonic", lambda: 160.0)
    request = compose("train", ["budget=200s"])
    assert budget.epochs_within(request, prepared, "cpu", 100.0) == epochs_of(estimate, 140.0)


def test_the_recipe_is_what_its_table_says_by_hand(chosen: str) -> None:
    """Told, recorded, and the same plan and figures as the command that it writes down."""
    plan = read_plan(Path("outputs/auto/config.yaml"))
    told = [line for line in chosen.splitlines() if line.startswith("loss=")]
    assert told == ["loss=balanced_softmax" + told[0].removeprefix("loss=balanced_softmax")]
    words = []
    for choice in plan.pop("choices"):
        if choice["reason"] != YOURS:
            words += Choice(choice["key"], choice["value"], "", choice["values"]).overrides
    with unreported():
        assert train([*CHOSEN, "recipe=none", *words, "run_id=hand"]) == 0
    by_hand = read_plan(Path("outputs/hand/config.yaml"))
    for own in (plan, by_hand):
        own.pop("recipe")
        own.pop("run_id")
    assert plan == by_hand
    histories = [Path(f"outputs/{run}/history.csv").read_text().splitlines() for run in ("auto", "hand")]
    columns = [name for name in histories[0][0].split(",") if "/" in name]
    places = [histories[0][0].split(",").index(name) for name in columns]
    losses = [[[line.split(",")[place] for place in places] for line in history] for history in histories]
    assert losses[0] == losses[1]


def test_a_chosen_run_goes_on(chosen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train([*CHOSEN, "run_id=auto", "resume=auto"]) == 0
    assert "nothing is left to do" in capsys.readouterr().out
    assert train([*CHOSEN, "run_id=auto", "resume=auto", "loss=cross_entropy"]) == 2


def test_the_doctor_tells_what_would_be_chosen(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(timing, "TRAINING_S", 0.0)
    monkeypatch.setattr(timing, "ANSWERING_S", 0.0)
    monkeypatch.setattr(precision, "BUDGET_S", 0.0)
    monkeypatch.setattr(precision, "PICTURES", 4)  # 32 take seconds where a processor only imitates a precision
    assert doctor([*OPEN, f"data.root={pictures}"]) == 0
    assert "loss=balanced_softmax" in capsys.readouterr().out
    assert not Path("outputs").exists()


def test_the_request_is_saved_as_asked(chosen: str) -> None:
    request = yaml.safe_load(Path("outputs/auto/request.yaml").read_text())
    assert request["loss"]["_target_"].endswith("CrossEntropyLoss")
    assert plan_for(request, 9, "cpu")["loss"] == request["loss"]
