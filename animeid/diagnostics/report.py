"""Facts as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from animeid.diagnostics.hardware import Disk, Hardware
from animeid.diagnostics.long_tail import long_tail_chart
from animeid.diagnostics.network import Network
from animeid.diagnostics.pictures import Pictures
from animeid.diagnostics.text import section
from animeid.engine.precision import FULL, NETWORK, PICTURES, SIDE, Trials
from animeid.engine.threads import Threads
from animeid.recipe.timing import Estimate
from animeid.recipe.weights import Weights
from animeid.system.console import counted
from animeid.system.progress import clock
from animeid.terms import SHOT_GROUPS

GIB = 2**30
BROKEN_SHOWN = 10


def hardware_lines(hardware: Hardware, threads: Threads) -> list[str]:
    cores = f"{hardware.usable} of {hardware.cores}"
    if hardware.allowed < hardware.cores:
        cores += f"; the process may run on {hardware.allowed}"
    if hardware.quota is not None:
        cores += f"; the container allows the time of {hardware.quota:g}"
    memory = f"{hardware.memory / GIB:.1f} GiB, {hardware.memory_free / GIB:.1f} GiB free"
    if hardware.memory_limit is not None:
        memory += f"; the container allows {hardware.memory_limit / GIB:.1f} GiB"
    return section(
        "machine",
        [
            ("system", hardware.system),
            ("processor", hardware.processor),
            ("cores", cores),
            ("threads of torch", threads.told),
            ("memory", memory),
            ("GPUs", ", ".join(hardware.gpus) or "none that torch finds"),
            *((f"disk for {disk.what}", _disk(disk)) for disk in hardware.disks),
        ],
    )


def _disk(disk: Disk) -> str:
    return f"{disk.free / GIB:.1f} GiB free in {disk.path}" + ("" if disk.is_writable else ", which is NOT writable")


def precision_lines(trials: Trials) -> list[str]:
    """What works, and how fast against full precision, where that can be told."""
    rows = []
    for trial in trials.trials:
        fact = "works" if trial.works else f"does not work: {trial.reason}"
        if trials.doubt and trial.works and trial.precision != FULL:
            fact += f"; how fast {trials.doubt}"
        elif trial.gain is not None and trial.precision != FULL:
            fact += f", {trial.gain:.2f} times the speed of {FULL}"
        rows.append((trial.precision, fact))
    return section(f"precision on {trials.accelerator} (tried on {NETWORK}, {PICTURES} pictures of {SIDE} px)", rows)


def server_lines(network: Network, missing: str) -> list[str]:
    hub = network.hub or "answers"
    wandb = f"{network.wandb}; logger=wandb will log offline" if network.wandb else "answers, and takes the key"
    fonts = f"no glyph for {missing}" if missing else "draw Chinese, Japanese and Korean names"
    return section("servers and fonts", [("hub of weights", hub), ("W&B", wandb), ("fonts", fonts)])


def choice_lines(
    request: Mapping[str, Any], plan: Mapping[str, Any], weights: Weights, why_precision: str, *, has_data: bool
) -> list[str]:
    """What training will choose; what was asked for is marked."""
    keys = {
        "accelerator": "trainer.accelerator",
        "precision": "trainer.precision",
        "devices": "trainer.devices",
        "epochs": "trainer.max_epochs",
        "image size": "data.image_size",
        "batch size": "data.batch_size",
        "loader workers": "data.num_workers",
    }
    rows = [("model", plan["model"]["name"]), ("weights", weights.note)]
    for name, key in keys.items():
        group, _, inner = key.partition(".")
        fact, asked = str(plan[group][inner]), request[group][inner]
        if asked != "auto":
            fact += " (asked for)"
        elif name == "batch size" and not has_data:
            fact += " (less for small folders)"
        rows.append((name, fact))
        if name == "precision" and asked == "auto":
            rows.append(("  because", why_precision))
    return section("training will take", rows)


def picture_lines(pictures: Pictures) -> list[str]:
    sides = np.quantile(pictures.short_sides, (0, 0.5, 1)).astype(int)
    shots = dict(zip(pictures.stats.names, pictures.stats.shot_groups, strict=True))
    groups = [f"{sum(shot == group for shot in shots.values())} {group}" for group in SHOT_GROUPS]
    stats = pictures.stats
    duplicates = (
        f"{pictures.duplicates_of('exact')} exact, {pictures.duplicates_of('near')} near; each stays with its original"
    )
    rows = [
        ("pictures", f"{sum(pictures.counts.values()):,} of {counted(len(pictures.counts), 'class')}"),
        ("formats", ", ".join(f"{count:,} {name}" for name, count in pictures.formats.items())),
        ("short side", f"{sides[0]} to {sides[2]} px, median {sides[1]} px"),
        ("left out", counted(len(pictures.skipped), "file")),
        ("copies in a class", duplicates),
        (
            "copies across classes",
            f"{pictures.conflicts_of('exact')} exact, {pictures.conflicts_of('near')} near pairs",
        ),
        ("imbalance", f"{pictures.imbalance:.1f} (largest class over smallest)"),
        ("classes", f"{', '.join(groups)}: more than {stats.many_above}, and fewer than {stats.few_below} in training"),
    ]
    for name, part in pictures.parts.items():
        there = counted(part.pictures, "picture"), counted(part.groups, "group"), counted(part.classes, "class")
        rows.append((name, "{} in {}, {}".format(*there)))
    return [*section("pictures", rows), "", *long_tail_chart(pictures.counts, shots), *_broken_lines(pictures)]


def _broken_lines(pictures: Pictures) -> list[str]:
    if pictures.skipped.empty:
        return []
    shown = pictures.skipped.head(BROKEN_SHOWN)
    more = len(pictures.skipped) - len(shown)
    rows = list(zip(shown["path"], shown["reason"], strict=True))
    return [*section("left out", rows), *([f"and {more:,} more, which a run lists in skipped.csv"] if more else [])]


def time_lines(found: Estimate, reading_s: float) -> list[str]:
    return section(
        "expected time",
        [
            *_training_time(found),
            (
                "besides",
                f"about {clock(reading_s)} for reading the pictures (measured), {clock(found.answering)} for answers",
            ),
            ("beware", "other work on the machine, its temperature and its disk can move it by more than that"),
        ],
    )


def _training_time(found: Estimate) -> list[tuple[str, str]]:
    if not found.epochs:
        return [("training", "no epoch: what is done to a head takes little beside the answers")]
    steps = found.measured.steps
    low, middle, high = np.quantile(steps, (0.25, 0.5, 0.75))
    how = (
        f"{counted(found.epochs, 'epoch')} of {counted(found.batches, 'step')}; "
        f"{counted(len(steps), 'step', 'were')} measured, {middle:.3g} s each "
        f"(median; middle half {low:.3g} to {high:.3g} s)"
    )
    twice = "; for a twin without val and then for the model with it" if found.trainings == 2 else ""
    span = f"{clock(found.low)} to {clock(found.high)}"
    return [
        ("training", f"about {clock(found.seconds)}, {span} by the middle half of the measured steps"),
        ("how", how + twice),
        ("validation", f"{counted(found.judged, 'picture')} after each epoch, included above"),
    ]


def advice_lines(advice: Sequence[str]) -> list[str]:
    return ["", "what to do:", *(f"- {sentence}" for sentence in advice or ["nothing: all is well"])]
