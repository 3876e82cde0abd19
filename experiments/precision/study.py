"""Study of precisions on this machine's processor: `python -m experiments.precision.study`.

2 cores, about 4 minutes. Expect bf16 to pay for networks without depthwise convolutions, on a processor that has bf16
instructions.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import timm
import torch
from torch.nn.functional import cross_entropy

from animeid.engine.devices import choose_precision, cpu_has_bf16
from animeid.models.network import has_depthwise
from experiments.runs import table

HERE = Path(__file__).parent
NETWORKS = ("resnet10t", "resnet50", "vit_tiny_patch16_224", "mobilenetv2_100", "efficientnet_b0", "convnext_atto")
SIZES = (64, 128, 224)
STEPS, ROUNDS = 3, 3


def images_per_s(network: torch.nn.Module, size: int, batch_size: int, bf16: bool) -> float:
    """Forward, backward and AdamW on random pictures."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    image = torch.randn(batch_size, 3, size, size).contiguous(memory_format=torch.channels_last)
    target = torch.randint(10, (batch_size,))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(image)
        cross_entropy(logits.float(), target).backward()
        optimizer.step()

    step()
    start = time.perf_counter()
    for _ in range(STEPS):
        step()
    return STEPS * batch_size / (time.perf_counter() - start)


def measure(name: str, size: int) -> tuple[float, float, str]:
    """Images/s in fp32 and in bf16, in turns, and what `auto` takes."""
    vision = {"img_size": size} if name.startswith("vit") else {}
    network = timm.create_model(name, num_classes=10, **vision).to(memory_format=torch.channels_last).train()
    batch_size = 32 if size < 224 else 16
    rounds = [[images_per_s(network, size, batch_size, bf16) for bf16 in (False, True)] for _ in range(ROUNDS)]
    fp32, bf16 = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    return fp32, bf16, choose_precision("cpu", has_depthwise(network))


def main() -> None:
    rows = []
    for name in NETWORKS:
        for size in SIZES:
            fp32, bf16, chosen = measure(name, size)
            rows.append([name, str(size), f"{fp32:.0f}", f"{bf16:.0f}", f"{bf16 / fp32:.2f}", chosen])
            print(*rows[-1], flush=True)
    header = ["network", "px", "fp32 images/s", "bf16 images/s", "ratio", "`auto` takes"]
    instructions = "has" if cpu_has_bf16() else "does not have"
    text = f"""# Precision on the processor

`python -m experiments.precision.study` writes this page: forward, backward and AdamW on random pictures, channels_last,
{torch.get_num_threads()} threads, the median of {ROUNDS} rounds in turns. This processor {instructions} bf16
instructions; without them `trainer.precision=auto` takes fp32 for everything.

{table(header, rows)}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
