"""Folders of finished runs of many classes, whose answers are drawn: what its end costs needs no training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from animeid.data.manifest import Manifest, complete
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.system.files import write_json
from animeid.train import main

PICTURES, SIDE, EMBEDDING = 64, 48, 64
TRAIN_A_CLASS = 2
BLOCK = 500
QUICK = (
    *("recipe=none", "model.name=test_resnet", "model.pretrained=false", "data.image_size=32", "data.num_workers=0"),
    *("data.cache=off", "trainer.max_epochs=1", "run_id=template", "logger=none", "trainer.accelerator=cpu"),
)


def template(scratch: str) -> None:
    """A real run of two classes in `outputs/template` of the working folder, and its pictures beside it."""
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        path = Path(scratch) / "few" / f"class {number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE)).save(path)
    if main([f"data.root={scratch}/few", *QUICK]):
        raise SystemExit("the template did not train")


def drawn_manifest(root: Path, classes: int, judged: int) -> Manifest:
    """Two training pictures a class, and as many of val and test as are judged together; files are shared."""
    train = classes * TRAIN_A_CLASS
    target = np.concatenate([np.arange(train), np.arange(judged)]) % classes
    split = np.repeat(["train", "val", "test"], [train, judged // 2, judged - judged // 2])
    number = np.arange(len(target))
    table = pd.DataFrame(
        {
            "path": [f"class {one % 2}/{one % PICTURES}.png" for one in number],
            "sha256": [f"{one:064x}" for one in number],
            "label": [f"角色 {one:05d}" for one in target],
            "target": target,
            "split": split,
            "group": [f"g{one}" for one in number],
        }
    )
    return Manifest(complete(table), root)


def draw_logits(path: Path, targets: np.ndarray, classes: int) -> None:
    """Writes `[N, C]` float32: noise, and for most pictures a lead of their class or of a class beside it."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(BLOCK, classes)).astype(np.float32)
    found = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(targets), classes))
    for start in range(0, len(targets), BLOCK):
        own = targets[start : start + BLOCK]
        block = np.roll(noise[: len(own)], start // BLOCK, axis=1)
        luck = random.random(len(own))
        led = np.where(luck < 0.7, own, np.where(luck < 0.85, own ^ 1, random.integers(classes, size=len(own))))
        block[np.arange(len(own)), np.minimum(led, classes - 1)] += 6
        found[start : start + BLOCK] = block
    found.flush()


def draw(scratch: str, name: str, classes: int, judged: int) -> None:
    """Makes `scratch/name` a run whose answers are on disk, and whose end is still to come."""
    folder = RunFolder(Path(scratch) / name)
    shutil.copytree(Path(scratch) / "outputs" / "template", folder.path)
    folder.figures.mkdir(exist_ok=True)
    for path in (*folder.figures.glob("*"), folder.report):
        path.unlink(missing_ok=True)
    manifest = drawn_manifest(Path(scratch) / "few", classes, judged)
    manifest.write(folder.manifest)
    write_json(folder.labels, [f"角色 {number:05d}" for number in range(classes)])
    targets = manifest.table["target"].to_numpy()
    draw_logits(folder.logits, targets, classes)
    embeddings = np.random.default_rng(1).normal(size=(len(targets), EMBEDDING)).astype(np.float32)
    np.save(folder.embeddings, embeddings)


def answers_of(folder: RunFolder, manifest: Manifest) -> dict[str, Predictions]:
    """What was drawn, by split; logits stay on disk."""
    logits, embeddings = (np.load(path, mmap_mode="r") for path in (folder.logits, folder.embeddings))
    found = {}
    for split in ("train", "val", "test"):
        rows = np.flatnonzero((manifest.table["split"] == split).to_numpy())
        place = slice(int(rows[0]), int(rows[-1]) + 1)
        found[split] = Predictions(rows, logits[place], embeddings[place], np.ones(len(rows), np.float32))
    return found
