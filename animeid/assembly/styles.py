"""Styles of pictures for the parts of training that follow them."""

from __future__ import annotations

from collections.abc import Iterable

from animeid.data.datamodule import CharacterDataModule
from animeid.types import UsesStyles


def give_styles(parts: Iterable[object], data: CharacterDataModule) -> None:
    """Tells each part that follows styles how many training has, and has batches hold them where there is one.

    Raises:
        InputError: a part follows styles, and training has not two of them.
    """
    following = [part for part in parts if isinstance(part, UsesStyles) and part.uses_styles]
    for part in following:
        data.styles.require(type(part).__name__)
        part.take_styles(len(data.styles.names))
    if following:
        data.give_styles()
