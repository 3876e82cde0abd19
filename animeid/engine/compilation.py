"""Translating a network for the device before it is trained."""

from __future__ import annotations

import shutil

import torch
from torch import nn

from animeid.errors import InputError


def compile_network(network: nn.Module) -> None:
    """Has `torch.compile` translate the network when it is first called; names and state stay as they are.

    Raises:
        InputError: it would compute on the CPU, and there is no C++ compiler.
    """
    if not torch.cuda.is_available() and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise InputError(
            "trainer.compile=true needs a C++ compiler on the CPU, and none is found (c++, g++ or clang++): "
            "install one, or leave it out"
        )
    network.compile()
