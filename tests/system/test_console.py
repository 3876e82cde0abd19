"""What commands tell their users."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from animeid.errors import InputError
from animeid.system.console import counted, say, some_of, written_down
from animeid.system.files import read_json, write_json


def test_the_first_names_and_how_many_more() -> None:
    assert some_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of([], 2) == ""


@pytest.mark.parametrize(
    ("number", "noun", "verb", "words"),
    [
        (0, "class", "", "0 classes"),
        (1, "class", "have", "1 class has"),
        (2, "exact copy", "are", "2 exact copies are"),
        (1, "epoch", "were", "1 epoch was"),
        (1500, "batch", "", "1,500 batches"),
        (3, "day", "", "3 days"),
    ],
)
def test_numbers_and_their_nouns_agree(number: int, noun: str, verb: str, words: str) -> None:
    assert counted(number, noun, verb) == words


def test_what_is_written_down_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    page = StringIO()
    with written_down(page):
        say("quiet")
    say("loud")
    assert (page.getvalue(), capsys.readouterr().out) == ("quiet\n", "loud\n")


@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_damaged_json_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"初": [1.5]})
    assert read_json(tmp_path / "a.json") == {"初": [1.5]}
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json cannot be read, for it is damaged"):
        read_json(tmp_path / "a.json")
