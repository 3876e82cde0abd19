"""Networks that are narrower than timm builds them: which tensors are smaller, and how they are built again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from animeid.errors import InputError

Shapes = Mapping[str, Sequence[int]]
"""The shape of each tensor that is smaller, by its name in the network."""


def smaller(net: nn.Module, whole: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """The shapes of a network's tensors that differ from those that timm built it with.

    Args:
        net: the network.
        whole: its state dict as timm built it.
    """
    found = {name: list(tensor.shape) for name, tensor in net.state_dict().items()}
    return {name: shape for name, shape in found.items() if shape != list(whole[name].shape)}


def narrow(net: nn.Module, shapes: Shapes) -> None:
    """Cuts the tensors of a network as timm builds it to these shapes, and tells its layers.

    What is left of a tensor are its first values.

    Raises:
        InputError: the network has no such tensor, or a smaller one.
    """
    own = net.state_dict()
    for name, shape in shapes.items():
        if name not in own or not _fits(own[name], shape):
            raise InputError(
                f"model.shapes says that {name} is {list(shape)}, which no tensor of this network can be cut to: "
                "leave model.shapes as the pruned run has it"
            )
        layer, _, tensor = name.rpartition(".")
        _cut(net.get_submodule(layer), tensor, shape)
    for layer in dict.fromkeys(name.rpartition(".")[0] for name in shapes):
        _tell(net.get_submodule(layer))


def _fits(tensor: Tensor, shape: Sequence[int]) -> bool:
    return tensor.ndim == len(shape) and all(0 < new <= old for new, old in zip(shape, tensor.shape, strict=True))


def _cut(layer: nn.Module, name: str, shape: Sequence[int]) -> None:
    tensor = getattr(layer, name)
    values = tensor.detach()[tuple(slice(length) for length in shape)].clone()
    is_learnt = isinstance(tensor, nn.Parameter)
    setattr(layer, name, nn.Parameter(values, tensor.requires_grad) if is_learnt else values)


def _tell(layer: nn.Module) -> None:
    """Gives a layer the sizes that its tensors have by now."""
    match layer:
        case nn.Conv2d():
            out, each = layer.weight.shape[:2]
            if layer.groups == layer.in_channels:  # one channel at a time: there are as many groups as channels
                layer.groups = out * layer.in_channels // layer.out_channels
            layer.out_channels, layer.in_channels = out, each * layer.groups
        case nn.Linear():
            layer.out_features, layer.in_features = layer.weight.shape
        case nn.LayerNorm():
            layer.normalized_shape = tuple(layer.weight.shape)
        case nn.BatchNorm2d():
            layer.num_features = len(layer.running_mean)  # type: ignore[arg-type]
        case _:  # has no size of its own, such as a block with a scale
            pass
