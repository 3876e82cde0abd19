"""Hydra's own options, such as `-m`, wherever they stand on a command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from hydra._internal.utils import get_args_parser

from animeid.errors import InputError


def parsed(arguments: Sequence[str] | None) -> Namespace:
    """What Hydra's parser makes of arguments (None: those of this process), `overrides` and each option.

    Raises:
        InputError: there is no such option, as where a key is written with dashes.
    """
    found, unknown = get_args_parser().parse_known_intermixed_args(arguments)
    if option := next((argument for argument in unknown if argument.startswith("-")), ""):
        bare = option.lstrip("-")
        example = bare if "=" in bare else f"{bare or 'key'}=..."
        raise InputError(f"there is no option {option}: keys are written without dashes, {example}; see --help")
    return found


def options_last(arguments: Sequence[str]) -> list[str]:
    """The same arguments, options behind overrides, for Hydra's parser finds overrides in one place only.

    Raises:
        InputError: as `parsed`.
    """
    overrides = parsed(arguments).overrides
    options = list(arguments)
    for override in overrides:
        options.remove(override)
    return [*overrides, *options]
