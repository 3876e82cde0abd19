"""An artefact that knows many characters, with names in three languages and pictures of a few of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import CONFIG, LABELS, METRICS, ONNX, OURS, REFERENCES
from animeid.system.files import write_json
from tests.deploy.tiny_artefact import SIZE, reference, tiny_artefact

STARS = (
    ("茜", "红叶茜", "紅葉 茜", "Akane Momiji", (205, 60, 70)),
    ("翠", "森野翠", "森野 みどり", "Midori Morino", (70, 160, 90)),
    ("葵", "青空葵", "青空 アオイ", "Aoi Aozora", (70, 110, 205)),
    ("Sumire", "紫堇", "すみれ", "Sumire", (150, 90, 190)),
    ("Kohaku", "琥珀", "コハク", "Kohaku", (215, 160, 70)),
)
"""Label, names in Chinese, Japanese and English, and colour."""
FIGURES = {"label": "", "support": 9, "f1": 0.8, "f1_ci": [0.6, 0.95]}


def cast_artefact(folder: Path, count: int = 10_000) -> Path:
    """Writes one whose first classes are `STARS`, which are recognised by their colours; the others are made up."""
    tiny_artefact(folder, temperature=1.0)
    names = [star[0] for star in STARS] + [f"Extra {number:05d}" for number in range(count - len(STARS))]
    colours = np.array([star[4] for star in STARS], np.uint8)
    centres = reference(np.broadcast_to(colours[:, None, None], (len(STARS), *SIZE, 3)))[0]
    weight = np.zeros((count, 3), np.float32)
    bias = np.full(count, -30, np.float32)
    weight[: len(STARS)] = 4 * centres
    bias[: len(STARS)] = -2 * (centres**2).sum(axis=1)  # the nearest centre wins
    _network(folder / ONNX, weight, bias)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    config["label_names"] = config[OURS]["classes"] = names
    config[OURS]["class_counts"] = [40 - 5 * place if place < len(STARS) else 3 for place in range(count)]
    write_json(folder / CONFIG, config)
    labels = [
        {
            "name": name,
            "pictures": config[OURS]["class_counts"][place],
            "series": "Colours" if place < len(STARS) else None,
            "names": dict(zip(("zh", "ja", "en"), STARS[place][1:4], strict=True)) if place < len(STARS) else {},
        }
        for place, name in enumerate(names)
    ]
    write_json(folder / LABELS, labels)
    per_class = [{**FIGURES, "label": name} for name in names]
    figures = {"acc_macro": 0.81, "acc_macro_ci": [0.75, 0.86], "f1_macro": 0.8, "f1_macro_ci": [0.74, 0.85]}
    write_json(folder / METRICS, {"judged": "test", "test": {**figures, "per_class": per_class}})
    _references(folder, centres)
    seal(folder)
    return folder


def star_picture(place: int, seed: int = 0, size: tuple[int, int] = (360, 300)) -> np.ndarray:
    """A portrait of a star, more or less: a face in front of its colour."""
    random = np.random.default_rng([place, seed])
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    ground = np.array(STARS[place][4]) + random.integers(-12, 13, 3) + (rows[..., None] / height - 0.5) * 50
    face = ((rows - height * 0.55) / (height * 0.26)) ** 2 + ((columns - width / 2) / (width * 0.24)) ** 2 < 1
    hair = ((rows - height * 0.45) / (height * 0.36)) ** 2 + ((columns - width / 2) / (width * 0.36)) ** 2 < 1
    ground[hair] = np.array(STARS[place][4]) * 0.75
    ground[face] = np.array(STARS[place][4]) * 0.35 + 160
    for side in (-1, 1):
        eye = ((rows - height * 0.55) / (height * 0.06)) ** 2 + (
            (columns - width * (0.5 + 0.1 * side)) / (width * 0.035)
        ) ** 2 < 1
        ground[eye] = 40
    return ground.clip(0, 255).astype(np.uint8)


def _network(file: Path, weight: np.ndarray, bias: np.ndarray) -> None:
    """The usual network with other numbers, for as many classes."""
    model = onnx.load(file)
    kept = [one for one in model.graph.initializer if one.name not in ("weight", "bias")]
    del model.graph.initializer[:]
    model.graph.initializer.extend(
        [*kept, numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
    )
    gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
    gemm.attribute.append(onnx.helper.make_attribute("transB", 1))
    for output in model.graph.output[1:]:
        output.type.tensor_type.shape.dim[1].dim_value = len(bias)
    onnx.save(model, file)


def _references(folder: Path, centres: np.ndarray) -> None:
    files = [f"references/{place:05d}/1.jpg" for place in range(len(STARS))]
    for place, file in enumerate(files):
        (folder / file).parent.mkdir(parents=True)
        Image.fromarray(star_picture(place, seed=99, size=(160, 160))).save(folder / file)
    np.savez(
        folder / REFERENCES,
        embeddings=centres.astype(np.float32),
        targets=np.arange(len(STARS)),
        files=np.array(files),
    )
