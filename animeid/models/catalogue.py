"""The names that timm knows, and what it publishes for each."""

from __future__ import annotations

from difflib import get_close_matches

import timm
from timm.models import get_arch_pretrained_cfgs, get_pretrained_cfg, split_model_name_tag

from animeid.errors import InputError

SUGGESTIONS = 3


def check_name(name: str) -> None:
    """Raises:
    InputError: timm has no such architecture, or publishes no weights under the tag after the point.
    """
    architecture, tag = split_model_name_tag(name)
    if not timm.is_model(architecture):
        raise InputError(
            f"model.name={name} is no model of timm {timm.__version__}"
            f"{_did_you_mean(architecture, timm.list_models())}: choose another name, or a card such as model=resnet18"
        )
    published = get_arch_pretrained_cfgs(architecture)
    if tag and name not in published:
        raise InputError(
            f"model.name={name} names weights that timm does not publish{_did_you_mean(name, list(published))}: "
            f"leave out .{tag} for the usual ones"
        )


def is_known(name: str) -> bool:
    """Whether timm has an architecture of this name, whatever its tag."""
    return timm.is_model(split_model_name_tag(name)[0])


def same_architecture(name: str, other: str) -> bool:
    """Whether two names are of one architecture; tags play no part."""
    return split_model_name_tag(name)[0] == split_model_name_tag(other)[0]


def hub_repository(name: str) -> str | None:
    """The Hugging Face repository of a name's published weights; None where there is none."""
    config = get_pretrained_cfg(name)
    return config.hf_hub_id if config else None


def licence_of(name: str) -> str | None:
    """The licence of a name's published weights, as timm tells it."""
    config = get_pretrained_cfg(name)
    return config.license if config else None


def same_network(name: str, other: str) -> bool:
    """Whether weights of one name fit the other, and expect pictures normalised in the same way.

    The tag of published weights plays no part in the former, and decides the latter.

    Raises:
        InputError: timm does not know one of the names.
    """
    check_name(name)
    check_name(other)
    if not same_architecture(name, other):
        return False
    config, others = get_pretrained_cfg(name), get_pretrained_cfg(other)
    return (config is None or others is None) or (config.mean, config.std) == (others.mean, others.std)


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name.lower(), known, n=SUGGESTIONS)
    return f" (did you mean {' or '.join(close)}?)" if close else ""
