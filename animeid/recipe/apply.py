"""A choice put into a request, unless the user has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from animeid.config.compose import compose
from animeid.config.nested import at, put
from animeid.recipe.choice import YOURS, Choice


def is_fixed(request: Mapping[str, Any], key: str, fixed: Sequence[str]) -> bool:
    """Whether the key itself, or the card that it lies in, is the user's, and does not leave the choice to us."""
    named = any(key == name or key.startswith(f"{name}.") for name in fixed)
    return named and at(request, key.split(".")) != "auto"


def settle(request: Mapping[str, Any], choices: Sequence[Choice], fixed: Sequence[str]) -> tuple[dict, list[Choice]]:
    """The request with all choices that are free, and what became of each.

    A card that is chosen keeps the values that the user gave below it; where it has no such key, the user's card
    stays.

    Args:
        request: checked.
        choices: of different groups and keys.
        fixed: keys that are the user's.
    """
    free = [choice for choice in choices if not is_fixed(request, choice.key, fixed)]
    composed = compose("train", ["recipe=none", *(word for choice in free for word in choice.overrides)])
    result, settled = deepcopy(dict(request)), []
    for choice in choices:
        if choice in free and _place(result, choice.key, at(composed, choice.key.split(".")), request, fixed):
            settled.append(choice)
        else:
            settled.append(Choice(choice.key, None, YOURS))
    return result, settled


def _place(result: dict[str, Any], key: str, node: Any, request: Mapping[str, Any], fixed: Sequence[str]) -> bool:
    """Puts a chosen node into the result, with the user's values below it; not where the node lacks their keys."""
    own = [name.removeprefix(f"{key}.").split(".") for name in fixed if name.startswith(f"{key}.")]
    node = deepcopy(node)
    for path in own:
        if not _has(node, path):
            return False
        put(node, path, at(request, [*key.split("."), *path]))
    put(result, key.split("."), node)
    return True


def _has(node: Any, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True
