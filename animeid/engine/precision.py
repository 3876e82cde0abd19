"""The precision that `auto` stands for: a rule, which on the processor has to stand a trial."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import timm
import torch
from torch import Tensor, nn

from animeid.engine.devices import DTYPES, choose_precision, cpu_has_bf16, is_refused
from animeid.system.load import Moment, Room

BUDGET_S = 0.4
"""Seconds of timed steps for each precision."""

NETWORK, PICTURES, SIDE = "resnet10t", 32, 64
FULL = "32-true"


@dataclass(frozen=True)
class Trial:
    """How a precision did.

    step_s: the median time of a training step, None where it does not work, for `reason`.
    gain: the median of how many times as fast as full precision the steps were that were timed in turn with its own.
    """

    precision: str
    step_s: float | None
    reason: str = ""
    gain: float | None = None

    @property
    def works(self) -> bool:
        return self.step_s is not None


@dataclass(frozen=True)
class Trials:
    """Trials of the precisions that training takes on a device, full precision first, and the room there was."""

    accelerator: str
    trials: tuple[Trial, ...]
    room: Room

    @property
    def doubt(self) -> str:
        """Why nothing can be told of speed; empty where it can. Other programs do not share a GPU's cores."""
        if self.accelerator != "cpu" or not self.room.is_busy:
            return ""
        return f"cannot be told while other programs use {self.room.taken:.1f} of {self.room.cores} cores"

    def gain(self, precision: str) -> float | None:
        return next((trial.gain for trial in self.trials if trial.precision == precision), None)


@dataclass(frozen=True)
class Settled:
    """A precision, and why it was chosen."""

    precision: str
    reason: str


def settle_precision(accelerator: str, has_depthwise: bool, trials: Callable[[], Trials] | None = None) -> Settled:
    """What `auto` takes: the rule of `choose_precision`; bf16 on the processor only where it is faster in a trial.

    Args:
        accelerator: `cuda`, `mps` or `cpu`.
        has_depthwise: whether the model has depthwise convolutions.
        trials: makes or gives those of the processor; those of this process by default.
    """
    rule = choose_precision(accelerator, has_depthwise)
    if accelerator != "cpu":
        return Settled(rule, "as the device has it")
    if rule == FULL:
        why = "bf16 is slow in depthwise convolutions" if cpu_has_bf16() else "this processor has no bf16 instructions"
        return Settled(rule, why)
    found = trials() if trials else processor_trials()
    if found.doubt:
        return Settled(rule, f"what is faster {found.doubt}; processors with bf16 instructions mostly gain")
    gain = found.gain(rule)
    if gain is None:
        return Settled(FULL, f"{rule} does not work here")
    return Settled(rule if gain > 1 else FULL, f"{rule} is {gain:.2f} times as fast as {FULL} here")


@cache
def processor_trials() -> Trials:
    """The trials of the processor, made once in a process, so that what follows from them stays."""
    return try_precisions("cpu")


def try_precisions(accelerator: str) -> Trials:
    """Forward and backward passes of the default network, in turns, in each precision that training takes.

    The processor's random numbers stay where they are: a run's weights depend on its seed, and not on whether its
    process has made the trial.
    """
    began = Moment.now()
    names = [name for name in DTYPES if not is_refused(accelerator, name)]
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(action="ignore"):
        pictures = torch.rand(PICTURES, 3, SIDE, SIDE).to(accelerator, memory_format=torch.channels_last)
        steps = {name: _Steps(pictures, DTYPES[name]) for name in names}
        for _ in range(2):  # the first one prepares
            _round(steps)
        while any(step.goes_on for step in steps.values()):
            _round(steps)
    full = steps[FULL].times
    return Trials(accelerator, tuple(_judged(name, step, full) for name, step in steps.items()), Room.since(began))


class _Steps:
    """The steps of one precision: their times, without the first one, or why it does not work."""

    def __init__(self, pictures: Tensor, dtype: torch.dtype) -> None:
        network: nn.Module = timm.create_model(NETWORK, num_classes=10)
        self.network = network.to(pictures.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.pictures, self.dtype = pictures, dtype
        self.times: list[float] = []
        self.has_begun = False
        self.reason = ""

    @property
    def goes_on(self) -> bool:
        return not self.reason and sum(self.times) < BUDGET_S

    def step(self) -> None:
        if self.reason:
            return
        try:
            seconds = _step(self.network, self.pictures, self.dtype)
        except (RuntimeError, NotImplementedError) as error:  # what a device that lacks it raises, or not finite
            self.reason = (str(error) or type(error).__name__).splitlines()[0]
            return
        if self.has_begun:
            self.times.append(seconds)
        self.has_begun = True


def _round(steps: dict[str, _Steps]) -> None:
    for step in steps.values():
        step.step()


def _judged(name: str, steps: _Steps, full: list[float]) -> Trial:
    if steps.reason:
        return Trial(name, None, steps.reason)
    # What else the machine does slows both steps of a turn.
    gains = [whole / own for whole, own in zip(full, steps.times, strict=False)]
    return Trial(name, float(np.median(steps.times)), gain=float(np.median(gains)) if gains else None)


def _step(network: nn.Module, pictures: Tensor, dtype: torch.dtype) -> float:
    start = time.perf_counter()
    with torch.autocast(pictures.device.type, dtype=dtype, enabled=dtype != torch.float32):
        output = network(pictures)
    if output.dtype != dtype:  # autocast leaves out what it does not know, with no more than a warning
        raise RuntimeError(f"it computes in {output.dtype} instead")
    loss = output.float().square().mean()
    loss.backward()
    value = loss.item()
    if not np.isfinite(value):
        raise RuntimeError(f"the result is {value}")
    gradient = next(network.parameters()).grad
    assert gradient is not None
    gradient.sum().item()  # waits for the device
    return time.perf_counter() - start
