"""`animeid-runtime` holds what an artefact needs and no more, and answers in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
from PIL import Image

from tests.deploy.tiny_artefact import CLASSES, tiny_artefact

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "packaging" / "runtime"
ENTRY = "animeid.predict"
SERVE = "animeid.serve"
REACHED = ("animeid.deploy.predict", "animeid.deploy.arguments", "animeid.system.leave")
"""What the entry point imports for an artefact; the rest of it is for runs."""
SERVICE = "animeid/service"
"""A folder that is taken whole, for its processes and pages."""
FONT = {"animeid/fonts/wqy-microhei.ttf", "animeid/fonts/README.md"}
"""Of the pages."""
MOST_MB = 150


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def files_of(modules: set[str]) -> set[str]:
    """The files of modules, and of the packages that they lie in."""
    found = set()
    for module in modules:
        path = Path(*module.split("."))
        file = path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")
        found |= {file, *(parent / "__init__.py" for parent in file.parents if parent.name)}
    return {file.as_posix() for file in found}


def test_the_wheel_holds_what_is_imported_and_no_more() -> None:
    graph = grimp.build_graph("animeid")
    begun = {*REACHED, *(module for module in graph.modules if module.startswith("animeid.service."))}
    reached = {ENTRY, SERVE, *begun}.union(*(graph.find_upstream_modules(module) for module in begun))
    given = project(HOME)["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert given.pop("../../LICENSE") == "animeid/LICENSE"
    outside = {file for file in files_of(reached) if not file.startswith(f"{SERVICE}/")}
    assert sorted(given.values()) == sorted({*outside, *FONT, SERVICE})
    assert all(source == f"../../{target}" for source, target in given.items())


def test_both_distributions_want_the_same_packages() -> None:
    """What stands in an artefact's reader's way stands in training's as well: one set of versions is tested."""
    whole, light = project(ROOT)["project"], project(HOME)["project"]
    shared = [want for want in light["dependencies"] if not want.startswith("onnxruntime")]
    assert set(shared) <= set(whole["dependencies"])
    assert whole["requires-python"] == light["requires-python"] and whole["license"] == light["license"]
    for extra in ("openvino", "serve", "ray"):
        wanted = (want.replace("animeid-runtime[", "animeid[") for want in light["optional-dependencies"][extra])
        assert set(wanted) == {
            one for one in whole["optional-dependencies"][extra] if not one.startswith("onnxruntime")
        }


@pytest.mark.slow
def test_it_answers_in_an_environment_of_its_own(tmp_path: Path) -> None:
    """Built, installed from the index with what it needs, and asked from another folder."""
    uv = str(Path(sys.executable).with_name("uv"))
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(HOME)])
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    run([uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")])
    python = tmp_path / "venv" / "bin" / "python"
    run([uv, "pip", "install", "--quiet", "--python", str(python), "--link-mode", "copy", str(wheel)])
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) < MOST_MB * 1e6
    tiny_artefact(tmp_path / "artefact")
    Image.new("RGB", (30, 30), (0, 0, 255)).save(tmp_path / "blue.png")
    found = run([str(python), "-m", ENTRY, "artefact=artefact", "input=blue.png", "top_k=1"], tmp_path)
    assert found.stdout.splitlines()[1].startswith(f"blue.png,,{CLASSES[2]},")
    assert run([str(python), "-c", "import torch"], tmp_path, status=1).stderr.endswith("named 'torch'\n")
    refused = run([str(python), "-m", ENTRY, "run=outputs/run", "input=blue.png"], tmp_path, status=2)
    assert refused.stderr.startswith("animeid: error: run= asks a run")


def run(command: list[str], folder: Path = ROOT, status: int = 0) -> subprocess.CompletedProcess[str]:
    """The process of a command, without what leads Python to this checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    found = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == status, found.stderr
    return found
