"""The folder of cards, and suggestions for misspelt names."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.config.locate import conf_dir, groups
from animeid.config.suggest import nearest, suggestion
from animeid.errors import InputError


def make_conf(folder: Path, *cards: str) -> Path:
    for card in ("train", *cards):
        file = folder / "conf" / f"{card}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    return folder / "conf"


def test_cards_inside_the_package_come_first(tmp_path: Path) -> None:
    package = tmp_path / "animeid"
    beside = make_conf(tmp_path)
    assert conf_dir(package) == beside
    inside = make_conf(package)
    assert conf_dir(package) == inside


def test_another_conf_folder_beside_an_installed_package_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    with pytest.raises(InputError, match="install animeid again"):
        conf_dir(tmp_path / "animeid")


def test_the_real_folder_is_absolute() -> None:
    assert conf_dir().is_absolute()
    assert {"trainer", "loss", "model"} <= groups(conf_dir()).keys()


def test_groups_of_several_folders_are_joined(tmp_path: Path) -> None:
    ours, theirs = make_conf(tmp_path / "a", "loss/focal"), make_conf(tmp_path / "b", "loss/mine", "deep/er/card")
    assert groups(ours, theirs) == {"deep/er": ["card"], "loss": ["focal", "mine"]}


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("focl", ["cross_entropy", "focal"], "focal"),
        ("resnet5O", ["resnet18", "resnet50"], "resnet50"),
        ("GAMMA", ["gamma", "alpha"], "gamma"),
        ("zebra", ["focal"], None),
        ("focal", [], None),
    ],
)
def test_nearest(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected


def test_suggestion_lists_what_there_is() -> None:
    assert suggestion("focl", ["focal", "cross_entropy"]) == ("; did you mean 'focal'? There are: cross_entropy, focal")
    assert suggestion("zebra", ["focal"]) == "; there are: focal"
    assert suggestion("zebra", []) == "; there are none"
