"""A built wheel carries its cards and works from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_wheel_works_from_any_folder(tmp_path: Path) -> None:
    built = run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site, elsewhere = tmp_path / "site", tmp_path / "else where"
    elsewhere.mkdir()
    installed = run("-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(wheel), cwd=elsewhere)
    assert installed.returncode == 0, installed.stderr
    found = run(
        "-c", "from animeid.config.locate import conf_dir; print(conf_dir())", cwd=elsewhere, PYTHONPATH=str(site)
    )
    assert Path(found.stdout.strip()) == site / "animeid" / "conf"
    shown = run("-m", "animeid.train", "--help", cwd=elsewhere, PYTHONPATH=str(site))
    assert shown.returncode == 0
    assert "cross_entropy, focal" in shown.stdout
    wrote = run("-m", "animeid.examples", "output=written", cwd=elsewhere, PYTHONPATH=str(site))
    assert wrote.returncode == 0, wrote.stderr
    names = {path.name for place in ("notebooks", "experiments/sweeps") for path in (ROOT / place).iterdir()}
    assert {path.name for path in (elsewhere / "written").iterdir()} == names
    shutil.rmtree(elsewhere / "written")
    refused = run("-m", "animeid.train", "loss=focl", cwd=elsewhere, PYTHONPATH=str(site))
    assert refused.returncode == 2
    assert "did you mean 'focal'?" in refused.stderr
    assert list(elsewhere.iterdir()) == []
    script = (site / "bin" / "animeid").read_text(encoding="utf-8")
    assert "animeid.cli" in script
