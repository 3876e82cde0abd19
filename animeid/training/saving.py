"""What a run knows before training, as files, and its learning rates as they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from animeid.assembly.run import Components
from animeid.data.manifest import Manifest
from animeid.data.prepare import Prepared
from animeid.engine.devices import gpu_name
from animeid.optim.schedules import followed_figure
from animeid.runs.best_epoch import BestEpoch
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system import environment
from animeid.system.console import say
from animeid.system.files import atomic, write_json, write_yaml
from animeid.training.fitting import followers


def save_inputs(
    folder: RunFolder,
    request: dict[str, Any],
    components: Components,
    prepared: Prepared,
    judged: Manifest | None = None,
) -> None:
    """Writes all that is known before training, so that a run that is cut off can be read as well.

    Args:
        judged: says which pictures figures will be of, where `prepared` does not: a refit has moved those of val.
    """
    write_yaml(folder.request, request)
    write_yaml(folder.config, components.plan.as_dict())
    prepared.manifest.write(folder.manifest)
    write_json(folder.labels, list(prepared.labels))
    tables = [(folder.skipped, prepared.skipped), (folder.conflicts, prepared.conflicts)]
    if components.transfer:
        tables.append((folder.transfer, components.transfer.table))
    for path, listed in tables:
        with atomic(path, "w") as stream:
            listed.to_csv(stream, index=False)
    seeds = {"seed": request["seed"], "split_seed": components.plan.data.split_seed}
    accelerator = components.plan.trainer.accelerator
    threads = torch.get_num_threads()
    table = (judged or prepared.manifest).table
    found = environment.describe(table, seeds, accelerator, gpu_name(accelerator), threads)
    write_json(folder.environment, found)


def learning_rates(folder: RunFolder, components: Components) -> np.ndarray:
    """`[total_steps]` float64: the rate of each step, also of a schedule that followed a figure of validation.

    Empty where nothing was trained.
    """
    history = FinishedRun(folder).history
    if history is None:
        return np.empty(0)
    run = components.module.optimisation
    followed = followed_figure(run.schedule)
    figures = [] if followed is None else history[followed].tolist()
    return run.schedule.trace(
        lr=components.plan["optimizer"]["lr"],
        total_steps=run.total_steps,
        steps_per_epoch=run.steps_per_epoch,
        figures=figures,
    )


def save_best_epoch(folder: RunFolder, epoch: int | None, components: Components) -> None:
    """Writes `best_epoch.json`, and says the same.

    Args:
        folder: of the run.
        epoch: whose weights are kept, counted from 1; None where nothing was trained.
        components: of the run.
    """
    history = FinishedRun(folder).history
    if epoch is not None and history is not None:
        best = BestEpoch.of(history, epoch, components.plan.callbacks.monitor, followers(components))
        best.write(folder)
        say(best.told)
