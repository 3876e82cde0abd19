"""Trial of precisions on a device."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
import timm
import torch
from torch import Tensor, nn

from animeid.engine.devices import DTYPES

BUDGET_S = 0.6
"""Seconds of timed steps for each precision."""

NETWORK, PICTURES, SIDE = "resnet10t", 32, 64


@dataclass(frozen=True)
class Trial:
    """How a precision did; `step_s` is the median time of a training step, None where it does not work."""

    precision: str
    step_s: float | None
    reason: str = ""

    @property
    def works(self) -> bool:
        return self.step_s is not None


def try_precisions(accelerator: str) -> tuple[Trial, ...]:
    """Forward and backward passes of the default network in each precision, full precision first."""
    return tuple(_try(precision, dtype, torch.device(accelerator)) for precision, dtype in DTYPES.items())


def _try(precision: str, dtype: torch.dtype, device: torch.device) -> Trial:
    network, pictures = _network().to(device), torch.rand(PICTURES, 3, SIDE, SIDE, device=device)
    pictures = pictures.to(memory_format=torch.channels_last)
    try:
        with warnings.catch_warnings(action="ignore"):
            times = [_step(network, pictures, dtype)]  # the first one prepares
            while len(times) < 2 or sum(times[1:]) < BUDGET_S:
                times.append(_step(network, pictures, dtype))
        return Trial(precision, float(np.median(times[1:])))
    except (RuntimeError, NotImplementedError) as error:  # what a device that lacks it raises, or not finite
        return Trial(precision, None, (str(error) or type(error).__name__).splitlines()[0])


def _network() -> nn.Module:
    network: nn.Module = timm.create_model(NETWORK, num_classes=10)
    return network.to(memory_format=torch.channels_last)


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
