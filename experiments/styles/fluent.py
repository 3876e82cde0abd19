"""Roles of emoji_cast in styles of a fifth team: Fluent Emoji (Microsoft, MIT), as in the npm package `fluentui-emoji`.

Its drawings are SVG, which a browser turns into pictures; they are judged, and nothing is trained on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.system.files import atomic
from experiments.loaded.sets import FEW, JUDGED, drawn, split, written
from experiments.runs import OUTPUTS
from experiments.service.parts.page_load import ARGUMENTS, browser_path

STYLES = ("flat", "high-contrast")
"""Not `modern`, which has flat's drawings in colours that run into one another."""
SIDE = 128
NAME = re.compile(
    r"(?:(?:man|woman|person)-)?(?P<role>.+?)(?:-(?:default|light|medium-light|medium|medium-dark|dark))?"
)
PAGE = "<style>body{{margin:0}} svg{{display:block;width:{side}px;height:{side}px}}</style>{svg}"


def role_of(svg: Path) -> str:
    """`surfing` of `woman-surfing-medium-dark.svg`."""
    found = NAME.fullmatch(svg.stem)
    assert found
    return found["role"]


def drawings(icons: Path, style: str, labels: Iterable[str]) -> pd.DataFrame:
    """Some SVG files of each role that both have; what several labels are called is left out."""
    roles = pd.Series({label: label.split(".")[0].replace("_", "-") for label in labels})
    label_of = {role: str(label) for label, role in roles[~roles.duplicated(keep=False)].items()}
    found = [(svg, label_of.get(role_of(svg))) for svg in sorted((icons / style).glob("*.svg"))]
    table = pd.DataFrame(
        [
            {"path": f"{style}/{svg.stem}.png", "label": label, "group": f"{style}:{label}", "style": style}
            for svg, label in found
            if label
        ]
    )
    return drawn(table, dict.fromkeys(table["label"].unique(), JUDGED))


def draw(icons: Path, folder: Path, paths: Iterable[str]) -> None:
    """PNG files of drawings, transparent where they are; those that are there stay."""
    from playwright.sync_api import sync_playwright

    paths = [path for path in paths if not (folder / path).is_file()]
    if not paths:
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": SIDE, "height": SIDE})
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            svg = (icons / path).with_suffix(".svg").read_text(encoding="utf-8")
            page.set_content(PAGE.format(side=SIDE, svg=svg))
            with atomic(folder / path) as stream:
                stream.write(page.screenshot(omit_background=True))
        browser.close()


def manifest_of(icons: Path, style: str, emoji_cast: Path) -> Path:
    """Three or four pictures of each role in the styles of emoji_cast, and two in one of these for validation."""
    table = pd.read_csv(emoji_cast / "manifest.csv", dtype=str, keep_default_na=False)
    judged = drawings(icons, style, sorted(table["label"].unique()))
    known = table[table["label"].isin(judged["label"])]
    random = np.random.default_rng(0)
    train = drawn(known, {label: int(random.integers(*FEW)) for label in sorted(known["label"].unique())})
    pictures = OUTPUTS / "styles-set-fluent-pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    (pictures / "emoji_cast").unlink(missing_ok=True)
    (pictures / "emoji_cast").symlink_to(emoji_cast.resolve(), target_is_directory=True)
    draw(icons, pictures, judged["path"])
    train = train.assign(path="emoji_cast/" + train["path"])
    return written(split(train, judged), OUTPUTS / f"styles-set-fluent-{style}", pictures)
