"""The weights that a network starts from: a local file's, published ones, or random ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError

from animeid.errors import InputError
from animeid.models.catalogue import hub_repository
from animeid.models.network import create_network
from animeid.models.published import UnavailableError, published_file
from animeid.models.weights import load_backbone

WeightsSource = Literal["random", "hub", "file", "run"]


@dataclass(frozen=True)
class InitialNetwork:
    """A network, where its weights came from, and the same in a sentence for people."""

    net: Any  # a timm network; timm is not typed
    source: WeightsSource
    note: str


def initial_network(
    name: str,
    image_size: tuple[int, int],
    drop_path_rate: float,
    pretrained: bool | Literal["auto"],
    weights: str | None,
) -> InitialNetwork:
    """Builds a network and gives it the weights that were asked for; the arguments are those of `TimmBackbone`.

    Raises:
        InputError: the file does not fit, or published weights were insisted on and cannot be had.
    """
    if weights is not None:
        net = create_network(name, image_size, drop_path_rate)
        return InitialNetwork(net, "file", load_backbone(net, name, Path(weights)))
    if pretrained is False:
        net = create_network(name, image_size, drop_path_rate)
        return InitialNetwork(net, "random", f"{name} starts from random weights, as model.pretrained=false asks.")
    try:
        return _published_network(name, image_size, drop_path_rate)
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


def _published_network(name: str, image_size: tuple[int, int], drop_path_rate: float) -> InitialNetwork:
    repository = hub_repository(name)
    if repository is None:
        raise UnavailableError("timm names none on the Hugging Face hub")
    file = published_file(repository)
    try:
        net = create_network(name, image_size, drop_path_rate, file)
    except (SafetensorError, RuntimeError, OSError, EOFError) as error:
        raise UnavailableError(f"the copy of {repository} in the cache is damaged: delete it") from error
    return InitialNetwork(net, "hub", f"{name} starts from the published weights {repository}.")
