"""What commands tell their users."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.system.console import some_of
from animeid.system.files import read_json, write_json


def test_the_first_names_and_how_many_more() -> None:
    assert some_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of([], 2) == ""


@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_damaged_json_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"初": [1.5]})
    assert read_json(tmp_path / "a.json") == {"初": [1.5]}
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json cannot be read, for it is damaged"):
        read_json(tmp_path / "a.json")
