"""Low-rank adapters on a transformer's linear layers, through peft; folded into plain weights when they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from annotated_types import Gt, Interval, MinLen
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.freezing import Freezing, told
from animeid.system.console import how_to_install, some_of
from animeid.values import Whole

ADAPTER = "default"
"""peft's name for an adapter that is not given one."""

NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)

NAMED = 4
"""How many layers a sentence names at most."""


@dataclass(frozen=True, kw_only=True)
class Lora(Freezing):
    """LoRA (Hu 2021, arXiv 2106.09685): `W x + alpha / rank * B A x` with `W` frozen, `A` and `B` trained.

    `B` starts at zero, so that the network starts as it was loaded. Adapters, the head and, if wanted, norms are
    trained; a finished run holds `W + alpha / rank * B A`, and nothing of peft.

    Args:
        rank: r, the rows of `A` and columns of `B`.
        alpha: the numerator of the scale.
        dropout: share of an adapter's inputs dropped in training.
        layers: names of the linear layers that get an adapter, as timm calls them inside a block.
        train_norms: whether the norms' weights are trained too.
    """

    rank: Whole = 8
    alpha: Annotated[float, Gt(0)] = 16.0
    dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    layers: Annotated[tuple[str, ...], MinLen(1)] = ("attn.qkv", "attn.proj")
    train_norms: bool = False

    def apply(self, backbone: TimmBackbone) -> None:
        """Puts the adapters into the backbone and freezes the rest of it.

        Raises:
            InputError: peft is not installed, the network has no such linear layers, or does not call them as layers.
        """
        names = self._adapted(backbone)
        backbone.requires_grad_(False)
        _inject(backbone.net, names, rank=self.rank, alpha=self.alpha, dropout=self.dropout)
        _check_used(backbone, names)
        if self.train_norms:
            for module in backbone.net.modules():
                if isinstance(module, NORMS):
                    module.requires_grad_(True)
        backbone.train(backbone.training)

    def note(self, backbone: TimmBackbone, max_epochs: int) -> str:  # noqa: ARG002
        return told(backbone, f"LoRA adapters of rank {self.rank} are on {', '.join(self.layers)}")

    def portable(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A state dict with the adapters folded into the weights, by the names that a network without them has."""
        return fold(state, self.alpha / self.rank)

    def remove(self, backbone: TimmBackbone) -> None:
        """Folds the adapters into the backbone's own layers, in place."""
        for name, module in list(backbone.net.named_modules()):
            if hasattr(module, "lora_A"):
                module.merge()
                backbone.net.set_submodule(name, module.get_base_layer())
        del backbone.net.peft_config

    def _adapted(self, backbone: TimmBackbone) -> list[str]:
        """Full names of the layers that get an adapter."""
        linear = [name for name, module in backbone.net.named_modules() if isinstance(module, nn.Linear)]
        found = {kind: [name for name in linear if f".{name}".endswith(f".{kind}")] for kind in self.layers}
        if not any(found.values()):
            raise InputError(
                f"freezing=lora puts adapters on linear layers of a transformer, and {backbone.name} has no "
                f"{' or '.join(self.layers)}: choose a transformer such as model=vit_small, or freezing=last"
            )
        absent = [kind for kind, names in found.items() if not names]
        if absent:
            kinds = sorted({".".join(name.split(".")[-2:]) for name in linear})
            raise InputError(
                f"freezing.layers names {absent[0]}, which no linear layer of {backbone.name} is called: "
                f"choose of {some_of(kinds, NAMED)}"
            )
        return sorted({name for names in found.values() for name in names})


def fold(state: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """`W + scale * B A` under the plain name of every layer that has an adapter; what has none stays as it is.

    Args:
        state: a state dict, with peft's names where there are adapters.
        scale: alpha / rank.
    """
    folded: dict[str, Tensor] = {}
    for name, tensor in state.items():
        layer, _, own = name.rpartition(".base_layer.")
        if ".lora_A." in name or ".lora_B." in name:
            continue
        if layer and own == "weight":
            down, up = (state[f"{layer}.lora_{half}.{ADAPTER}.weight"] for half in "AB")
            tensor = (tensor.float() + scale * (up.float() @ down.float())).to(tensor.dtype)
        folded[f"{layer}.{own}" if layer else name] = tensor
    return folded


def _inject(net: nn.Module, names: list[str], *, rank: int, alpha: float, dropout: float) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise InputError(
            f"freezing=lora needs peft, which cannot be imported ({error}): {how_to_install('lora')}"
        ) from error
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=names)  # type: ignore[arg-type]
    inject_adapter_in_model(config, net, ADAPTER)


@torch.no_grad()
def _check_used(backbone: TimmBackbone, names: list[str]) -> None:
    """Some networks take a layer's weight without calling the layer, and an adapter on it would do nothing.

    Raises:
        InputError: so does this one.
    """
    called: set[str] = set()
    hooks = [backbone.net.get_submodule(name).register_forward_pre_hook(_noting(called, name)) for name in names]
    was_training = backbone.training
    backbone.eval()(torch.zeros(1, 3, *backbone.image_size))
    backbone.train(was_training)
    for hook in hooks:
        hook.remove()
    unused = [name for name in names if name not in called]
    if unused:
        raise InputError(
            f"{backbone.name} takes the weight of {unused[0]} without calling that layer, so that an adapter on it "
            "would do nothing: name other layers in freezing.layers"
        )


def _noting(called: set[str], name: str) -> Any:
    def note(module: nn.Module, inputs: Any) -> None:  # noqa: ARG001
        called.add(name)

    return note
