"""The reader of artefacts: what stands in one, and whether it is what was exported. It knows no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from animeid.deploy.checksums import AGAIN, CHECKSUMS, checked
from animeid.deploy.tensors import network_digest
from animeid.errors import InputError

FORMAT = 1
"""The format that this version writes, and the newest that it reads."""
OURS = "animeid"
"""The key of `config.json` with what is ours; timm ignores it."""
CONFIG, LABELS, METRICS, CARD, PARITY = "config.json", "labels.json", "metrics.json", "README.md", "parity.json"
WEIGHTS, ONNX = "model.safetensors", "model.onnx"
REFERENCES = "references.npz"
NEEDED = (CONFIG, ONNX, LABELS, CHECKSUMS)
MEMBERS = "members"
"""The folder of the networks of several runs that answer together."""
NAMED = 3
"""How many classes an explanation names."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """What a network is given.

    size: (H, W) in pixels.
    crop: the share of the resized side that the centre crop keeps.
    resize: how pictures are resized, `pillow-bilinear`.
    mean, std: a channel each, on a scale of 0 to 1.
    layout: `NHWC uint8`, normalised in the network, or `NCHW float32`, normalised by the reader.
    max_pixels: pictures with more are refused before they are decoded.
    incomplete: whether pictures that lack pixels are read as far as they go.
    """

    size: tuple[int, int]
    crop: float
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: str
    max_pixels: int
    incomplete: bool


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A way of answering that the artefact holds.

    name: the library, `onnxruntime` or `openvino`.
    file: in the folder.
    input: `uint8` or `float32`.
    precision: `float32`, `bfloat16` or `int8`.
    reason: why it stands where it stands in the order of preference.
    """

    name: str
    file: str
    input: str
    precision: str
    reason: str = ""


@dataclass(frozen=True)
class Artefact:
    """An artefact whose files are what was exported.

    folder: where it lies.
    config: `config.json`.
    version: a digest of its content.
    """

    folder: Path
    config: Mapping[str, Any]
    version: str

    @classmethod
    def load(cls, folder: str | Path, *, classes: Sequence[str] | None = None, architecture: str | None = None) -> Self:
        """Reads an artefact and checks all of it.

        Args:
            folder: where it lies.
            classes: the names that it must have, in their order; None takes any.
            architecture: timm's name of the network that it must hold; None takes any.

        Raises:
            InputError: it is none, is of a newer format, lacks a file, was altered, or is of other classes or of
                another architecture.
        """
        path = Path(folder).expanduser()
        config = _read_config(path)
        missing = [name for name in NEEDED if not (path / name).is_file()]
        if missing:
            raise InputError(f"the artefact {path} lacks {', '.join(missing)}: {AGAIN}")
        sums, version = checked(path)
        found = cls(path, config, version)
        try:
            found._check(sums)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path / CONFIG} does not say what an artefact must say ({error!r}): {AGAIN}") from error
        found._check_wanted(classes, architecture)
        return found

    @property
    def own(self) -> Mapping[str, Any]:
        """What is ours in `config.json`."""
        return self.config[OURS]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names, in the order of the logits."""
        return tuple(self.own["classes"])

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Training pictures of each class."""
        return tuple(self.own["class_counts"])

    @property
    def architectures(self) -> tuple[str, ...]:
        """timm's names of the networks; more than one where several runs answer together."""
        return tuple(network["architecture"] for network in self.own["networks"])

    @property
    def run_id(self) -> str:
        return self.own["run_id"]

    @property
    def temperature(self) -> float:
        """What logits are divided by before they become probabilities; those of the network have been."""
        return self.own["temperature"] or 1.0

    @property
    def class_prior_offset(self) -> tuple[float, ...] | None:
        """`[C]`, what was taken off the logits, which the network has done; None takes nothing off."""
        return self.own["class_prior_offset"]

    @cached_property
    def input(self) -> Input:
        given = {"incomplete": False, **self.own["input"]}
        pairs = {name: tuple(given[name]) for name in ("size", "mean", "std")}
        return Input(**{**{name: given[name] for name in Input.__annotations__}, **pairs})

    @cached_property
    def engines(self) -> tuple[Engine, ...]:
        """In the order of preference: the first that is installed answers."""
        known = Engine.__annotations__
        return tuple(
            Engine(**{name: value for name, value in one.items() if name in known}) for one in self.own["engines"]
        )

    @cached_property
    def labels(self) -> list[dict[str, Any]]:
        """`labels.json`: `name`, `pictures` and, where known, `series` and `names` of each class."""
        return _read(self.folder / LABELS)

    @property
    def metrics(self) -> dict[str, Any] | None:
        return _read_if_there(self.folder / METRICS)

    @property
    def parity(self) -> dict[str, Any] | None:
        return _read_if_there(self.folder / PARITY)

    @cached_property
    def references(self) -> dict[str, np.ndarray] | None:
        """`embeddings` `[K, D]` float32, `targets` `[K]` int64, `files` `[K]` text; None where none travelled."""
        path = self.folder / REFERENCES
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)

    def _check(self, sums: Mapping[str, str]) -> None:
        """Raises:
        InputError: a file that answers is not listed, or files contradict one another.
        """
        files = [engine.file for engine in self.engines]
        if self.input.layout not in ("NHWC uint8", "NCHW float32"):
            raise ValueError(f"input.layout={self.input.layout}")
        unlisted = [name for name in (CONFIG, LABELS, *files) if not _is_listed(name, sums)]
        if unlisted:
            raise InputError(f"{self.folder / CHECKSUMS} does not list {', '.join(unlisted)}: {AGAIN}")
        listed = tuple(label["name"] for label in self.labels)
        for where, names in ((LABELS, listed), (f"label_names of {CONFIG}", tuple(self.config["label_names"]))):
            if names != self.classes:
                raise InputError(f"the artefact {self.folder} has other classes in {where} than in {CONFIG}: {AGAIN}")
        if len(self.class_counts) != len(self.classes):
            raise ValueError("class_counts")
        for network in self.own["networks"]:
            self._check_network(network, sums)

    def _check_network(self, network: Mapping[str, Any], sums: Mapping[str, str]) -> None:
        folder = self.folder / network["folder"]
        name = (Path(network["folder"]) / WEIGHTS).as_posix()
        if name not in sums:
            raise InputError(f"{self.folder / CHECKSUMS} does not list {name}: {AGAIN}")
        says = _read(folder / CONFIG)["architecture"]
        if says != network["architecture"] or network_digest(folder / WEIGHTS) != network["tensors"]:
            raise InputError(
                f"{folder / WEIGHTS} does not hold the weights of {network['architecture']} that were exported, and "
                f"{folder / CONFIG} names {says}: {AGAIN}"
            )

    def _check_wanted(self, classes: Sequence[str] | None, architecture: str | None) -> None:
        if architecture is not None and self.architectures != (architecture,):
            raise InputError(
                f"the artefact {self.folder} holds {' and '.join(self.architectures)}, not {architecture}: "
                "give an artefact of that network"
            )
        if classes is not None and tuple(classes) != self.classes:
            raise InputError(f"the artefact {self.folder} is of other classes: {_difference(self.classes, classes)}")


def _is_listed(name: str, sums: Mapping[str, str]) -> bool:
    """Whether a file, or all of a folder, has a checksum."""
    return name in sums or any(other.startswith(f"{name}/") for other in sums)


def _difference(has: Sequence[str], wanted: Sequence[str]) -> str:
    absent = [name for name in wanted if name not in set(has)]
    new = [name for name in has if name not in set(wanted)]
    told = [
        f"{what} {', '.join(names[:NAMED])}{' and more' if len(names) > NAMED else ''}"
        for what, names in (("it lacks", absent), ("it adds", new))
        if names
    ]
    return f"{' and '.join(told) or 'it has them in another order'}; give one that was exported from those classes"


def _read_config(folder: Path) -> dict[str, Any]:
    """Raises:
    InputError: there is no artefact, or it is of a newer format.
    """
    if not folder.is_dir():
        raise InputError(f"there is no artefact {folder}: give the folder that animeid.export wrote")
    if not (folder / CONFIG).is_file():
        raise InputError(f"{folder} is no artefact, for it has no {CONFIG}: give the folder that animeid.export wrote")
    config = _read(folder / CONFIG)
    own = config.get(OURS) if isinstance(config, dict) else None
    if not isinstance(own, dict) or not isinstance(own.get("format"), int):
        raise InputError(
            f"{folder} is no artefact of animeid, for {CONFIG} has no key '{OURS}' with a format: give the folder that "
            "animeid.export wrote"
        )
    if own["format"] > FORMAT:
        raise InputError(
            f"the artefact {folder} is of format {own['format']}, and this version of animeid reads up to {FORMAT}: "
            "install a newer animeid"
        )
    return config


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read, for it is damaged: {AGAIN}") from error


def _read_if_there(path: Path) -> Any:
    return _read(path) if path.is_file() else None
