"""Reading a weights file without trusting it."""

from __future__ import annotations

import argparse
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from animeid.errors import InputError
from animeid.system.checksum import is_whole
from animeid.system.files import read_json

SUFFIXES = (".pth", ".pt", ".bin", ".tar", ".ckpt", ".safetensors")

OWN_SUFFIX = ".ckpt"
"""Of files that carry a checksum; others' files may have been written with none that zip could compare."""

NESTED_UNDER = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where timm, torchvision and Lightning keep the tensors in a file that holds more; averaged weights first, as timm."""


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a weights file, by name.

    labels: the class names in target order, if the file tells them. network: what timm calls the network that they were
    saved from, if the file or `config.json` beside it tells it. is_pruned: whether that was pruned.
    """

    path: Path
    tensors: dict[str, Tensor]
    labels: tuple[str, ...] | None
    network: str | None = None
    is_pruned: bool = False


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads safetensors and torch's formats; of the latter only tensors and plain values, so that no code is run.

    Raises:
        InputError: the file is missing, broken, holds code, or holds no weights.
    """
    if not path.is_file():
        raise InputError(f"there is no weights file {path}: check model.weights")
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is not known to be a weights file: its name must end in {', '.join(SUFFIXES)}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else read_torch(path)
    tensors = _tensors(content)
    if not tensors:
        raise InputError(f"{path} holds no weights: give a file that holds a model's state_dict")
    network, is_pruned = _network(content, path)
    return Checkpoint(path, tensors, _labels(content, path), network, is_pruned)


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _broken(path) from error


def read_torch(path: Path, *, mmap: bool = False) -> Any:
    """The content of a file in one of torch's formats: tensors and plain values, so that no code is run.

    Args:
        mmap: leave the tensors in the file until they are used, and its checksum too, which needs all of the file.

    Raises:
        InputError: the file is broken, or holds code.
    """
    if not mmap and path.suffix == OWN_SUFFIX and zipfile.is_zipfile(path) and not is_whole(path):
        raise _broken(path)
    try:
        # timm's training script saves its arguments beside the weights; a Namespace only holds values
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):  # pickle's word for a function or class to call
            raise _broken(path) from error
        raise InputError(
            f"{path} holds Python objects beside its weights, which could run any code when they are read, so it was "
            "not read: save the model's state_dict() alone, or as safetensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        raise _broken(path) from error


def _broken(path: Path) -> InputError:
    return InputError(
        f"{path} cannot be read as weights, for it is cut off or damaged, or of another format: get it again"
    )


def _tensors(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    nested = next((content[key] for key in NESTED_UNDER if isinstance(content.get(key), Mapping)), content)
    return {_unwrapped(str(name)): value for name, value in nested.items() if isinstance(value, Tensor)}


def _unwrapped(name: str) -> str:
    """Without what torch adds to names when a model is compiled or distributed."""
    return name.replace("_orig_mod.", "").removeprefix("module.")


def _told(content: Any) -> Mapping[str, Any]:
    """What a run of ours says of itself in its checkpoint; nothing in other files."""
    told = content.get("hyper_parameters") if isinstance(content, Mapping) else None
    return told if isinstance(told, Mapping) and "labels" in told else {}


def _network(content: Any, path: Path) -> tuple[str | None, bool]:
    """By a run of ours, by timm's training script, or by the `config.json` of a folder in timm's layout."""
    plan = _told(content).get("plan")
    if isinstance(plan, Mapping) and "model" in plan:
        return str(plan["model"]["name"]), bool(plan["model"].get("shapes"))
    beside = path.with_name("config.json")
    told = read_json(beside) if path.suffix == ".safetensors" and beside.is_file() else content
    name = told.get("architecture", told.get("arch")) if isinstance(told, Mapping) else None
    return (name if isinstance(name, str) else None), False


def _labels(content: Any, path: Path) -> tuple[str, ...] | None:
    """From the run's hyper-parameters in the file, or from the run folder that the file lies in."""
    if told := _told(content):
        return tuple(told["labels"])
    beside = path.parent.parent / "labels.json"
    if path.parent.name == "checkpoints" and beside.is_file():
        return tuple(read_json(beside))
    return None
