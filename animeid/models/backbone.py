"""Any timm network as a backbone: pictures in, embeddings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

import torch
from annotated_types import Interval
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.catalogue import check_name
from animeid.models.initial import WeightsSource, initial_network
from animeid.models.layers import layers_below_head
from animeid.models.network import covering_size, evaluating, frozen_parts, has_depthwise, wrong_size
from animeid.models.taps import absolute
from animeid.numerics import exact, full_precision
from animeid.values import PathText


class TimmBackbone(nn.Module):
    """A timm network without its classifier.

    Args:
        name: timm's name, with or without the tag of its published weights (`resnet18`, `resnet18.a1_in1k`).
        image_size: height and width in pixels of the pictures that it will get.
        pretrained: `auto` takes published weights where they can be had, `True` insists on them, `False` starts from
            random ones.
        weights: a local file that is loaded instead (see `animeid.models.weights`).
        drop_path_rate: share of residual branches dropped in training (stochastic depth, Huang 2016, 1603.09382).
        shapes: of the tensors that are smaller than timm builds them, where the network was pruned (see
            `animeid.models.shapes`); it has no published weights.

    Attributes:
        name, image_size: as given.
        num_features: D, the length of an embedding.
        mean, std: of the pictures that its published weights expect, a channel each, on a scale of 0 to 1.
        weights_source: where its weights came from: `random`, `hub`, `package`, `file` or `run`.
        weights_note: the same in one sentence, for people.
        weights_origin: what is known of published ones: repository or package, origin, licence.

    Raises:
        InputError: timm does not know the name, the weights cannot be had or do not fit, or the network cannot take
            pictures of this size.
    """

    _in_evaluation: tuple[type[nn.Module], ...] = ()
    """Layers that compute as in evaluation in training too."""

    def __init__(
        self,
        name: str,
        image_size: tuple[int, int],
        *,
        pretrained: bool | Literal["auto"] = "auto",
        weights: PathText | None = None,
        drop_path_rate: Annotated[float, Interval(ge=0, lt=1)] = 0.0,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        check_name(name)
        self.name = name
        self.image_size = image_size
        if weights is not None and pretrained is True:
            raise InputError("model.weights and model.pretrained=true both say where weights come from: leave one out")
        height, width = covering_size(name, image_size)
        self.padding = (0, width - image_size[1], 0, height - image_size[0])
        self.shapes = shapes
        initial = initial_network(name, (height, width), drop_path_rate, pretrained, weights, shapes)
        self.net = initial.net
        self.weights_source: WeightsSource = initial.source
        self.weights_note = initial.note
        self.weights_origin: Mapping[str, str] = initial.origin
        self.mean: tuple[float, ...] = tuple(self.net.pretrained_cfg["mean"])
        self.std: tuple[float, ...] = tuple(self.net.pretrained_cfg["std"])
        self.num_features = self._measure()
        self._tap_channels: tuple[int, ...] | None = None

    def forward(self, image: Tensor) -> Tensor:
        """`[B, 3, H, W]` float, normalised, to embeddings `[B, D]` float32."""
        return self._embed(self.net.forward_features(self._padded(image)))

    def forward_taps(self, image: Tensor, indices: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """Feature maps on the way, each `[B, c, h, w]`, and the embeddings `[B, D]` of the same pass.

        Args:
            image: `[B, 3, H, W]` float, normalised.
            indices: which of the network's stages (of a transformer: blocks), counted from 0; -1 is the last. Maps come
                in this order, a stage that is named twice comes twice.

        Raises:
            InputError: the network has no such stage, or timm cannot tap it.
        """
        wanted = absolute(indices, len(self.tap_channels), self.name)
        in_depth = sorted(set(wanted))
        features, taps = self._tap(image, in_depth)
        maps = dict(zip(in_depth, taps, strict=True))
        return [maps[index] for index in wanted], self._embed(features)

    @property
    def tap_channels(self) -> tuple[int, ...]:
        """`[S]`, the channels of the feature map after each stage that can be tapped.

        Raises:
            InputError: timm cannot tap this network.
        """
        if self._tap_channels is None:
            self._tap_channels = self._measure_taps()
        return self._tap_channels

    def was_pruned(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Told by whoever made tensors of the network smaller, to these shapes; the embedding is as long as before."""
        self.shapes = {**(self.shapes or {}), **shapes}
        self._tap_channels = None

    def train(self, mode: bool = True) -> Self:
        """As torch's, but what is frozen as a whole, or kept so, computes as in evaluation: its batch norms' running
        statistics keep still, and nothing in it is dropped."""
        super().train(mode)
        for part in (*frozen_parts(self.net), *self.layers_of(*self._in_evaluation)):
            part.eval()
        return self

    def layers_of(self, *kinds: type[nn.Module]) -> list[nn.Module]:
        """Its layers of some kinds."""
        return [layer for layer in self.modules() if isinstance(layer, kinds)]

    def keep_in_evaluation(self, *kinds: type[nn.Module]) -> None:
        """Has layers of some kinds compute as in evaluation from now on, though they may be trained."""
        self._in_evaluation = kinds
        self.train(self.training)

    def layers_below_head(self) -> dict[str, int]:
        """The names of its parameters, each with its distance in blocks from the classifier: 0 and more.

        Raises:
            InputError: timm does not tell the layers of this network.
        """
        return {f"net.{name}": layers for name, layers in layers_below_head(self.net).items()}

    @property
    def prefers_channels_last(self) -> bool:
        """Whether the channels_last memory format makes it faster: it does for convolutions beyond a patch stem."""
        convolutions = [m for m in self.net.modules() if isinstance(m, nn.Conv2d) and max(m.kernel_size) > 1]
        return len(convolutions) > 1

    @property
    def has_depthwise(self) -> bool:
        """Whether it has convolutions that see one channel at a time."""
        return has_depthwise(self.net)

    def _embed(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Float32 under autocast too: a mean that is rounded to bf16 has lost what tells near pictures apart.

        Args:
            features: what the network makes of pictures before its own head; of some a tensor for each branch.
        """
        whole = full_precision(features) if isinstance(features, Tensor) else [*map(full_precision, features)]
        with exact(next(self.net.parameters()).device):
            return self.net.forward_head(whole, pre_logits=True)

    def _tap(self, image: Tensor, indices: list[int]) -> tuple[Tensor, list[Tensor]]:
        """What the network makes of pictures before its own head, and feature maps in the order of depth."""
        return self.net.forward_intermediates(
            self._padded(image), indices=indices, output_fmt="NCHW", intermediates_only=False
        )

    def _padded(self, image: Tensor) -> Tensor:
        """Adds the mean colour, 0, right and below, so that patches cover the picture to its edges."""
        return nn.functional.pad(image, self.padding) if any(self.padding) else image

    @torch.no_grad()
    def _measure(self) -> int:
        """D, found by embedding an empty picture, which also shows that the network takes this size."""
        self.eval()
        try:
            embedding = self(torch.zeros(1, 3, *self.image_size))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise wrong_size(self.name, self.image_size, error) from error
        self.train()
        return embedding.shape[1]

    def _measure_taps(self) -> tuple[int, ...]:
        """Found by tapping every stage of an empty picture; the modes of the layers stay as they are."""
        device = next(self.parameters()).device
        try:
            stages = len(self.net.feature_info)
            with evaluating(self):
                _, taps = self._tap(torch.zeros(1, 3, *self.image_size, device=device), list(range(stages)))
            channels = tuple(tap.shape[1] for tap in taps if isinstance(tap, Tensor) and tap.ndim == 4)
        except (AttributeError, AssertionError, TypeError, ValueError, RuntimeError) as error:
            raise self._untappable(str(error) or type(error).__name__) from error
        if len(channels) != stages:
            raise self._untappable("its stages give no feature maps")
        return channels

    def _untappable(self, reason: str) -> InputError:
        return InputError(
            f"timm cannot tap {self.name} for feature maps ({reason.splitlines()[0]}): choose another model, "
            "or a head that needs none (head=linear) and deep_supervision=none"
        )
