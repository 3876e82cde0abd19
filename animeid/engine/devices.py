"""Choice of device and precision."""

from __future__ import annotations

from collections.abc import Callable

import torch

from animeid.errors import InputError
from animeid.system.launcher import own_rank
from animeid.system.machine import usable_cores

MAX_WORKERS = 8

DTYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

AVAILABLE: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def choose_accelerator(accelerator: str, key: str = "trainer.accelerator") -> str:
    """`auto` takes cuda, then mps, then the CPU; a device that was named must be there.

    Args:
        accelerator: as asked for.
        key: of the configuration, for the message.

    Raises:
        InputError: the named accelerator is not on this machine.
    """
    if accelerator == "auto":
        # In the order of preference; the CPU is always there.
        return next(name for name, is_available in AVAILABLE.items() if is_available())
    name = {"gpu": "cuda"}.get(accelerator, accelerator)
    if not AVAILABLE[name]():
        raise InputError(
            f"{key}={accelerator} was asked for, and torch {torch.__version__} finds no such device: "
            f"check the driver and the torch build, or take {key}=auto"
        )
    return name


def own_device(accelerator: str) -> torch.device:
    """That of this process, of those of its machine."""
    return torch.device(accelerator, own_rank().local_rank) if accelerator == "cuda" else torch.device(accelerator)


def gpu_name(accelerator: str) -> str | None:
    """What the GPU that a run computes on is called; None where it computes on none, or none that has a name."""
    return torch.cuda.get_device_name() if accelerator == "cuda" else None


def choose_precision(accelerator: str, has_depthwise: bool) -> str:
    """The precision that the device and the network speak for (see `engine.precision.settle_precision`).

    On cuda bf16 where the card has it, else fp16 with loss scaling. On a CPU with bf16 instructions bf16, except for
    depthwise convolutions, which are up to twice as slow in it (experiments/precision). On mps full precision: autocast
    is there, but its gain and its gaps depend on the version of macOS, so that it must be asked for.

    Args:
        accelerator: `cuda`, `mps` or `cpu`.
        has_depthwise: whether the model has depthwise convolutions.
    """
    if accelerator == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    pays = accelerator == "cpu" and cpu_has_bf16() and not has_depthwise
    return "bf16-mixed" if pays else "32-true"


def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 itself; without such instructions it is slower than full precision."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def name_of(dtype: torch.dtype) -> str:
    """The precision as the command line has it."""
    return next(name for name, known in DTYPES.items() if known == dtype)


def is_refused(accelerator: str, precision: str) -> bool:
    """Whether training does not take a precision on a device: in float16 on the processor Lightning would compute in
    bf16."""
    return accelerator == "cpu" and precision == "16-mixed"


def check_precision(accelerator: str, precision: str, key: str = "trainer.precision") -> None:
    """Args:
    accelerator, precision: as chosen and as asked for.
    key: of the configuration, for the message.

    Raises:
        InputError: training does not take it there.
    """
    if is_refused(accelerator, precision):
        raise InputError(
            f"{key}=16-mixed is for GPUs, and this run computes on the CPU: take bf16-mixed, 32-true or auto"
        )


def default_workers(accelerator: str) -> int:
    """Loader processes: beside a GPU the cores are free for loading; on the CPU loading and computing share them.

    On two cores a worker only takes turns with the computation and costs its start (measured: 0 workers were fastest),
    so that a quarter of the cores load.
    """
    cores = usable_cores()
    return min(cores // 4 if accelerator == "cpu" else cores, MAX_WORKERS)
