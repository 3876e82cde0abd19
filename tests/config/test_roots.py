"""A command is a file, a root card and a request class: nothing else is edited for a new one."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from animeid.config.locate import PACKAGE, conf_dir
from animeid.config.roots import request_target, roots, summary
from animeid.config.signatures import signature
from animeid.system.files import read_yaml

ROOTS = roots()

CARD = """\
# greet somebody

defaults:
  - loss: focal
  - _self_
  - override hydra/job_logging: none
  - override hydra/hydra_logging: none

name: ???
times: 1

hydra:
  output_subdir: null
  run:
    dir: .
  help:
    header: |
      Greets somebody.
    template: |
      ${hydra.help.header}
      $CONFIG
"""

ENTRY = '''\
"""`python -m animeid.greet`: greets somebody."""

from __future__ import annotations

import sys
from typing import Any

from animeid.config.command import command


def work(request: dict[str, Any]) -> None:
    print(*[f"hello {request['name']}"] * request["times"], request["loss"]["gamma"])


main = command("greet", work)

if __name__ == "__main__":
    sys.exit(main())
'''

REQUESTS = '''\
"""What greetings are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from animeid.config.schema import Card
from animeid.values import Name, Whole


@dataclass(frozen=True, kw_only=True)
class GreetRequest:
    """The root of `conf/greet.yaml`."""

    loss: Card
    name: Name
    times: Whole
'''


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its cards with one command more."""
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(PACKAGE, house / "animeid", ignore=shutil.ignore_patterns("__pycache__", "conf", "*.ttf"))
    shutil.copytree(conf_dir(), house / "conf")
    (house / "animeid" / "greet.py").write_text(ENTRY)
    (house / "conf" / "greet.yaml").write_text(CARD)
    (house / "animeid" / "greeting").mkdir()
    (house / "animeid" / "greeting" / "__init__.py").write_text('"""Greetings."""\n')
    (house / "animeid" / "greeting" / "requests.py").write_text(REQUESTS)
    return house


def animeid(house: Path, *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of the console script."""
    code = "import sys; from animeid.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(house)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=house, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def test_a_new_command_is_listed_last_and_shows_its_keys(house: Path) -> None:
    status, listed, _ = animeid(house, "--help")
    assert status == 0
    rows = [line.split(maxsplit=2) for line in listed.splitlines() if line.startswith("  animeid ")]
    assert [row[1] for row in rows] == [*ROOTS, "greet"]
    assert rows[-1][2] == "greet somebody"
    status, shown, _ = animeid(house, "greet", "--help")
    assert status == 0
    assert shown.startswith("Greets somebody.") and "times: 1" in shown


def test_a_new_command_runs(house: Path) -> None:
    assert animeid(house, "greet", "name=Miku", "times=2", "loss.gamma=3") == (0, "hello Miku hello Miku 3\n", "")


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("times=0", "times must be a whole number of at least 1, not 0"),
        ("name=/", "name must be a name of letters"),
        ("loss.gama=1", "loss has no key 'gama'; did you mean 'gamma'?"),
        ("loss=focl", "no loss card is called 'focl'; did you mean 'focal'?"),
        ("nmae=Miku", "the configuration has no key 'nmae'; did you mean 'name'?"),
        ("head=linear", "the configuration has no key 'head'"),
    ],
)
def test_what_a_new_command_is_given_is_checked(house: Path, argument: str, sentence: str) -> None:
    status, said, error = animeid(house, "greet", "name=Miku", argument)
    assert (status, said) == (2, "")
    assert error.startswith(f"animeid: error: {sentence}")


def test_commands_are_listed_as_their_cards_say() -> None:
    listed = "train tune evaluate predict ensemble report doctor shard dashboard"
    assert [root for root in ROOTS if root in listed.split()] == listed.split()
    assert summary("train") == "train a model and judge it"


@pytest.mark.parametrize("root", ROOTS)
def test_each_command_has_an_entry_point_a_summary_and_a_request(root: str) -> None:
    assert callable(importlib.import_module(f"animeid.{root}").main)
    assert (PACKAGE / f"{root}.py").read_text(encoding="utf-8").startswith(f'"""`python -m animeid.{root}')
    assert 10 < len(summary(root)) < 100
    asked = signature(request_target(root))
    assert asked is not None
    assert asked.parameters.keys() >= read_yaml(conf_dir() / f"{root}.yaml").keys() - {"defaults", "hydra"}


def test_entry_points_are_short_and_alike() -> None:
    for root in ROOTS:
        assert len((PACKAGE / f"{root}.py").read_text(encoding="utf-8").splitlines()) <= 25


def test_a_command_without_a_request_is_a_mistake_of_ours() -> None:
    with pytest.raises(LookupError, match="NowhereToBeFoundRequest"):
        request_target("nowhere_to_be_found")
