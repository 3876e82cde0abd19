from __future__ import annotations

import torch
from torchvision.transforms import v2

from animeid.engine.normalise import Normalise

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_equals_torchvision() -> None:
    image = torch.randint(0, 256, (4, 3, 8, 9), dtype=torch.uint8)
    reference = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])(image)
    torch.testing.assert_close(Normalise(MEAN, STD, channels_last=False)(image), reference)


def test_memory_format_and_input_are_kept() -> None:
    image = torch.randint(0, 256, (4, 3, 8, 9), dtype=torch.uint8)
    before = image.clone()
    result = Normalise(MEAN, STD, channels_last=True)(image)
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(image, before)
