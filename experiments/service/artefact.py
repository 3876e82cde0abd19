"""An artefact for the study: MobileNetV2 at 224 pixels with random weights, which take as long as any."""

from __future__ import annotations

import tempfile
from pathlib import Path

from experiments.deploy.runtime import command
from experiments.speed.pictures import write_pictures

PER_CLASS = 12
TRAINED = (
    "recipe=none",
    "model=mobilenetv2",
    "model.pretrained=false",
    "trainer.max_epochs=1",
    "logger=none",
    "data.image_size=224",
)


def made(folder: Path) -> Path:
    """The artefact in this folder, which is made where it is not there."""
    if not (folder / "config.json").is_file():
        with tempfile.TemporaryDirectory() as text:
            temporary = Path(text)
            write_pictures(temporary / "pictures", PER_CLASS)
            command("animeid.train", "data.root=pictures", *TRAINED, "run_id=run", folder=temporary)
            command("animeid.export", "run=outputs/run", f"output={folder.absolute()}", folder=temporary)
    return folder
