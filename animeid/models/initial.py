"""The weights that a network starts from: a local file's, published ones, or random ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError

from animeid.errors import InputError
from animeid.models.catalogue import hub_repository, licence_of
from animeid.models.network import create_network
from animeid.models.packages import WeightsPackage, check_digest, installed_file, package_of
from animeid.models.published import UnavailableError, cached_file, published_file
from animeid.models.shapes import Shapes, narrow
from animeid.models.weights import load_backbone

WeightsSource = Literal["random", "hub", "package", "file", "run"]


@dataclass(frozen=True)
class InitialNetwork:
    """A network, where its weights came from, and the same in a sentence for people.

    origin: what is known of published weights: repository or package, who made them, licence.
    """

    net: Any  # a timm network; timm is not typed
    source: WeightsSource
    note: str
    origin: Mapping[str, str] = field(default_factory=dict)


def initial_network(
    name: str,
    image_size: tuple[int, int],
    drop_path_rate: float,
    pretrained: bool | Literal["auto"],
    weights: str | None,
    shapes: Shapes | None = None,
) -> InitialNetwork:
    """Builds a network and gives it the weights that were asked for; the arguments are those of `TimmBackbone`.

    A pruned one, which nobody has published, gets those of a file, or random ones.

    Raises:
        InputError: the file does not fit, or published weights were insisted on and cannot be had.
    """
    if weights is not None:
        net = create_network(name, image_size, drop_path_rate)
        narrow(net, shapes or {})
        return InitialNetwork(net, "file", load_backbone(net, name, Path(weights)))
    if shapes:
        net = create_network(name, image_size, drop_path_rate)
        narrow(net, shapes)
        return InitialNetwork(net, "random", f"{name}, pruned, starts from random weights.")
    if pretrained is False:
        net = create_network(name, image_size, drop_path_rate)
        return InitialNetwork(net, "random", f"{name} starts from random weights, as model.pretrained=false asks.")
    try:
        return published_network(name, image_size, drop_path_rate)
    except UnavailableError as reason:
        if pretrained is True:
            raise unavailable(name, reason) from reason
        net = create_network(name, image_size, drop_path_rate)
        note = f"{name} starts from RANDOM weights, since published ones cannot be had ({reason})."
        return InitialNetwork(net, "random", note)


def unavailable(name: str, reason: object) -> InputError:
    """What to say when published weights were insisted on."""
    return InputError(
        f"model.pretrained=true, but the published weights of {name} cannot be had ({reason}): give a local "
        "file with model.weights=FILE, or copy a Hugging Face cache that holds them to this machine, "
        "or start from random weights with model.pretrained=false"
    )


def published_network(name: str, image_size: tuple[int, int], drop_path_rate: float) -> InitialNetwork:
    """A network with published weights: from the hub's cache, from an installed package, or from the hub.

    A package comes before a question to the hub, so that a machine without network starts from what one with it starts
    from, and does not wait.

    Raises:
        UnavailableError: there are none.
    """
    repository, package = hub_repository(name), package_of(name)
    in_package = installed_file(package) if package else None
    if package and in_package and not (repository and cached_file(repository)):
        return _packaged_network(name, image_size, drop_path_rate, package, in_package)
    if repository is None:
        raise UnavailableError("timm names none on the Hugging Face hub")
    try:
        file = published_file(repository)
    except UnavailableError as reason:
        raise UnavailableError(with_package(str(reason), package)) from reason
    try:
        net = create_network(name, image_size, drop_path_rate, file)
    except (SafetensorError, RuntimeError, OSError, EOFError) as error:
        raise UnavailableError(f"the copy of {repository} in the cache is damaged: delete it") from error
    origin = {"repository": repository, "licence": licence_of(name) or "not told"}
    return InitialNetwork(net, "hub", f"{name} starts from the published weights {repository}.", origin)


def with_package(reason: str, package: WeightsPackage | None) -> str:
    """Why published weights cannot be had, and the package that brings them where there is one."""
    return reason if package is None else f"{reason}; `{package.install}` brings them"


def _packaged_network(
    name: str, image_size: tuple[int, int], drop_path_rate: float, package: WeightsPackage, file: Path
) -> InitialNetwork:
    check_digest(package, file)
    net = create_network(name, image_size, drop_path_rate)
    load_backbone(net, name, file)
    note = f"{name} starts from the published weights in the package {package.distribution} ({package.licence})."
    origin = {"package": package.distribution, "origin": package.origin, "licence": package.licence}
    return InitialNetwork(net, "package", note, origin)
