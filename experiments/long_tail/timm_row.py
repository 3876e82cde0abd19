"""timm's training loop as a row of the ladder: `python -m experiments.long_tail.timm_row RUN NAME SEED EPOCHS [LR]`.

What its train.py does with `--opt adamw --lr 1e-3 --sched cosine` and its defaults otherwise: its loader with random
crops of 8 to 100 %, flips and colour jitter, label smoothing of 0.1, the weights of the epoch with the best validation
accuracy. Network, the weights that it starts from, picture size, batch, pictures and parts are those of RUN; alpha lies
on white, as timm would leave it black. Its answers to the test part are saved as those of any run.
"""

from __future__ import annotations

import copy
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import timm
import torch
from PIL import Image
from timm.data import create_loader, resolve_data_config
from timm.loss import LabelSmoothingCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import random_seed
from torch import nn
from torch.utils.data import Dataset

from animeid.assembly.model import as_size
from animeid.assembly.plan import FinalPlan, label_stats
from animeid.data.manifest import Manifest
from animeid.data.picture_files import decode
from animeid.inference.evaluation import answers_in, judge
from animeid.inference.labelled import Pictures
from animeid.metrics.functional import negative_log_likelihood
from animeid.models.initial import published_network
from animeid.predictions import Predictions
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from experiments.runs import OUTPUTS, write_origin

WARMUP_EPOCHS, WARMUP_LR = 5, 1e-5  # timm's --warmup-epochs and --warmup-lr
LR = 1e-3
MAX_PIXELS = 64_000_000
CPU = torch.device("cpu")


class Part(Dataset):
    """The pictures of a part, decoded beforehand, as timm's loader wants them: PIL pictures and class numbers."""

    transform = None
    target_transform = None

    def __init__(self, manifest: Manifest, rows: np.ndarray) -> None:
        self.rows = rows
        self.pictures = [
            Image.fromarray(decode(manifest.root / path, MAX_PIXELS)) for path in manifest.table["path"].iloc[rows]
        ]
        self.targets = manifest.table["target"].to_numpy()[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int):
        return self.transform(self.pictures[index]), int(self.targets[index])


def loader(part: Part, size: int, batch: int, config: dict, *, is_training: bool):
    return create_loader(
        part,
        input_size=(3, size, size),
        batch_size=batch,
        is_training=is_training,
        interpolation="random" if is_training else config["interpolation"],
        mean=config["mean"],
        std=config["std"],
        crop_pct=None if is_training else config["crop_pct"],
        num_workers=0,
        persistent_workers=False,
        device=CPU,
        use_prefetcher=True,
    )


@torch.inference_mode()
def answer(model: nn.Module, batches) -> np.ndarray:
    """`[N, C]` logits in the order of the part."""
    model.eval()
    return np.concatenate([model(image).float().numpy() for image, _ in batches])


def network(plan: FinalPlan, classes: int) -> nn.Module:
    """timm's own, from the weights that the run started from (`--initial-checkpoint`); its head is new."""
    name, source = plan["model"]["name"], plan.facts.weights["source"]
    model = timm.create_model(name, pretrained=False, num_classes=classes)
    if source not in ("random", "hub", "package"):
        raise ValueError(f"weights of the kind {source} are not known to this row")
    if source != "random":
        published = published_network(name, as_size(plan.data.image_size), 0.0).net
        loaded = model.load_state_dict(published.state_dict(), strict=False)
        assert {key.split(".")[0] for key in loaded.missing_keys} == {model.default_cfg["classifier"]}
        assert not loaded.unexpected_keys
    return model.to(memory_format=torch.channels_last)


def train(model: nn.Module, batches, validation, epochs: int, lr: float) -> float:
    """Trains, leaves the weights of the best epoch in the model, and returns the seconds."""
    optimizer = create_optimizer_v2(model, opt="adamw", lr=lr, weight_decay=2e-5)
    scheduler, epochs = create_scheduler_v2(
        optimizer,
        sched="cosine",
        num_epochs=epochs,
        warmup_epochs=WARMUP_EPOCHS,
        warmup_lr=WARMUP_LR,
        step_on_epochs=True,
        updates_per_epoch=len(batches),
    )
    loss_fn, best, kept, began = LabelSmoothingCrossEntropy(0.1), -1.0, None, time.perf_counter()
    for epoch in range(epochs):
        model.train()
        for image, target in batches:
            optimizer.zero_grad()
            loss_fn(model(image), target).backward()
            optimizer.step()
        scheduler.step(epoch + 1)
        part = validation.dataset
        accuracy = float((answer(model, validation).argmax(1) == part.targets).mean())
        if accuracy > best:
            best, kept = accuracy, copy.deepcopy(model.state_dict())
        print(f"epoch {epoch + 1} of {epochs}: validation accuracy {accuracy:.3f}", flush=True)
    model.load_state_dict(kept)
    return time.perf_counter() - began


def main() -> None:
    base, name, seed, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    lr = float(sys.argv[5]) if len(sys.argv) > 5 else LR
    run = RunFolder.open(OUTPUTS / base)
    if FinalPlan.read(run.config).data.refit is True:
        run = run.twin  # its validation part chooses an epoch, which a refit has no use for
    plan, saved = FinalPlan.read(run.config), SavedRun(run)
    manifest, labels = saved.manifest, saved.labels
    table, size, batch = manifest.table, plan.data.image_size, plan.data.batch_size
    parts = {part: Part(manifest, np.flatnonzero(table["split"] == part)) for part in ("train", "val", "test")}
    random_seed(seed)
    model = network(plan, len(labels))
    config = resolve_data_config({"input_size": (3, size, size)}, model=model)
    training = loader(parts["train"], size, batch, config, is_training=True)
    validation, test = (loader(parts[part], size, batch, config, is_training=False) for part in ("val", "test"))
    seconds = train(model, training, validation, epochs, lr)
    logits = answer(model, test)
    rows, stats = parts["test"].rows, label_stats(plan, labels)
    losses = negative_log_likelihood(logits, parts["test"].targets).astype(np.float32)
    folder = RunFolder(Path(OUTPUTS / name))
    folder.create()
    answers = answers_in(folder, "test", [Predictions(rows, logits, np.zeros((len(rows), 1), np.float32), losses)])
    write_origin(folder.path)
    nothing = pd.DataFrame({"path": [], "reason": []})
    judge(folder, "test", answers, Pictures(manifest, rows, (), nothing), stats, cost={"train_s": seconds})


if __name__ == "__main__":
    main()
