"""The way from a file to the network's input, in a process of its own: without torch and all that needs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from animeid.data.picture_files import working_picture
from animeid.imaging.evaluation import EvalTransform

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "lightning", "timm", "hydra", "omegaconf", "albumentations", "cv2", "pandas", "scipy"}

ALONE = """
import importlib, json, pkgutil, sys
import animeid.errors, animeid.imaging, animeid.terms, animeid.values
for module in pkgutil.walk_packages(animeid.imaging.__path__, "animeid.imaging."):
    importlib.import_module(module.name)
from animeid.imaging.evaluation import EvalTransform
from animeid.imaging.working import working_from_stream
with open(sys.argv[1], "rb") as stream:
    pixels = EvalTransform((24, 32), 0.9)(working_from_stream(stream, 10**6, 48))
print(json.dumps({"pixels": pixels.tolist(), "loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_a_file_becomes_the_network_s_input_without_torch(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    path = tmp_path / "図.png"
    Image.fromarray(noise).save(path)
    told = subprocess.run([sys.executable, "-c", ALONE, str(path)], cwd=ROOT, capture_output=True, check=True).stdout
    answer = json.loads(told)
    assert not HEAVY & set(answer["loaded"])
    expected = EvalTransform((24, 32), 0.9)(working_picture(path, 10**6, 48))
    assert np.array_equal(answer["pixels"], expected)
