"""The sets of the ladder, and a tiny one for its test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.errors import InputError
from experiments.real_input.study import held_out_manifest
from experiments.runs import OUTPUTS

FRESH, LOADED = "fresh", "loaded"
RANDOM = ("model.name=test_resnet",)
"""0.4 million parameters, as many as ResNet-32, on which the papers compare long tails of CIFAR."""
PUBLISHED = ("model.name=tf_efficientnet_lite0", "model.pretrained=true")
HELD_OUT = "openmoji"
"""The team of emoji_cast whose drawings are the test part; no training picture resembles them."""


@dataclass(frozen=True)
class Set:
    """Pictures, and what every row of the ladder has in common on them.

    title: a sentence for the page. overrides: of every run. epochs, seeds, folds: of every row.
    rows: names of those that are done on it; none are all.
    pictures: what a card calls them. network: of every run.
    setting: of runs that say nothing of how is trained but the one thing that their row changes.
    """

    name: str
    title: str
    overrides: tuple[str, ...]
    epochs: int = 20
    seeds: tuple[int, ...] = (1, 2, 3)
    folds: int = 3
    rows: tuple[str, ...] = ()
    pictures: str = "the built-in cast at imbalance 100"
    network: tuple[str, ...] = RANDOM
    setting: tuple[str, ...] = ()


KEY_ROWS = (
    "cross_entropy",
    "balanced_softmax",
    "post_hoc",
    "timm",
    "auto",
)
"""Of the sets with few rows: the best ones on either kind of pictures, and what they are compared with."""


LOADED_ROWS = (
    *("cross_entropy", "balanced_softmax", "post_hoc", "crt", "tau_norm", "tta"),
    *("mixing", "ema", "swa", "deep_supervision", "rebalanced", "everything"),
    *("folds", "v1", "v2", "v2_1", "v3", "v4", "character_b0", "character_mobilenet", "four_models"),
)
"""Of the set with published weights: what is quick to learn, the cards of techniques, and all versions. timm's loop and
`recipe=auto` stand beside one another in experiments/loaded/peer.md."""


def built_in() -> Set:
    return Set(
        "built_in",
        "the built-in cast: 24 characters, 250 to 2 training pictures (imbalance 100), 50 test pictures of each",
        ("data.cast.imbalance=100", "data.cast.test_per_class=50"),
    )


def other_cast() -> Set:
    return Set(
        "other_cast",
        "24 other characters of the built-in kind, from another seed, with as many pictures",
        ("data.cast.seed=4002", *built_in().overrides),
        rows=KEY_ROWS,
    )


def emoji_cast(folder: Path) -> Set:
    manifest = held_out_manifest(folder, HELD_OUT, OUTPUTS / "long_tail-emoji_cast")
    return Set(
        "emoji_cast",
        f"emoji_cast: 91 roles, thinned by data.long_tail=8, the whole style {HELD_OUT} held out for the test",
        (f"data.root={manifest}", "data.long_tail=8"),
    )


def emoji_groups(folder: Path) -> Set:
    manifest = grouped_manifest(folder, OUTPUTS / "long_tail-emoji_groups")
    return Set(
        "emoji_groups",
        "emoji_cast: 91 roles, thinned by data.long_tail=8, a group of each role held out for the test, in styles that "
        "training has of other roles; nothing of it was in the validation part that recipe=auto was chosen on",
        (f"data.root={manifest}", "data.long_tail=8"),
        rows=KEY_ROWS,
    )


def loaded_groups(folder: Path) -> Set:
    """The pictures of `emoji_groups`, from published weights with the rate and the first head of `recipe=auto`."""
    pictures = emoji_groups(folder)
    return replace(
        pictures,
        name="loaded_groups",
        epochs=5,
        seeds=(1, 2),
        rows=LOADED_ROWS,
        pictures="emoji_cast by groups, thinned by 8",
        network=PUBLISHED,
        overrides=(*pictures.overrides, "data.image_size=64", "data.num_workers=0"),
        setting=("optimizer.lr=1e-3", "augment=basic", "scheduler=one_cycle", "head_init=fitted"),
    )


def other_groups(folder: Path) -> Set:
    random = np.random.default_rng(4002)
    manifest = grouped_manifest(
        folder, OUTPUTS / "long_tail-other_groups", lambda groups: groups[random.integers(len(groups))]
    )
    return Set(
        "other_groups",
        "emoji_cast: 91 roles, thinned by data.long_tail=8, and tested on a group of each role that chance drew, in "
        "styles that training has of other roles. A role has one or two groups for that, so that each was in the test "
        "part of an earlier page; no choice was made by their answers",
        (f"data.root={manifest}", "data.long_tail=8"),
        rows=KEY_ROWS,
    )


def middle_of(groups: np.ndarray) -> str:
    return str(groups[len(groups) // 2])


def grouped_manifest(emoji_cast: Path, folder: Path, choose: Callable[[np.ndarray], str] = middle_of) -> Path:
    """A manifest whose test part has one group of each role; validation is that of the set with a style held out.

    The recipe was chosen on that validation part, so that no picture of the test part was seen by a choice. Made once.

    Args:
        choose: of the groups of a role the one for testing.
    """
    target = folder / "groups.csv"
    if target.is_file():
        return target
    settings = DataSettings(root=str(held_out_manifest(emoji_cast, HELD_OUT, folder)))
    table = prepare(settings).manifest.table
    table = table[table["split"] != "excluded"]
    free = table[table["split"] == "train"]
    tested = free.groupby("label")["group"].unique().map(choose)
    table = table.assign(split=table["split"].replace("test", "train").mask(table["group"].isin(tested), "test"))
    partial = target.with_suffix(".partial")
    table[["path", "label", "group", "style", "split"]].to_csv(partial, index=False)
    partial.rename(target)
    return target


def smoke() -> Set:
    cast = {"characters": 4, "train_largest": 40, "imbalance": 4, "val_largest": 12, "test_per_class": 8, "size": 32}
    overrides = (*(f"data.cast.{name}={value}" for name, value in cast.items()), "data.image_size=32")
    return Set("smoke", "four characters of 32 px, to see that the ladder stands", overrides, 2, (1, 2), 2)


def sets(options: Mapping[str, str]) -> list[Set]:
    """Those of the command line: `smoke=yes`, `sets=fresh`, `sets=loaded`, or the ladder's.

    Raises:
        InputError: there are no sets of such a name.
    """
    if "smoke" in options:
        return [smoke()]
    folder, name = Path(options.get("emoji_cast", "../shared/emoji_cast")), options.get("sets")
    if name is None:
        return [built_in(), emoji_cast(folder), emoji_groups(folder)]
    if name == FRESH:
        return [other_cast(), other_groups(folder)]
    if name == LOADED:
        return [loaded_groups(folder)]
    raise InputError(
        f"sets={name} is not known: take sets={FRESH}, sets={LOADED}, or leave it out for the ladder's sets"
    )
