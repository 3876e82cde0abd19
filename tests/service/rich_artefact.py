"""A small artefact with names in several languages and reference pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import LABELS, METRICS, REFERENCES
from animeid.system.files import write_json
from tests.deploy.tiny_artefact import CLASSES, SIZE, reference, tiny_artefact

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
FIGURES = {"label": "", "support": 3, "f1": 0.5, "f1_ci": [0.25, 0.75]}


def rich_artefact(folder: Path, temperature: float = 2.0) -> Path:
    """One of `CLASSES`, with a picture of a class's colour as its reference."""
    tiny_artefact(folder, temperature=temperature)
    pixels = np.stack([np.full((*SIZE, 3), colour, np.uint8) for colour in COLOURS])
    files = [f"references/{place:05d}/1.jpg" for place in range(3)]
    for file, one in zip(files, pixels, strict=True):
        (folder / file).parent.mkdir(parents=True)
        Image.fromarray(one).save(folder / file)
    embeddings = reference(pixels)[0].astype(np.float32)
    np.savez(folder / REFERENCES, embeddings=embeddings, targets=np.arange(3), files=np.array(files))
    names = [
        {"name": name, "pictures": 3, "series": "Colours", "names": {"ja": "あか", "en": name}} for name in CLASSES
    ]
    write_json(folder / LABELS, names)
    per_class = [{**FIGURES, "label": name} for name in CLASSES]
    write_json(folder / METRICS, {"judged": "val", "val": {"f1_macro": 0.5, "per_class": per_class}})
    seal(folder)
    return folder


def colour(place: int) -> np.ndarray:
    """A picture of a class's colour."""
    return np.full((30, 40, 3), COLOURS[place], np.uint8)
