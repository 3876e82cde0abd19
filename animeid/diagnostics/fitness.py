"""The packages, before anything that needs them is imported."""

from __future__ import annotations

from collections.abc import Sequence

from animeid.diagnostics.packages import Package, look_at_packages, why_torchvision_fails
from animeid.diagnostics.text import section, tell
from animeid.errors import InputError


def package_lines(packages: Sequence[Package]) -> list[str]:
    rows = [(item.name, f"{item.version or 'none'}   {item.problem}".rstrip()) for item in packages]
    return section("packages", rows)


def check_packages() -> list[str]:
    """Tells which versions are installed, and returns what to do about them.

    Raises:
        InputError: torchvision cannot be used, and without it nothing else can.
    """
    packages = look_at_packages()
    tell(package_lines(packages))
    if reason := why_torchvision_fails():
        versions = {package.name: package for package in packages}
        torch, vision = versions["torch"], versions["torchvision"]
        raise InputError(
            f"torchvision {vision.version} does not work beside torch {torch.version} ({reason}): "
            f"install the pair torch{torch.wanted} and torchvision{vision.wanted}"
        )
    return [f"{package.problem}: install animeid again" for package in packages if package.problem]
