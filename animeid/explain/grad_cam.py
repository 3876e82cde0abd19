"""Grad-CAM: which places of a picture speak for an answer."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.nn import functional

from animeid.errors import InputError
from animeid.models.classifier import Classifier

REARRANGING = frozenset(
    f"{name}Backward0"
    for name in ("Alias", "Clone", "Permute", "ReshapeAlias", "Slice", "Transpose", "UnsafeView", "View")
)
"""Autograd's names of what only moves or leaves out values, as timm does to lay a network's tokens out as a map."""

LEAST_SIDE = 4
"""Places along the shorter side of a map that is fine enough to point at something."""


def grad_cam(model: Classifier, image: Tensor, classes: Tensor) -> Tensor:
    """Class activation maps weighed by gradients (Selvaraju 2017, arXiv 1610.02391, eq. 1 and 2).

    Each channel of a feature map weighs as much as its mean gradient of the class's logit, and what speaks against the
    class is cut off. The map is the last that the answer depends on place by place, which is not the last of all where
    a transformer reads its class token after the last block; and the last of at least 4 x 4 places, since the 2 x 2
    that a network of stride 32 leaves of 64 pixels cannot say more than a corner. A network whose maps are all
    smaller has its last. Neither weights nor their gradients change.

    Args:
        model: in evaluation mode.
        image: `[B, 3, H, W]` float, normalised.
        classes: `[B]` int64, the class whose logit is explained.

    Returns:
        `[B, h, w]` float, at least 0, on the grid of the feature map.

    Raises:
        InputError: the network has no feature maps that the answer depends on.
    """
    stages = len(model.backbone.tap_channels)
    with torch.inference_mode(False), torch.enable_grad():
        # Pictures that ask for a gradient make one flow through frozen weights too.
        image = image.detach().clone().requires_grad_()
        output, maps = model.forward_tapped(image, tuple(range(stages)))
        answer = output.logits.gather(1, classes[:, None]).sum()
        deepest_first = maps[::-1]
        for features in sorted(deepest_first, key=_is_coarse):
            gradient = _gradient(answer, features)
            if gradient is not None and gradient.any():
                weights = gradient.mean((2, 3), keepdim=True)
                return functional.relu((weights * features.detach()).sum(1))
    raise InputError(
        f"the answers of {model.backbone.name} do not depend on the feature maps that timm gives: choose another model"
    )


def _is_coarse(features: Tensor) -> bool:
    return min(features.shape[2:]) < LEAST_SIDE


def heat(cam: Tensor, image_size: tuple[int, int], padding: tuple[int, ...]) -> Tensor:
    """`[B, h, w]` maps to `[B, H, W]` uint8 over the picture, each picture's strongest place 255.

    Args:
        cam: at least 0; a map of zeros stays one.
        image_size: (H, W).
        padding: what the backbone adds to a picture left, right, above and below.
    """
    left, right, top, bottom = padding
    height, width = image_size
    size = (top + height + bottom, left + width + right)
    cam = functional.interpolate(cam.float()[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
    cam = cam[:, top : top + height, left : left + width]
    highest = cam.amax((1, 2), keepdim=True)
    return (255 * cam / torch.where(highest > 0, highest, 1)).round().to(torch.uint8)


def _gradient(answer: Tensor, features: Tensor) -> Tensor | None:
    """The gradient of `answer`, `[B, c, h, w]`, at a feature map; None where no path leads from one to the other.

    Of transformers timm gives a rearranged copy, which the answer does not see. The gradient is taken at the tensor
    that was copied, and rearranged in the same way: multiplied with the Jacobian J of the copying, as the derivative of
    `v -> J^T v`.
    """
    edge = get_gradient_edge(features)
    while edge.node.name() in REARRANGING:
        node, output = edge.node.next_functions[0]
        edge = GradientEdge(cast(Node, node), output)
    gradient = cast("Tensor | None", torch.autograd.grad(answer, edge, retain_graph=True, allow_unused=True)[0])
    if gradient is None:
        return None
    vector = torch.zeros_like(features, requires_grad=True)
    (back,) = torch.autograd.grad(features, edge, vector, retain_graph=True, create_graph=True)
    return torch.autograd.grad(back, vector, gradient)[0]
