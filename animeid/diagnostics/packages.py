"""Versions of packages, and whether they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

PAIR = ("torch", "torchvision")
"""torchvision's compiled operators load beside the torch that they were built for only."""

MALICIOUS = {("lightning", "2.6.2"), ("lightning", "2.6.3")}


@dataclass(frozen=True)
class Package:
    """A package that animeid needs: its installed version, None where there is none, and the versions asked for."""

    name: str
    version: str | None
    wanted: str
    problem: str = ""


def look_at_packages(
    requirements: Sequence[str] | None = None, version_of: Callable[[str], str] = metadata.version
) -> tuple[Package, ...]:
    """Every package that animeid itself needs; those of its extras are left out.

    Args:
        requirements: as in a package's metadata; None takes animeid's own.
        version_of: gives a package's installed version, or raises PackageNotFoundError.
    """
    texts = (metadata.requires("animeid") or []) if requirements is None else requirements
    needed = [Requirement(text) for text in texts]
    own = [item for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})]
    return tuple(_look(item, version_of) for item in sorted(own, key=lambda item: item.name))


def _look(item: Requirement, version_of: Callable[[str], str]) -> Package:
    wanted = str(item.specifier)
    try:
        version = version_of(item.name)
    except metadata.PackageNotFoundError:
        return Package(item.name, None, wanted, f"{item.name} is not installed")
    if (item.name, version) in MALICIOUS:
        problem = f"{item.name} {version} is a MALICIOUS release: remove it at once and renew what this machine knows"
    elif item.specifier.contains(version, prereleases=True):
        problem = ""
    elif item.name in PAIR:
        problem = f"{item.name} {version} is not of the pair that animeid is tested with ({item.name}{wanted})"
    else:
        problem = f"{item.name} {version} is not {wanted}, which animeid is tested with"
    return Package(item.name, version, wanted, problem)


def why_torchvision_fails() -> str | None:
    """Why torchvision's operators do not load beside this torch; None where they do."""
    try:
        import torch
        import torchvision

        boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
        torchvision.ops.nms(boxes, torch.ones(1), 0.5)
    except (ImportError, RuntimeError, AttributeError) as error:
        return (str(error) or type(error).__name__).splitlines()[0]
    return None
