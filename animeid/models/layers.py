"""Depth of a timm network's tensors below its classifier."""

from __future__ import annotations

from typing import Any, Literal

from timm.models._manipulate import group_with_matcher

from animeid.errors import InputError

Unit = Literal["block", "stage"]
"""What is counted. In networks without stages, such as ViT, a stage is a block."""


def layers_below_head(net: Any, unit: Unit = "block") -> dict[str, int]:
    """The parameters of a timm network by name, each with its distance from the classifier.

    0 is what timm counts to the classifier's own layer (a last norm or convolution of some networks), 1 the last block
    or stage, and the largest number the stem.

    Raises:
        InputError: timm does not tell the layers of this network.
    """
    if not hasattr(net, "group_matcher"):
        raise InputError(
            f"timm does not tell the layers of {type(net).__name__}, so that they cannot be frozen one by one or get "
            "learning rates of their own: leave out freezing and optimizer.layer_decay, or choose another model"
        )
    classifier = _classifier_name(net)
    names = [name for name, _ in net.named_parameters()]
    matcher = net.group_matcher(coarse=unit == "stage")
    # The network has no classifier here, so that its name is asked for beside those that are there.
    layers = group_with_matcher(((name, None) for name in [*names, classifier]), matcher, reverse=True)
    return {name: layers[classifier] - layers[name] for name in names}


def depth(net: Any, unit: Unit) -> int:
    """How many blocks or stages there are, the stem included."""
    return max(layers_below_head(net, unit).values())


def _classifier_name(net: Any) -> str:
    """The name of the weight of the classifier that timm would put on top; the first one where there are several."""
    names = net.pretrained_cfg.get("classifier") or "head"
    return f"{names if isinstance(names, str) else names[0]}.weight"
