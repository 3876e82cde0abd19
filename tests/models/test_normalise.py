"""Normalisation against torchvision's."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2

from animeid.models.normalise import Normalise

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("shape", [(4, 3, 8, 9), (1, 3, 5, 1), (2, 3, 1, 7)])
@pytest.mark.parametrize("loaded", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("channels_last", [True, False])
def test_equals_torchvision(shape: tuple[int, ...], loaded: torch.memory_format, channels_last: bool) -> None:
    image = torch.randint(0, 256, shape, dtype=torch.uint8).to(memory_format=loaded)
    reference = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])(image)
    torch.testing.assert_close(Normalise(MEAN, STD, channels_last)(image), reference)


def test_memory_format_and_input_are_kept() -> None:
    image = torch.randint(0, 256, (4, 3, 8, 9), dtype=torch.uint8)
    before = image.clone()
    result = Normalise(MEAN, STD, channels_last=True)(image)
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(image, before)
