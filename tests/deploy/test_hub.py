"""Artefacts go to the hub and come back, through huggingface_hub itself and a hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from animeid.artefacts.artefact import Artefact
from tests.deploy.hub_stand_in import TOKEN, Received, hub

NOBODY = "http://127.0.0.1:9"
"""Where nothing listens."""

CODE = """
import sys
from pathlib import Path
from animeid.artefacts import hub
from animeid.artefacts.artefact import Artefact
from animeid.errors import InputError

what, name, folder = sys.argv[1:]
try:
    if what == "push":
        hub.check_push(name)
        print(hub.push(Path(folder), name, Artefact.load(folder).version))
    else:
        print(Artefact.load(hub.artefact_folder(name)).version)
except InputError as error:
    print(error)
"""


@pytest.fixture
def server() -> Iterator[Received]:
    with hub() as received:
        yield received


@pytest.fixture
def ask(server: Received, home: Path, tmp_path: Path) -> Callable[..., str]:
    """Pushes or pulls in a process of its own, since huggingface_hub reads its settings when it is imported."""

    def ask(what: str, name: str, **environment: str) -> str:
        settings = {"HF_ENDPOINT": server.address, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0", "HF_TOKEN": TOKEN}
        done = subprocess.run(
            [sys.executable, "-c", CODE, what, name, str(home / "artefact")],
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return ask


def test_what_is_pushed_comes_back_whole(server: Received, ask: Callable[..., str], home: Path) -> None:
    artefact = Artefact.load(home / "artefact")
    assert ask("push", "user/name") == f"{server.address}/user/name"
    assert server.private == {"user/name": True}
    assert server.messages == [f"animeid artefact {artefact.version}"]
    files = {path.relative_to(artefact.folder).as_posix() for path in artefact.folder.rglob("*") if path.is_file()}
    assert set(server.files["user/name"]) == files
    assert ask("pull", "hub:user/name") == artefact.version
    # what has been fetched answers without a hub
    assert ask("pull", "hub:user/name", HF_ENDPOINT=NOBODY) == artefact.version
    assert ask("pull", "hub:user/name", HF_HUB_OFFLINE="1") == artefact.version
    assert server.unknown == []


def test_what_a_later_artefact_has_not_is_taken_away(server: Received, ask: Callable[..., str]) -> None:
    """And what is no artefact's stays."""
    ask("push", "user/name")
    pushed = set(server.files["user/name"])
    server.files["user/name"] |= {"model.int8.onnx": b"1", "references/09999/0.jpg": b"2", "notes.md": b"3"}
    ask("push", "user/name")
    assert set(server.files["user/name"]) == pushed | {"notes.md"}


def test_what_comes_back_altered_is_refused(server: Received, ask: Callable[..., str]) -> None:
    ask("push", "user/name")
    server.files["user/name"]["model.onnx"] = b"altered"
    assert "is not what was exported" in ask("pull", "hub:user/name")


@pytest.mark.parametrize(
    ("what", "name", "environment", "sentence"),
    [
        ("push", "user/name", {"HF_ENDPOINT": NOBODY}, "127.0.0.1:9 cannot be reached"),
        ("push", "user/name", {"HF_HUB_OFFLINE": "1"}, "offline mode is enabled"),
        ("push", "user/name", {"HF_TOKEN": "wrong"}, "the hub refuses (Invalid user token"),
        ("pull", "hub:user/none", {}, "shows whoever asks no such repository"),
        ("pull", "hub:user/none", {"HF_ENDPOINT": NOBODY}, "cannot be reached and the cache has no copy"),
        ("pull", "hub:a/b/c", {}, "check the name, which is USER/NAME"),
    ],
)
def test_a_hub_that_cannot_be_used_is_told_in_a_sentence(
    ask: Callable[..., str], what: str, name: str, environment: dict[str, str], sentence: str
) -> None:
    said = ask(what, name, **environment)
    assert sentence in said and "\n" not in said


def test_a_hub_that_is_ill_is_told_in_a_sentence(server: Received, ask: Callable[..., str]) -> None:
    server.status = 503
    assert "it answers with status 503" in ask("push", "user/name")
