"""Advice before training, most urgent first."""

from __future__ import annotations

from animeid.diagnostics.hardware import Hardware
from animeid.diagnostics.pictures import FEW_GROUPS, Pictures
from animeid.recipe.weights import Weights
from animeid.system.console import counted, some_of

NAMED = 5
STEEP = 20.0
"""An imbalance above which ways to correct it are worth a comparison."""

LITTLE_DISK = 2 * 2**30
LITTLE_MEMORY = 3 * 2**30


def about_machine(hardware: Hardware, accelerator: str) -> list[str]:
    advice = []
    if hardware.has_driver and accelerator == "cpu":
        advice.append(
            "an NVIDIA driver is here, but this torch finds no CUDA device: install a torch that is built for it"
        )
    if hardware.threads > hardware.usable:
        advice.append(
            f"torch starts {hardware.threads} threads and has the time of {hardware.usable} cores, which is slower: "
            f"set OMP_NUM_THREADS={hardware.usable}"
        )
    if hardware.memory_free < LITTLE_MEMORY:
        advice.append("little memory is free: close other programs, or take data.num_workers=0")
    for disk in hardware.disks:
        if not disk.is_writable:
            advice.append(f"{disk.path} ({disk.what}) cannot be written to: allow it, or work in another folder")
        elif disk.free < LITTLE_DISK:
            advice.append(f"little disk is free for {disk.what} ({disk.path}): make room")
    return advice


def about_weights(weights: Weights) -> list[str]:
    if not weights.is_random:
        return []
    ways = "a file with model.weights=FILE, an earlier run with from_run=outputs/RUN, or a connection to the hub"
    return [f"the weights will be random, which costs accuracy with few pictures: better are {ways}"]


def about_pictures(pictures: Pictures, image_size: tuple[int, int]) -> list[str]:
    advice = []
    if len(pictures.skipped):
        named = some_of(pictures.skipped["path"].tolist(), NAMED)
        advice.append(f"repair, replace or remove the files that are left out: {named}")
    exact, near = pictures.conflicts_of("exact"), pictures.conflicts_of("near")
    if exact:
        advice.append(
            f"{counted(exact, 'pair')} of equal files in two classes, which no part has: keep each in its right one"
        )
    if near:
        advice.append(f"look whether a label is wrong: pairs of nearly equal pictures with different labels: {near}")
    if scarce := pictures.scarce:
        advice.append(
            f"add pictures of classes with fewer than {FEW_GROUPS} (what belongs together counts once), of which no "
            f"honest figure can be had alone: {some_of(scarce, NAMED)}"
        )
    if pictures.imbalance >= STEEP:
        advice.append(
            f"the largest class has {pictures.imbalance:.0f} times the pictures of the smallest: "
            "compare sampler=square_root and loss=class_balanced with the defaults, on validation"
        )
    small = int((pictures.short_sides < max(image_size)).sum())
    if small:
        advice.append(f"pictures smaller than the {max(image_size)} px of training, which will be enlarged: {small}")
    if pictures.misnamed:
        advice.append(
            f"pictures of another format than their names say, which are read all the same: {len(pictures.misnamed)}"
        )
    return advice
