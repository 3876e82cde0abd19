"""Hydra's own options, such as `-m`, wherever they stand on a command line."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentError, Namespace
from collections.abc import Sequence

from hydra._internal.utils import get_args_parser

from animeid.errors import InputError
from animeid.system.console import say_version


def parsed(arguments: Sequence[str] | None) -> Namespace:
    """What Hydra's parser makes of arguments (None: those of this process), `overrides` and each option.

    Raises:
        InputError: there is no such option, as where a key is written with dashes, or its value is none.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = given[: given.index("--")] if "--" in given else given
    if "--version" in options:  # Hydra's parser would tell its own
        say_version()
        sys.exit(0)
    # Hydra's parser would take `-path=x` for its option -p with the value `ath=x`.
    if key := next((option for option in options if re.match(r"-[^-=]{3,}=", option)), ""):
        raise _no_option(key)
    parser = get_args_parser()
    parser.allow_abbrev = False
    parser.exit_on_error = False
    try:
        found, unknown = parser.parse_known_intermixed_args(given)
    except ArgumentError as error:
        raise _refused(error, options) from None
    if option := next((argument for argument in unknown if argument.startswith("-")), ""):
        raise _no_option(option)
    return found


def _refused(error: ArgumentError, options: Sequence[str]) -> InputError:
    """What is said where an option is not used as it must be."""
    names = tuple((error.argument_name or "").split("/"))
    if "ignored explicit argument" in str(error.message):  # a key whose name begins as an option does
        return _no_option(next(option for option in options if option.startswith(names) and option not in names))
    return InputError(f"{error}: see --hydra-help")


def _no_option(option: str) -> InputError:
    bare = option.lstrip("-")
    example = bare if "=" in bare else f"{bare or 'key'}=..."
    return InputError(f"there is no option {option}: keys are written without dashes, {example}; see --help")


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
