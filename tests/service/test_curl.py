"""Every line of curl in the docs works as it stands, and every address has one."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from animeid.service.keys import new_key
from tests.service.rich_artefact import rich_artefact
from tests.service.serving import KEPT, Running, picture, running

PAGE = Path(__file__).resolve().parents[2] / "docs" / "serve.md"
ELSEWHERE = "example.org"
"""Of the web, which tests do not reach."""
OTHERS = ("pip ", "python ")
CURL = """
set -u
curl() {
  command curl -sS --max-time 60 --fail-with-body "$@" || { echo "$?: curl $*" >> "$FAILED"; }
}
"""
"""Has lines go on after one that fails, and writes it down."""
COUNTED = re.compile(r'^animeid_requests_total\{route="([^"]+)",status="2\d\d"\} ', re.MULTILINE)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def lines(with_keys: bool) -> str:
    """The lines of the page that ask a service with keys, or one without, in their order."""
    of_shell = [line for block in blocks("bash") for line in block.splitlines() if not line.startswith(OTHERS)]
    return "\n".join(line for line in of_shell if ("$KEY" in line) == with_keys) + "\n"


def asked(service: Running, script: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Runs lines as they stand, but for the port; those that failed."""
    failed = folder / "failed"
    failed.write_text("")
    given = script.replace("localhost:8000", service.address.removeprefix("http://"))
    own = {**os.environ, **environment, "FAILED": str(failed)}
    subprocess.run(["bash", "-c", CURL + given], cwd=folder, env=own, check=True, stdout=subprocess.DEVNULL)
    return failed.read_text().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the lines find the files that they send."""
    found = tmp_path / "here"
    found.mkdir()
    (found / "picture.png").write_bytes(picture(1))
    (found / "other.jpg").write_bytes(picture(2, form="JPEG"))
    [said] = [block for block in blocks("json") if "verdict" in block]
    (found / "said.json").write_text(said, encoding="utf-8")
    yield found


@pytest.mark.slow
def test_every_line_works_and_every_address_has_one(tmp_path: Path, folder: Path) -> None:
    artefact, registry = rich_artefact(tmp_path / "artefact"), tmp_path / "registry"
    registry.mkdir()
    rich_artefact(registry / "my_newer_model", temperature=3.0)
    counted: set[str] = set()
    more = ("urls=true", f"log={tmp_path / 'log'}", f"feedback={tmp_path / 'feedback.jsonl'}")
    with running(artefact, *more) as service:
        [wrong] = asked(service, "curl localhost:8000/nothing\ncurl localhost:8000/health\n", folder, {})
        # Nothing of the web can be had here: the address is understood, and the picture is not there.
        without = [line for line in asked(service, lines(False), folder, {}) if ELSEWHERE not in line]
        counted |= set(COUNTED.findall(service.get("/metrics").text))
        described = service.get("/openapi.json").json()["paths"]
    keys = tmp_path / "keys.jsonl"
    key = new_key(keys, "ops", "admin")
    with running(f"default={artefact},small={KEPT}", f"registry={registry}", f"keys={keys}") as service:
        with_keys = asked(service, lines(True), folder, {"KEY": key})
        counted |= set(COUNTED.findall(service.get("/metrics", key).text))
    assert without + with_keys == []
    assert wrong.startswith("22: curl ") and wrong.endswith("/nothing")
    assert set(described) - counted <= {"/predict_url"}
    assert ELSEWHERE in lines(False)
