"""Any timm network as a backbone: pictures in, embeddings out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from annotated_types import Interval
from torch import Tensor, nn

from animeid.errors import InputError
from animeid.models.catalogue import check_name
from animeid.models.network import covering_size, create_network, wrong_size
from animeid.models.start import Pretrained, Start, start_network

class TimmBackbone(nn.Module):
    """A timm network without its classifier.

    Args:
        name: timm's name, with or without the tag of its published weights (`resnet18`, `resnet18.a1_in1k`).
        image_size: height and width in pixels of the pictures that it will get.
        pretrained: `auto` takes published weights where they can be had, `True` insists on them, `False` starts from
            random ones.
        weights: a local file that is loaded instead (see `animeid.models.weights`).
        drop_path_rate: share of residual branches dropped in training (stochastic depth, Huang 2016, 1603.09382).

    Attributes:
        num_features: D, the length of an embedding.
        mean, std: what its published weights expect pictures to be normalised with, on a scale of 0 to 1.
        weights_source: where its weights came from.
        weights_note: the same in one sentence, for people.

    Raises:
        InputError: timm does not know the name, the weights cannot be had or do not fit, or the network cannot take
            pictures of this size.
    """
