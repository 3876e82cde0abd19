"""The target of `recipe=auto`. Light: the command line reads this before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AutoRecipe:
    """Chooses loss, augmentation, mixing, averaging, epochs, ... by `animeid.recipe.rules`.

    fixed: keys that are not chosen, since the command line or a card of an experiment sets them; filled in when the
        request is checked.
    """

    fixed: tuple[str, ...] = ()
