"""Development sets of pictures for trainings from published weights; nothing of them is a test part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.runs import OUTPUTS

FEW, JUDGED = (3, 5), 2
"""Training pictures of a role, the second excluded, and the validation pictures of each."""
A_CLASS = 5
"""Training pictures of each kind of groceries."""
THINNED = 8
"""Of groups: the largest class over the smallest."""
SPLIT = ["path", "label", "group", "style", "split"]


@dataclass(frozen=True)
class PictureSet:
    """A manifest that is made when it is needed, and the epochs that are trained on it.

    title: for the page.
    """

    title: str
    epochs: int
    table: Callable[[Path], pd.DataFrame]
    source: str

    def manifest(self, name: str, folders: dict[str, Path]) -> Path:
        """Writes it, and says where."""
        pictures = folders[self.source]
        return written(self.table(pictures), OUTPUTS / f"loaded-set-{name}", pictures)


def written(table: pd.DataFrame, folder: Path, pictures: Path) -> Path:
    """The manifest of a table, beside a link to its pictures, so that nothing is written into their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pictures").unlink(missing_ok=True)
    (folder / "pictures").symlink_to(pictures.resolve(), target_is_directory=True)
    table.assign(path="pictures/" + table["path"]).to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


def unseen_style(held: str) -> Callable[[Path], pd.DataFrame]:
    """Three or four pictures a role of three styles; validation has two of each in the fourth."""

    def made(emoji_cast: Path) -> pd.DataFrame:
        table = _emoji(emoji_cast)
        random = np.random.default_rng(0)
        few = {label: int(random.integers(*FEW)) for label in sorted(table["label"].unique())}
        train = drawn(table[table["style"] != held], few)
        judged = drawn(table[table["style"] == held], dict.fromkeys(few, JUDGED))
        return split(train, judged)

    return made


def unseen_groups(emoji_cast: Path) -> pd.DataFrame:
    """All styles, a style of each role held out, and a long tail of roles in the others."""
    table, random = _emoji(emoji_cast), np.random.default_rng(7)
    labels = sorted(table["label"].unique())
    held = {label: random.choice(sorted(table["style"][table["label"] == label].unique())) for label in labels}
    is_held = table["style"] == table["label"].map(held)
    train = table[~is_held]
    sizes = train["label"].value_counts()
    ranks = {label: rank for rank, label in enumerate(random.permutation(labels))}
    tail = {label: max(3, round(sizes[label] * THINNED ** (-ranks[label] / (len(labels) - 1)))) for label in labels}
    return split(drawn(train, tail), drawn(table[is_held], dict.fromkeys(labels, JUDGED)))


def groceries(number: int) -> Callable[[Path], pd.DataFrame]:
    """The Grocery Store Dataset's own training and validation parts; so many pictures a class are learnt from."""

    def made(dataset: Path) -> pd.DataFrame:
        parts = []
        for part in ("train", "val"):
            paths = [line.split(",")[0].strip() for line in (dataset / f"{part}.txt").read_text().splitlines()]
            parts.append(pd.DataFrame({"path": paths, "label": [Path(path).parent.name for path in paths]}))
        train, judged = parts
        return split(drawn(train, dict.fromkeys(train["label"].unique(), number)), judged)

    return made


SETS = {
    "noto": PictureSet(
        "91 roles of emoji_cast, 3 or 4 pictures each, judged in noto's style", 30, unseen_style("noto"), "emoji_cast"
    ),
    "openmoji": PictureSet(
        "the same, judged in openmoji's style, which draws outlines", 30, unseen_style("openmoji"), "emoji_cast"
    ),
    "groups": PictureSet(
        "91 roles of emoji_cast, thinned by 8, judged in a style that other roles have", 10, unseen_groups, "emoji_cast"
    ),
    "few": PictureSet(f"81 kinds of groceries, {A_CLASS} photographs each", 30, groceries(A_CLASS), "grocery"),
}


def manifests_of(options: Mapping[str, str]) -> dict[str, Path]:
    """Of the sets whose pictures are there: `emoji_cast=FOLDER` and `grocery=FOLDER` say where."""
    folders = {"emoji_cast": Path(options.get("emoji_cast", "../shared/emoji_cast"))}
    if "grocery" in options:
        folders["grocery"] = Path(options["grocery"])
    return {name: one.manifest(name, folders) for name, one in SETS.items() if one.source in folders}


def _emoji(emoji_cast: Path) -> pd.DataFrame:
    return pd.read_csv(emoji_cast / "manifest.csv", dtype=str, keep_default_na=False)


def drawn(table: pd.DataFrame, sizes: dict[str, int]) -> pd.DataFrame:
    """At most so many rows of each label, drawn by a fixed seed."""
    parts = [
        group.sample(min(sizes[str(label)], len(group)), random_state=place)
        for place, (label, group) in enumerate(table.groupby("label"))
    ]
    return pd.concat(parts)


def split(train: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """One manifest of both parts."""
    both = pd.concat([train.assign(split="train"), judged.assign(split="val")])
    return both[[name for name in SPLIT if name in both]]
