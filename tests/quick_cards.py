"""Hydra as tests run it in their own process: it reads a card of the package once, and an argument once.

A third of the tests' time was composing. Nothing that is composed changes (`tests/config/test_quick_cards.py`), and
commands that tests start as processes of their own run Hydra as it is.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, ConfigRepository
from hydra._internal.defaults_list import InputDefault, Overrides, ResultDefault
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from animeid.config.locate import conf_dir

UNCHANGED = {str(conf_dir()), "hydra.conf", ""}
"""Where cards lie that do not change while tests run; a fixture may add its folder."""


def quicken(patch: pytest.MonkeyPatch) -> None:
    """Patches Hydra as long as `patch` lasts."""
    Plugins.instance()  # fills the registry
    for scheme in ("file", "pkg"):
        source = SourcesRegistry.instance().resolve(scheme)
        patch.setattr(source, "load_config", _once(source.load_config))
    merge = ConfigLoaderImpl._compose_config_from_defaults_list
    patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", _merged_once(merge))
    patch.setattr(OverridesParser, "parse_rule", _parsed_once(OverridesParser.parse_rule))
    patch.setattr(CachingConfigRepository, "__init__", _with_the_same_sources)
    patch.setattr(defaults_list, "_create_defaults_list", _listed_once(defaults_list._create_defaults_list))
    patch.setattr(defaults_list, "_create_interpolation_map", _where_needed(defaults_list._create_interpolation_map))
    patch.setattr(Hydra, "get_mode", _unless_none_is_asked_for(Hydra.get_mode))


def _once(load: Callable[[Any, str], ConfigResult]) -> Callable[[Any, str], ConfigResult]:
    """Cards that do not change while tests run; those that tests write are read each time."""
    kept: dict[tuple[str, str], tuple[ConfigResult, bytes]] = {}

    def load_config(self: Any, config_path: str) -> ConfigResult:
        if self.path not in UNCHANGED:
            return load(self, config_path)
        key = (self.path, config_path)
        if key not in kept:
            first = load(self, config_path)
            kept[key] = first, _packed(first.config)
        found = copy.copy(kept[key][0])
        found.config, found.header = pickle.loads(kept[key][1]), dict(found.header)
        found.provider = self.provider
        return found

    return load_config


def _packed(config: Any) -> bytes:
    """Its copies are unpacked in a sixth of the time that `deepcopy` takes."""
    return pickle.dumps(config)


def _are_unchanged(sources: Iterable[ConfigSource]) -> bool:
    return {source.path for source in sources} <= UNCHANGED


def _merged_once(merge: Callable[..., DictConfig]) -> Callable[..., DictConfig]:
    """The same cards make the same configuration, before values of the command line are set in it."""
    kept: dict[tuple[Any, ...], bytes] = {}

    def merged(self: ConfigLoaderImpl, defaults: list[ResultDefault], repo: Any) -> DictConfig:
        if not _are_unchanged(repo.get_sources()):
            return merge(self, defaults, repo)
        cards = ((card.config_path, card.package, card.primary, card.is_self) for card in defaults)
        key = (*(source.path for source in repo.get_sources()), *cards)
        if key not in kept:
            kept[key] = _packed(merge(self, defaults, repo))
        return pickle.loads(kept[key])

    return merged


def _with_the_same_sources(self: CachingConfigRepository, delegate: ConfigRepository) -> None:
    """Sources are put in the place of others, and not changed: Hydra copies each of them."""
    self.delegate, self.cache = copy.copy(delegate), {}


def _listed_once(listed: Callable[..., Any]) -> Callable[..., Any]:
    """The same groups chosen list the same cards; values of the command line choose none."""
    kept: dict[tuple[Any, ...], tuple[list[ResultDefault], Any, dict[str, Any]]] = {}

    def cards(repo: Any, config_name: str | None, overrides: Overrides, prepend_hydra: bool, skip_missing: bool) -> Any:
        if not _are_unchanged(repo.get_sources()):
            return listed(repo, config_name, overrides, prepend_hydra, skip_missing)
        sources = tuple(source.path for source in repo.get_sources())
        chosen = repr((overrides.override_choices, overrides.append_group_defaults, overrides.deletions))
        key = (sources, config_name, prepend_hydra, skip_missing, chosen)
        if key not in kept:
            found, tree = listed(repo, config_name, overrides, prepend_hydra, skip_missing)
            noted = {name: value for name, value in vars(overrides).items() if name != "config_overrides"}
            kept[key] = found, tree, copy.deepcopy(noted)
        found, tree, noted = kept[key]
        vars(overrides).update(copy.deepcopy(noted))
        return list(found), tree

    return cards


def _parsed_once(parse: Callable[[Any, str, str], Any]) -> Callable[[Any, str, str], Any]:
    parser = OverridesParser.create()

    @cache
    def parsed(text: str, rule: str) -> Any:
        return parse(parser, text, rule)

    return lambda self, s, rule_name: copy.deepcopy(parsed(s, rule_name))


def _where_needed(mapped: Callable[..., Any]) -> Callable[..., Any]:
    """What interpolations in a list of cards look up, where it has one."""

    def known_choices(overrides: Any, cards: list[InputDefault], self_added: bool) -> Any:
        is_needed = any(card.is_interpolation() for card in cards)
        return mapped(overrides, cards, self_added) if is_needed else OmegaConf.create()

    return known_choices


def _unless_none_is_asked_for(get_mode: Callable[..., Any]) -> Callable[..., Any]:
    """Hydra composes once more, to see whether `hydra.mode` is set; our cards leave it alone."""

    def mode(self: Hydra, config_name: str | None, overrides: list[str]) -> Any:
        is_set = any("hydra" in override for override in overrides)
        return (
            None
            if _are_unchanged(self.config_loader.get_sources()) and not is_set
            else get_mode(self, config_name, overrides)
        )

    return mode
