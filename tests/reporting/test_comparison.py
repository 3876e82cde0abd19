"""What the page of several runs says was set differently."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from animeid.reporting.comparison import settings


def run(**plan: Any) -> Any:
    return SimpleNamespace(plan=plan)


def test_what_chose_the_settings_is_none_of_them() -> None:
    chosen = run(seed=1, loss={"gamma": 2.0}, recipe={"fixed": []}, choices=[{"key": "loss"}], facts={"classes": 4})
    by_hand = run(seed=1, loss={"gamma": 3.0}, recipe=None, effort={"told": "as ever"}, run_id="other")
    assert settings([chosen, by_hand]) == {"rows": [["loss.gamma", "2.0", "3.0"]]}
