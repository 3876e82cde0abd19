"""The keys of a command's configuration, by the names that lead to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import hydra
from omegaconf import OmegaConf

from animeid.config.check import SPECIAL, is_node, join, settable
from animeid.config.defaults import cards_alone
from animeid.config.signatures import signature
from animeid.config.suggest import nearest

MOST = 3


def keys_below(root: str, cards: Sequence[str] = ()) -> list[str]:
    """All that do not stand outermost.

    Args:
        cards: `group=card` each, of ours, that are taken in the place of the default ones.
    """
    with cards_alone():
        config = OmegaConf.to_container(hydra.compose(root, list(cards)))
    assert isinstance(config, dict)
    if "optimizer" not in config:
        config.pop("trainer", None)  # of what does not train it holds older names of keys
    return [key for key in _keys(config) if "." in key]


def keys_called(word: str, keys: list[str]) -> list[str]:
    """Those that somebody who writes `word` means: `lr` is `optimizer.lr`, `data_root` `data.root`."""
    return _outermost([key for key in keys if word in (_last(key), key.replace(".", "_"))])


def keys_like(word: str, keys: list[str]) -> list[str]:
    """Those whose name looks like it, as `trainer.max_epochs` does like `epochs`."""
    near = nearest(word, map(_last, keys))
    return _outermost([key for key in keys if _last(key) == near])


def _outermost(keys: list[str]) -> list[str]:
    depth = min((key.count(".") for key in keys), default=0)
    return sorted(key for key in keys if key.count(".") == depth)[:MOST]


def _keys(node: Mapping[Any, Any], place: str = "") -> Iterator[str]:
    """Those of a node and of what lies in it, with arguments of its target that its card leaves out.

    What a partial one lacks may be the run's to give.
    """
    target = signature(str(node["_target_"])) if is_node(node) and not node.get("_partial_") else None
    for name in sorted({*map(str, node), *(settable(target) if target else ())} - SPECIAL):
        key = join(place, name)
        yield key
        if isinstance(value := node.get(name), Mapping):
            yield from _keys(value, key)


def _last(key: str) -> str:
    return key.rpartition(".")[2]
