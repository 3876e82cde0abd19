"""Pictures of which each style is held out in turn; nothing of them is a test part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from experiments.loaded.sets import drawn, split, unseen_style, written
from experiments.runs import OUTPUTS
from experiments.styles import fluent

EMOJI_STYLES = ("noto", "openmoji", "twemoji")
"""blob is left out: a role of it has near copies in other styles, and would have no training picture left."""
PACS_STYLES = ("art_painting", "cartoon", "photo", "sketch")
CAST_STYLES = ("cel", "flat", "pixel", "sketch")
PACS_TRAIN, PACS_JUDGED = 15, 30
"""Training pictures of a class in each style that is seen, and validation pictures of it in the one that is not."""


@dataclass(frozen=True)
class Held:
    """A style of a set that is held out: the pictures, by overrides of a training.

    set, style: names of both.
    """

    set: str
    style: str
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.set} {self.style}"


def pacs(folder: Path, held: str) -> pd.DataFrame:
    """Pictures of PACS in three styles, and of the fourth for validation."""
    paths = sorted(path.relative_to(folder) for path in folder.glob("*/*/*.*"))
    table = pd.DataFrame(
        {"path": [str(path) for path in paths], "label": [path.parts[1] for path in paths]}
        | {"style": [path.parts[0] for path in paths], "group": [str(path) for path in paths]}
    )
    labels = sorted(table["label"].unique())
    seen = [
        drawn(table[table["style"] == style], dict.fromkeys(labels, PACS_TRAIN))
        for style in PACS_STYLES
        if style != held
    ]
    return split(pd.concat(seen), drawn(table[table["style"] == held], dict.fromkeys(labels, PACS_JUDGED)))


def cast(held: str) -> tuple[str, ...]:
    """Overrides for 60 characters that no test draws, 8 pictures each, of which those of a style are held out."""
    size = ("data.cast.characters=60", "data.cast.seed=8011", "data.cast.imbalance=1", "data.cast.train_largest=8")
    return (*size, "data.cast.val_largest=1", "data.cast.test_per_class=1", f"data.hold_out_style={held}")


def held_out(options: Mapping[str, str]) -> list[Held]:
    """Every style of every set whose pictures are there, as `emoji_cast=`, `pacs=` and `fluent=FOLDER` say."""
    found = [Held("cast", style, cast(style)) for style in CAST_STYLES]
    emoji = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    for style in EMOJI_STYLES:
        manifest = written(unseen_style(style)(emoji), OUTPUTS / f"styles-set-emoji_cast-{style}", emoji)
        found.append(Held("emoji_cast", style, (f"data.root={manifest}",)))
    if "pacs" in options:
        folder = Path(options["pacs"])
        for style in PACS_STYLES:
            manifest = written(pacs(folder, style), OUTPUTS / f"styles-set-pacs-{style}", folder)
            found.append(Held("pacs", style, (f"data.root={manifest}",)))
    if "fluent" in options:
        for style in fluent.STYLES:
            manifest = fluent.manifest_of(Path(options["fluent"]), style, emoji)
            found.append(Held("fluent", style, (f"data.root={manifest}",)))
    return found
