"""The tables of a search's file are made once: Optuna takes a quarter of a second to make them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from animeid.tuning import store


@pytest.fixture(autouse=True, scope="package")
def tables_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    empty, opened = tmp_path_factory.mktemp("store") / "empty.db", store._storage
    storage = opened(empty)
    storage.remove_session()
    storage.engine.dispose()

    def copied(path: Path) -> optuna.storages.RDBStorage:
        if not path.exists():
            shutil.copyfile(empty, path)
        return opened(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_storage", copied)
        yield
