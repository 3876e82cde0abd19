"""What of a request decides its result."""

from __future__ import annotations

import pytest

from animeid.runs.identity import result_keys


@pytest.mark.parametrize("key", ["effort", "data.parts"])
def test_a_key_that_earlier_versions_did_not_have_changes_nothing_unset(key: str) -> None:
    group, _, name = key.partition(".")
    before = {"seed": 1, "data": {"root": "pictures"}}
    now = {**before, group: {**before["data"], name: None} if name else None}
    assert result_keys(now) == result_keys(before)
    assert result_keys({**now, group: {"told": "more"}}) != result_keys(before)
