"""How much faster pruned networks answer: `python -m experiments.prune.study`."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from animeid.models.backbone import TimmBackbone
from animeid.models.pruning import ChannelPruning
from animeid.system.console import counted
from animeid.system.turns import in_turn
from experiments.runs import table

HERE = Path(__file__).parent
NETWORKS = ("mobilenetv2_100", "tf_efficientnet_lite0", "efficientnet_b0", "resnet18", "resnet50")
SIDES = (64, 224)
RATIOS = (0.3, 0.5)
ROUNDS, SECONDS = 5, 0.4


def with_pruned(name: str, side: int) -> list[TimmBackbone]:
    """A network of random weights, and copies of it that were pruned by each of the ratios."""
    whole = TimmBackbone(name, (side, side), pretrained=False).eval()
    cut = [deepcopy(whole) for _ in RATIOS]
    for ratio, one in zip(RATIOS, cut, strict=True):
        ChannelPruning(ratio=ratio).apply(one)
    return [whole, *cut]


def milliseconds(networks: list[TimmBackbone], side: int) -> list[str]:
    """Medians of all answers to one picture, and the ends of those of the rounds."""
    picture = torch.zeros(1, 3, side, side).to(memory_format=torch.channels_last)
    ready = [one.to(memory_format=torch.channels_last) for one in networks]
    with torch.inference_mode():
        found = in_turn([{"picture": lambda one=one: one(picture)} for one in ready], ROUNDS, SECONDS)
    told = []
    for one in found:
        medians = [1000 * float(np.median(times)) for times in one["picture"]]
        middle = 1000 * float(np.median(np.concatenate(one["picture"])))
        told.append(f"{middle:.1f} ({min(medians):.1f} to {max(medians):.1f})")
    return told


def counts(networks: list[TimmBackbone], side: int) -> list[list[str]]:
    """Million parameters and million multiply-adds of each."""
    found = []
    for one in networks:
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            one(torch.zeros(1, 3, side, side))
        parameters = sum(parameter.numel() for parameter in one.parameters())
        found.append([f"{parameters / 1e6:.2f}", f"{counter.get_total_flops() / 2e6:,.0f}"])
    return found


def rows() -> list[list[str]]:
    found = []
    for side in SIDES:
        for name in NETWORKS:
            torch.manual_seed(0)
            networks = with_pruned(name, side)
            sizes, times = counts(networks, side), milliseconds(networks, side)
            titles = ("whole", *(f"{ratio:g}" for ratio in RATIOS))
            found += [[name, str(side), *cells] for cells in zip(titles, *zip(*sizes, strict=True), times, strict=True)]
    return found


def main() -> None:
    header = ["network", "px", "prune.ratio", "million parameters", "million multiply-adds", "one picture, ms"]
    text = f"""# What pruning saves

`python -m experiments.prune.study` writes this page: networks without their head, of random weights, whole and
pruned (`docs/prune.md`), which answer one picture of {" and ".join(map(str, SIDES))} px in turn, with eager torch
{torch.__version__} on {counted(torch.get_num_threads(), "thread")}, in {ROUNDS} rounds of {SECONDS:g} s; the median,
and from which to which round it ranges. What is lost depends on the run, and each is judged for it.

{table(header, rows())}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
