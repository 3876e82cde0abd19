"""Settings of trainer and callbacks.

Light, since the command line checks cards against these before it imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt

Whole = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """The trainer card.

    max_epochs: passes over the training part; `auto` is the measured default.
    accelerator: `auto` takes cuda, then mps, then the CPU, and says which; a named one must be there. `gpu` is `cuda`.
    devices: how many devices of a machine, each with a process and `data.batch_size` pictures of its own; `auto` is
        one, `all` is every GPU of the machine. Under torchrun or srun both are what was started.
    num_nodes: how many machines; more than one are started by torchrun or srun, and `auto` is what was started.
    strategy: what several processes share: `ddp` the gradients, each with the whole model; `fsdp` the weights too.
    precision: `auto` is what suits the device and the network (see `engine.devices.choose_precision`).
    accumulate_grad_batches: batches whose gradients are added before an optimiser step.
    gradient_clip_val: the largest norm of the gradient of all parameters; null does not clip.
    compile: whether `torch.compile` translates the network before training. The translation takes a minute or more,
        and a C++ compiler on the CPU.
    deterministic: only algorithms that give the same bits every time; slower on a GPU.
    log_every_n_steps: steps between the loggers' training figures.
    """

    max_epochs: Whole | Literal["auto"] = "auto"
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: Whole | Literal["auto", "all"] = "auto"
    num_nodes: Whole | Literal["auto"] = "auto"
    strategy: Literal["ddp", "fsdp"] = "ddp"
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    accumulate_grad_batches: Whole = 1
    gradient_clip_val: Annotated[float, Gt(0)] | None = None
    compile: bool = False
    deterministic: bool = False
    log_every_n_steps: Whole = 10


@dataclass(frozen=True, kw_only=True)
class CallbackSettings:
    """The callbacks card: which epoch is the best, and when to stop early.

    monitor: the figure that decides, by its name in `history.csv`; a loss is better the lower it is. Of epochs with the
        same figure the one with the lowest `val/loss` is the best, and the later one where that is the same too. With
        null, which all folds together (`data.fold=all`) take, the last epoch is kept.
    patience: epochs without an improvement after which training stops; null never stops early, which is right with
        schedules of a fixed length.
    min_delta: a smaller change of the figure is no improvement.
    """

    monitor: Literal["val/f1_macro", "val/acc_macro", "val/acc_micro", "val/loss"] | None = "val/f1_macro"
    patience: Whole | None = None
    min_delta: Annotated[float, Ge(0)] = 0.0
