"""The optimisers of the cards, and the learning rate when a card says `auto`.

A card gives the settings; calling the object with the parameter groups gives torch's optimiser. A class of settings for
which `lr` may be `auto` says by which rule (`HasRateRule`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from annotated_types import Ge, Gt, Interval

from animeid.errors import InputError

ParameterGroups = Iterable[dict[str, Any]]
Rate = Annotated[float, Gt(0)] | Literal["auto"]
Decay = Annotated[float, Interval(ge=0, lt=1)]
LayerDecay = Annotated[float, Interval(gt=0, le=1)]

REFERENCE_BATCH = 32

IN_GROUPS = ("layer_decay", "head_lr_scale")
"""Settings that are in the parameter groups already, and no arguments of torch's optimisers."""


@runtime_checkable
class HasRateRule(Protocol):
    """A class of settings with a rule for the learning rate.

    reference_rates: at a batch of 32, for random and for loaded weights. Loaded ones are near where they should be, and
        a rate that is right for random ones destroys them; random weights starve at the rate of loaded ones.
    batch_exponent: of the batch in the rate.
    """

    reference_rates: tuple[float, float]
    batch_exponent: float


def default_learning_rate(optimizer: Any, pretrained: bool, batch_size: int) -> float:
    """The learning rate of `optimizer.lr=auto`, two significant digits.

    Args:
        optimizer: the class of its settings.
        pretrained: whether weights were loaded.
        batch_size: pictures in an optimiser step.

    Raises:
        InputError: no rule is known for this optimiser.
    """
    if not isinstance(optimizer, HasRateRule):
        raise InputError(
            f"optimizer.lr=auto needs the reference_rates of an optimiser, and {optimizer.__name__} has none: give "
            "optimizer.lr a number"
        )
    rate = optimizer.reference_rates[int(pretrained)] * (batch_size / REFERENCE_BATCH) ** optimizer.batch_exponent
    return float(f"{rate:.1e}")


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma 2015, arXiv 1412.6980); its weight decay is an L2 penalty in the gradient.

    Args:
        lr: the highest learning rate; `auto` depends on whether weights were loaded.
        betas: decay of the first and the second moment.
        eps: keeps the denominator from 0.
        weight_decay: of parameters that are neither norms nor biases.
        layer_decay: what the rate is multiplied with from each of the backbone's layers to the one below; the head has
            `lr` itself. None gives every layer the same rate.
        head_lr_scale: the head's rate over the backbone's, which is `lr`: a new head has all to learn, loaded layers
            little. None gives both the same.
    """

    reference_rates: ClassVar[tuple[float, float]] = (2e-3, 3e-4)
    batch_exponent: ClassVar[float] = 0.5  # Malladi 2022, arXiv 2205.10287
    fuses: ClassVar[bool] = True

    lr: Rate = "auto"
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    eps: Annotated[float, Gt(0)] = 1e-8
    weight_decay: Annotated[float, Ge(0)] = 0.0
    layer_decay: LayerDecay | None = None
    head_lr_scale: Annotated[float, Gt(0)] | None = None

    def __call__(self, groups: ParameterGroups) -> torch.optim.Optimizer:
        return _build(torch.optim.Adam, _with_rates(groups, self.lr), self)


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov 2019, arXiv 1711.05101)."""

    weight_decay: Annotated[float, Ge(0)] = 0.05

    def __call__(self, groups: ParameterGroups) -> torch.optim.Optimizer:
        return _build(torch.optim.AdamW, _with_rates(groups, self.lr), self)


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent with momentum; its weight decay is an L2 penalty in the gradient.

    Args:
        lr: the highest learning rate; `auto` depends on whether weights were loaded.
        momentum: share of the last step that goes on.
        nesterov: look ahead along the momentum.
        weight_decay: of parameters that are neither norms nor biases.
        layer_decay: what the rate is multiplied with from each of the backbone's layers to the one below; the head has
            `lr` itself. None gives every layer the same rate.
        head_lr_scale: the head's rate over the backbone's, which is `lr`: a new head has all to learn, loaded layers
            little. None gives both the same.
    """

    reference_rates: ClassVar[tuple[float, float]] = (0.05, 0.005)
    batch_exponent: ClassVar[float] = 1.0  # Goyal 2017, arXiv 1706.02677
    fuses: ClassVar[bool] = False  # a fused step takes no parameter that was frozen before and has no momentum yet

    lr: Rate = "auto"
    momentum: Decay = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Ge(0)] = 5e-4
    layer_decay: LayerDecay | None = None
    head_lr_scale: Annotated[float, Gt(0)] | None = None

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0:
            raise InputError("optimizer.nesterov=true needs optimizer.momentum above 0: set one of them")

    def __call__(self, groups: ParameterGroups) -> torch.optim.Optimizer:
        return _build(torch.optim.SGD, _with_rates(groups, self.lr), self)


def _with_rates(groups: ParameterGroups, lr: float | str) -> list[dict[str, Any]]:
    """Groups that have an `lr_scale` get a rate of their own."""
    if lr == "auto":
        raise ValueError("lr=auto must be resolved with default_learning_rate before the optimiser is made")
    return [{**group, "lr": float(lr) * group["lr_scale"]} if "lr_scale" in group else group for group in groups]


def _build(
    optimizer: Callable[..., torch.optim.Optimizer], groups: list[dict[str, Any]], settings: Adam | SGD
) -> torch.optim.Optimizer:
    """Torch's optimiser; rates by layer and of the head are in the groups already.

    On the CPU all of a step of Adam and AdamW is done in one pass over each tensor, where torch's usual one makes a
    dozen. On GPUs torch chooses: a fused step unscales the gradients of fp16 itself, so that nothing could clip them
    before.
    """
    arguments = {name: value for name, value in asdict(settings).items() if name not in IN_GROUPS}
    if not settings.fuses or any(parameter.device.type != "cpu" for group in groups for parameter in group["params"]):
        return optimizer(groups, **arguments)
    fused = optimizer(groups, fused=True, **arguments)
    # There is no scale on the CPU, and Lightning would take this mark of a fused step for a reason not to clip.
    fused._step_supports_amp_scaling = False  # type: ignore[attr-defined]
    return fused
