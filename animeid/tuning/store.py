"""The file that holds a search's trials: made whole or not at all, and never one of another program."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna

from animeid.errors import InputError
from animeid.runs.folder import SEARCH_STORE

NAME = "animeid"
SETTINGS = "settings"
TIMEOUT_S = 60
"""So long a process waits for another one's writing."""


def open_study(
    store: Path, settings: Mapping[str, Any], first: Iterable[dict[str, Any]], pruner: optuna.pruners.BasePruner
) -> optuna.Study:
    """The study in `store`, which is made where there is none; no other process may do so at the same time.

    Args:
        store: the file.
        settings: what the figures depend on; a study that is there must have been made with the same.
        first: values to be tried before any is chosen.
        pruner: what cuts trials short.

    Raises:
        InputError: the file holds another search, or something else.
    """
    asked = json.loads(json.dumps(dict(settings), default=str))
    if not store.exists():
        _make(store, asked, first)
    _check_file(store)
    study = optuna.load_study(study_name=NAME, storage=_storage(store), pruner=pruner)
    known = study.user_attrs.get(SETTINGS)
    if known is None:
        raise InputError(f"{store} holds a study that no search made: choose another run_id")
    if known != asked:
        other = sorted(key for key in known.keys() | asked.keys() if known.get(key) != asked.get(key))
        raise InputError(
            f"{store.parent} is a search with another {other[0]}, so that its trials cannot be compared: choose "
            "another run_id, or give what it was begun with"
        )
    return study


def _make(store: Path, settings: dict[str, Any], first: Iterable[dict[str, Any]]) -> None:
    """Under another name until it is complete, so that a kill leaves none or a whole one."""
    partial = store.with_name(f".{store.name}.partial")
    partial.unlink(missing_ok=True)
    storage = _storage(partial)
    study = optuna.create_study(study_name=NAME, storage=storage, direction="maximize")
    study.set_user_attr(SETTINGS, settings)
    for values in first:
        study.enqueue_trial(values)
    storage.remove_session()
    storage.engine.dispose()
    partial.replace(store)


def _storage(path: Path) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": TIMEOUT_S}})


def _check_file(store: Path) -> None:
    """Optuna would write its tables into any database, and end with a traceback in anything else.

    Raises:
        InputError: it is not a search's.
    """
    try:
        with closing(sqlite3.connect(store, timeout=TIMEOUT_S)) as connection:
            names = {name for (name,) in connection.execute("SELECT study_name FROM studies")}
    except sqlite3.Error as error:
        raise InputError(f"{store} is no search's file ({error}): choose another run_id, or move it away") from error
    if names != {NAME}:
        raise InputError(f"{store} holds a study that no search made: choose another run_id")


def check_folder(path: Path) -> None:
    """Raises:
    InputError: the path is a file, or a folder with something else than a search.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file: choose another run_id")
    # Listed before the store is looked for: another process may make it in between.
    there = [item for item in path.iterdir() if not item.name.startswith(".")] if path.exists() else []
    if there and not (path / SEARCH_STORE).exists():
        raise InputError(
            f"{path} exists already and is no search's folder ({SEARCH_STORE} is missing): choose another run_id"
        )
