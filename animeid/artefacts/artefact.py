"""The reader of artefacts: what stands in one, and whether it is what was exported. It knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from animeid.artefacts.checksums import AGAIN, CHECKSUMS, checked
from animeid.artefacts.config_file import read_config, read_json, read_json_if_there
from animeid.artefacts.layout import (
    CONFIG,
    LABELS,
    LAYOUTS,
    MEANS,
    METRICS,
    ONNX,
    OURS,
    PARITY,
    REFERENCES,
    WEIGHTS,
    Engine,
    Input,
)
from animeid.artefacts.tensors import network_digest
from animeid.errors import InputError
from animeid.retrieval.neighbours import normalised
from animeid.system.names import expanded

NEEDED = (CONFIG, ONNX, LABELS, CHECKSUMS)
NAMED = 3
"""How many classes an explanation names."""


@dataclass(frozen=True)
class TrainedOn:
    """digests: `[N]` uint64, of its files (see `animeid.data.duplicates.digests`).

    complete: whether they are of all of its pictures, and not only of those that could still be told.
    """

    digests: np.ndarray
    complete: bool


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
        path = Path(expanded("artefact", str(folder)))
        config = read_config(path)
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
        return read_json(self.folder / LABELS)

    @cached_property
    def metrics(self) -> dict[str, Any] | None:
        return read_json_if_there(self.folder / METRICS)

    @cached_property
    def parity(self) -> dict[str, Any] | None:
        return read_json_if_there(self.folder / PARITY)

    @cached_property
    def references(self) -> dict[str, np.ndarray] | None:
        """`embeddings` `[K, D]` float32, `targets` `[K]` int64, `files` `[K]` text; None where none travelled."""
        path = self.folder / REFERENCES
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)

    @cached_property
    def reference_directions(self) -> np.ndarray | None:
        """`[K, D]` float32: the embeddings of `references`, of length 1."""
        return None if self.references is None else normalised(self.references["embeddings"])

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """The pictures that its weights have learnt; None where it does not tell: made so, or by a version before."""
        told = self.own.get("trained_on")
        if told is None:
            return None
        with np.load(self.folder / told["file"], allow_pickle=False) as stored:
            return TrainedOn(stored["digests"], told["complete"])

    @property
    def prior_in_logits(self) -> tuple[float, ...] | None:
        """`[C]`, the part of the log-prior that stands in its logits; None where that cannot be told."""
        return self.own.get("prior_in_logits")

    @cached_property
    def means(self) -> np.ndarray | None:
        """`[M, D]` float32, of length 1: class means of the judged pictures; None where none travelled."""
        path = self.folder / MEANS
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return normalised(stored["means"])

    def _check(self, sums: Mapping[str, str]) -> None:
        """Raises:
        InputError: a file that answers is not listed, or files contradict one another.
        """
        trained_on = [self.own["trained_on"]["file"]] if self.own.get("trained_on") else []
        files = [*(engine.file for engine in self.engines), *trained_on]
        if self.input.layout not in LAYOUTS:
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
        says = read_json(folder / CONFIG)["architecture"]
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
