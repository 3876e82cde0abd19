"""Comparisons of made-up models, for tests of what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from animeid.deploy.compare.comparison import Comparison, Model
from animeid.deploy.compare.contender import Facts
from animeid.deploy.compare.fresh import Fresh
from animeid.deploy.compare.judging import Judged
from animeid.deploy.compare.page import Setting
from animeid.deploy.compare.timing import Times
from animeid.metrics.paired import Difference
from animeid.system.load import Room

KINDS = {"one_ms": 1, "one_file_ms": 1.3, "eight_ms": 6, "eight_files_ms": 8, "images_per_s": 20}
"""Kinds of work, and how many times longer they take than one picture."""

SETTING = Setting(part="test", threads=2, rounds=5, seconds=0.5, files=32, room=Room(2, 2.0), torch="2.15")


def model(
    name: str, f1: float, milliseconds: float, megabytes: float, *, half: float = 0.02, noise: float = 0.05
) -> Model:
    """Args:
    f1, half: f1_macro and half of its interval.
    milliseconds, noise: of a picture, and by what share rounds differ.
    megabytes: its size.
    """
    random = np.random.default_rng(int(1e6 * f1))
    figures = {"f1_macro": f1, "f1_macro_ci": [f1 - half, f1 + half], "support": 300, "groups": 280}
    figures |= dict.fromkeys(("acc_macro", "acc_micro", "top5"), f1 + 0.01)
    return Model(
        name=name,
        folder=f"outputs/{name}",
        facts=Facts(
            kind="run",
            network="efficientnet_b0",
            engine="PyTorch, 32-true",
            device="cpu",
            image_size=(224, 224),
            parameters=int(megabytes * 2.5e5),
            multiply_adds=int(milliseconds * 4e7),
            size_mb=megabytes,
        ),
        judged=Judged(figures, None),
        times={
            kind: Times(tuple(milliseconds / 1000 * factor * (1 + noise * random.random((5, 20)))))
            for kind, factor in KINDS.items()
        },
        fresh=Fresh(400 + 3 * megabytes, 2.5),
        against_best=None if f1 > 0.8 else Difference(f1 - 0.82, f1 - 0.84, f1 - 0.8, 0.012),
    )


NAMES = (
    "初音ミクと仲間たちのEfficientNet",
    "mobilenetv2_100",
    "ResNet50・実験その三",
    "博麗霊夢 efficientnet_b0 seed=2",
)


def comparison(number: int, names: Sequence[str] = NAMES) -> Comparison:
    """So many models, the most accurate first, with names of which some are Japanese."""
    random = np.random.default_rng(number)
    f1 = np.sort(0.82 - 0.3 * random.random(number))[::-1]
    f1[0] = 0.82
    times, sizes = np.exp(4 * random.random(number)), 4 + 90 * random.random(number)
    called = [
        names[place] if place < len(names) else f"model={names[place % len(names)]} {place}" for place in range(number)
    ]
    return Comparison(
        [model(*given) for given in zip(called, f1.tolist(), times.tolist(), sizes.tolist(), strict=True)]
    )
