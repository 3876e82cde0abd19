"""Reference pictures of an artefact: some training pictures of each class, small, with their embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from animeid.artefacts.layout import PICTURES, REFERENCES
from animeid.data.unlabelled import UnlabelledDataset
from animeid.deploy.network import ArtefactNetwork
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.runs.saved import SavedRun

CANDIDATES = 24
"""Training pictures of a class that are looked at, evenly over the class: more would take long and change little."""
QUALITY = 90


def write_references(folder: Path, predictors: Sequence[Predictor], network: ArtefactNetwork, each: int) -> None:
    """Writes so many pictures of each class as the network sees them, and `references.npz`.

    They are those whose embeddings are nearest to the mean direction of their class, so that a mislabelled picture is
    hardly one of them.

    Raises:
        InputError: a class has no training picture that can be read.
    """
    first = predictors[0]
    manifest = SavedRun(first.folder).manifest
    table = manifest.table
    embeddings, targets, files = [], [], []
    for target, name in enumerate(first.labels):
        paths = table.loc[(table["split"] == "train") & (table["target"] == target), "path"].tolist()
        spread = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), CANDIDATES)).round().astype(int))
        pixels = _pixels([manifest.root / paths[place] for place in spread], first)
        if not len(pixels):
            raise InputError(
                f"references={each} needs the training pictures, and of '{name}' none can be read below "
                f"{manifest.root}: put them back, or take references=0"
            )
        with torch.inference_mode():
            found = network(torch.from_numpy(pixels)).embedding.numpy()
        for number, place in enumerate(central(found, each), start=1):
            file = f"{PICTURES}/{target:05d}/{number}.jpg"
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[place]).save(folder / file, quality=QUALITY)
            embeddings.append(found[place])
            targets.append(target)
            files.append(file)
    np.savez(
        folder / REFERENCES,
        embeddings=np.stack(embeddings).astype(np.float32),
        targets=np.array(targets, np.int64),
        files=np.array(files),
    )


def central(embeddings: np.ndarray, count: int) -> np.ndarray:
    """Where the `count` of `[N, D]` embeddings are whose directions are nearest to their mean, the nearest first."""
    directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    return np.argsort(-(directions @ directions.mean(axis=0)), kind="stable")[:count]


def _pixels(paths: Sequence[Path], predictor: Predictor) -> np.ndarray:
    """`[N, H, W, 3]` uint8 of the files that can be read."""
    dataset = UnlabelledDataset(paths, predictor.transform, predictor.plan.data.max_pixels)
    items = [dataset[place] for place in range(len(dataset))]
    pictures = [picture.permute(1, 2, 0).numpy() for _, picture, error in items if not error]
    return np.stack(pictures) if pictures else np.empty((0, *predictor.image_size, 3), np.uint8)
