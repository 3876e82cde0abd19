"""What breaking ties of the validation figure gains: `python -m experiments.ties.study`.

Small or easy validation parts give many epochs the same figure. One training a seed keeps the weights of the first of
equal epochs, as versions before did, beside those that are kept now, and both answer the same test part. 2 cores, about
five minutes.
"""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from animeid.config.compose import compose
from animeid.engine.inference import predict_each
from animeid.inference.evaluation import loader_of
from animeid.inference.labelled import own_pictures
from animeid.inference.predictor import Predictor
from animeid.metrics.adjustment import f1_macro
from animeid.predictions import concatenate
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import read_json, write_json
from animeid.training.run import train
from experiments.runs import environment_line, table

HERE = Path(__file__).parent
OUTPUTS = Path("outputs")
MONITORED = "val/f1_macro"
EPOCHS = 20
SEEDS = range(1, 7)
COMMON = (
    "recipe=none",
    "model.name=test_resnet",
    "model.pretrained=false",
    "data.image_size=64",
    "data.num_workers=0",
    f"trainer.max_epochs={EPOCHS}",
    "optimizer.lr=2e-3",
    "data.cast.imbalance=2",
    "data.cast.test_per_class=50",
    "data.cast.twins=0",
)
PARTS = {
    "small": ("data.cast.characters=8", "data.cast.train_largest=60", "data.cast.val_largest=2"),
    "easy": (
        "data.cast.characters=4",
        "data.cast.train_largest=150",
        "data.cast.val_largest=8",
        "data.cast.held_out_style=sketch",
    ),
}
RULES = ("first of equals", "lowest loss of equals", "last epoch")
State = dict[str, Tensor]


class FirstOfEquals(Callback):
    """Keeps the weights, as they are judged, of the first epoch with the best figure, and of the last epoch."""

    def __init__(self) -> None:
        self.figure = -1.0
        self.epoch = 0
        self.first: State = {}
        self.last: State = {}

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.last = {name: tensor.clone() for name, tensor in pl_module.model.state_dict().items()}  # type: ignore[union-attr]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        figure = float(trainer.callback_metrics[MONITORED])
        if figure > self.figure:
            self.figure, self.epoch, self.first = figure, trainer.current_epoch + 1, self.last


@torch.inference_mode()
def tested(folder: RunFolder, state: State | None) -> float:
    """f1_macro on the test part; of the weights that the run keeps where no others are given."""
    predictor = Predictor.load(folder.path, accelerator="cpu")
    if state is not None:
        predictor.model.classifier.load_state_dict(state)
    pictures = own_pictures(folder, "test")
    loader = loader_of(pictures, predictor)
    answers = concatenate([*predict_each(predictor.model, loader, "answering test", predictor.precision)])
    return f1_macro(answers.logits, pictures.manifest.table["target"].to_numpy()[answers.rows])


def measure(part: str, seed: int) -> dict[str, Any]:
    """The f1_macro in test by each rule, and what the epochs were; a run that is there is not trained again."""
    folder = RunFolder(OUTPUTS / f"ties-{part.replace(' ', '-')}-{seed}")
    done = folder.path / "rules.json"
    if done.is_file():
        return read_json(done)
    shutil.rmtree(folder.path, ignore_errors=True)
    watcher = FirstOfEquals()
    train(compose("train", [*COMMON, *PARTS[part], f"seed={seed}", f"run_id={folder.path.name}"]), callbacks=[watcher])
    best = FinishedRun(folder).best_epoch
    assert best is not None
    figures = (tested(folder, watcher.first), tested(folder, None), tested(folder, watcher.last))
    found = {"first": watcher.epoch, "kept": best.epoch, "tied": best.tied, **dict(zip(RULES, figures, strict=True))}
    write_json(done, found)
    return found


def rows_of(part: str, found: list[dict[str, Any]]) -> list[list[str]]:
    """A row a seed, and their means."""
    rows = [
        [
            part,
            f"{seed}",
            f"{one['tied']}",
            f"{one['first']}",
            f"{one['kept']}",
            *(f"{100 * one[rule]:.1f}" for rule in RULES),
        ]
        for seed, one in zip(SEEDS, found, strict=True)
    ]
    means = [100 * statistics.fmean(one[rule] for one in found) for rule in RULES]
    return [*rows, [part, "mean", "", "", "", *(f"**{mean:.1f}**" for mean in means)]]


def told(found: list[dict[str, Any]]) -> str:
    """What the runs say of the rules."""
    first, kept, _ = RULES
    moved = [100 * (one[kept] - one[first]) for one in found if one["tied"]]
    means = [f"{rule} {100 * statistics.fmean(one[rule] for one in found):.1f}" for rule in RULES]
    return f"""In {len(moved)} of {len(found)} runs epochs tie. There the lowest loss moves f1_macro by
{statistics.fmean(moved):+.1f} points in the mean and by {min(moved):+.1f} to {max(moved):+.1f} in single runs: too few
and too far apart to tell the mean from 0. It keeps later epochs where validation cannot tell. In the mean of all runs:
{", ".join(means)}."""


def main() -> None:
    found = {part: [measure(part, seed) for seed in SEEDS] for part in PARTS}
    rows = [row for part, of_part in found.items() for row in rows_of(part, of_part)]
    header = ["validation", "seed", "others tied", "epoch, first", "epoch, kept", *RULES]
    last = RunFolder(OUTPUTS / f"ties-{next(iter(PARTS))}-{SEEDS[-1]}")
    page = f"""# Which of equal epochs is kept

`python -m experiments.ties.study` writes this page. Drawn characters, 64 px, random weights, {EPOCHS} epochs; f1_macro
in test, in percent, of the epoch that each rule keeps, counted from 1.

- `small`: {" ".join(PARTS["small"])}: a dozen validation pictures.
- `easy`: {" ".join(PARTS["easy"])}: test has a style that the other parts have not, so that validation is easy.

{told([one for of_part in found.values() for one in of_part])}

{table(header, rows)}

Hardware and versions: {environment_line(last.path)}
"""
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
