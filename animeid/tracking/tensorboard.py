"""TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from animeid.errors import InputError
from animeid.system.console import how_to_install
from animeid.tracking.epochs import counted_from_one
from animeid.tracking.results import Results


class TensorBoard(TensorBoardLogger):
    """Writes training figures, the run's results and its pictures to `tensorboard/` of the run's folder.

    Raises:
        InputError: tensorboard is not installed.
    """

    def __init__(self, save_dir: Path) -> None:
        if find_spec("tensorboard") is None:
            raise InputError(
                "logger=tensorboard needs tensorboard, which is not installed: "
                f"{how_to_install('tensorboard')}, or take logger=csv"
            )
        super().__init__(save_dir, name="tensorboard", version="", default_hp_metric=False)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics(counted_from_one(metrics), step)

    def start(self) -> None:
        """Nothing to do: the file is opened by the first figure."""

    def log_results(self, results: Results) -> None:
        """The final figures stand at the last step; those of validation are the best epoch's, which its curve shows."""
        step = results.plan["facts"]["total_steps"]
        finals = {name: value for name, value in results.numbers.items() if not name.startswith("val/")}
        self.log_hyperparams(dict(results.plan), finals, step)
        writer = self.experiment
        for name, path in results.pictures.items():
            with Image.open(path) as picture:
                writer.add_image(f"figures/{name}", np.asarray(picture.convert("RGB")), step, dataformats="HWC")
        for place, answer in enumerate(results.worst):
            tag = f"{results.worst_part}/worst_{place:02d}"
            writer.add_image(tag, np.asarray(answer.image), step, dataformats="HWC")
            writer.add_text(tag, f"{answer.path}: {answer.true} → {answer.predicted} ({answer.probability:.2f})", step)

    def close(self, exit_code: int) -> None:
        self.finalize("success" if exit_code == 0 else "failed")
