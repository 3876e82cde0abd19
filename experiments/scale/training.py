"""A whole training of many classes: how much of it lies outside its epochs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from animeid.runs.folder import RunFolder
from animeid.system.files import read_json
from experiments.scale.lines import Goal, Line, Watch, sized
from experiments.speed.apart import apart

PICTURES, A_CLASS, SIDE, EPOCHS = (2_000, 20_000), 10, 32, 10


def write_pictures(root: Path, pictures: int) -> None:
    """Class folders of `A_CLASS` pictures each: four by four colours that a class has nearly alike."""
    random = np.random.default_rng(0)
    for number in range(max(2, pictures // A_CLASS)):
        folder = root / f"c{number:05d}"
        folder.mkdir(parents=True)
        own = random.integers(0, 256, (4, 4, 3))
        for copy in range(A_CLASS):
            shown = np.clip(own + random.normal(0, 50, own.shape), 0, 255).astype(np.uint8)
            Image.fromarray(shown).resize((SIDE, SIDE)).save(folder / f"{copy}.png")


def train(scratch: str, pictures: int) -> list[float]:
    """Seconds of the command after its imports, MiB, and seconds of its epochs."""
    from animeid.train import main

    os.chdir(scratch)
    root, name = Path(scratch) / f"pictures-{pictures}", f"training-{pictures}"
    write_pictures(root, pictures)
    asked = (f"data.root={root}", f"data.image_size={SIDE}", f"trainer.max_epochs={EPOCHS}", f"run_id={name}")
    fixed = ("recipe=none", "logger=none", "trainer.accelerator=cpu", "data.cache=cache", "model.pretrained=false")
    with Watch() as watch:
        if main([*asked, *fixed]):
            sys.exit("the training failed")
    folder = RunFolder(Path("outputs") / name)
    if len(pd.read_csv(folder.history)) != EPOCHS:
        sys.exit("the training ended early")
    return [*watch.found, float(read_json(folder.metrics)["cost"]["train_s"])]


def rows(scratch: Path) -> list[Line]:
    """Lines of this module."""
    sizes = [sized(number, 60) for number in PICTURES]
    found = [apart(train, str(scratch), size) for size in sizes]
    seconds, _, epochs = found[-1]
    of = f"{sizes[-1]:,} pictures in {sizes[-1] // A_CLASS:,} classes, {SIDE} px, {EPOCHS} epochs"
    tenth = Goal(f"a tenth of the whole, {seconds / 10:.3g} s", seconds / 10)
    outside = [[whole - inside, mib] for whole, mib, inside in found]
    return [
        Line("a whole training", of, sizes, [[whole, mib] for whole, mib, _ in found]),
        Line("what of it lies outside epochs", f"{epochs:.0f} s of epochs", sizes, outside, tenth),
    ]
