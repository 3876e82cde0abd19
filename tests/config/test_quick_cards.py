"""Cards that are read once compose what Hydra composes as it is."""

from __future__ import annotations

from pathlib import Path

import hydra
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from animeid.config.command import command
from animeid.config.defaults import cards_alone
from animeid.config.roots import roots
from tests.quick_cards import quicken

ARGUMENTS = [
    (),
    ("loss=focal", "++loss.gamma=3", "data.root='初音, ミク'"),
    ("head=cosine", "model=vit_small", "augment=none", "seed=7", "hydra.job.name=mine"),
    ("experiment=everything",),
]
CASES = [(root, ()) for root in roots()] + [("train", arguments) for arguments in ARGUMENTS[1:]]


def composed(root: str, arguments: tuple[str, ...]) -> str:
    with cards_alone():
        try:
            return OmegaConf.to_yaml(hydra.compose(root, list(arguments), return_hydra_config=True))
        except Exception as error:
            return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(("root", "arguments"), [*CASES, ("train", ("loss=focl",)), ("train", ("loss.gama=1",))])
def test_the_same_is_composed(quick_cards: pytest.MonkeyPatch, root: str, arguments: tuple[str, ...]) -> None:
    quick_cards.undo()
    expected = composed(root, arguments)
    quicken(quick_cards)
    assert [composed(root, arguments) for _ in range(2)] == [expected] * 2


def test_what_was_composed_before_changes_nothing(quick_cards: pytest.MonkeyPatch) -> None:
    choices = [(), ("loss=focal",), ("+loss@more=focal",), ("~loss",), ("loss=ldam",)]
    quick_cards.undo()
    expected = [composed("train", arguments) for arguments in choices]
    assert len(set(expected)) == len(choices)
    quicken(quick_cards)
    assert [composed("train", arguments) for arguments in choices] == expected


@pytest.mark.parametrize("arguments", [("seed=7",), ("hydra.mode=MULTIRUN", "seed=1,2"), ("-m", "seed=1,2")])
def test_a_command_runs_in_the_same_mode(
    quick_cards: pytest.MonkeyPatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    seen: list[tuple[str, int]] = []

    def work(request) -> None:
        seen.append((str(HydraConfig.get().mode), request["seed"]))

    quick_cards.undo()
    assert command("train", work)([*arguments, "run_id=plain"]) == 0
    expected = list(seen)
    seen.clear()
    quicken(quick_cards)
    assert command("train", work)([*arguments, "run_id=quick"]) == 0
    assert seen == expected


def test_what_was_composed_can_be_changed() -> None:
    with cards_alone():
        first = hydra.compose("train", ["loss=focal"])
        first.loss.gamma = 99
        assert hydra.compose("train", ["loss=focal"]).loss.gamma != 99


def test_a_users_own_cards_are_read_each_time(tmp_path: Path) -> None:
    def gamma(value: int) -> int:
        (tmp_path / "loss").mkdir(exist_ok=True)
        (tmp_path / "loss" / "mine.yaml").write_text(f"gamma: {value}\n")
        with cards_alone():
            return hydra.compose("train", ["loss=mine", f"hydra.searchpath=[file://{tmp_path}]"]).loss.gamma

    assert [gamma(1), gamma(2)] == [1, 2]
