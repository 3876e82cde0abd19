"""The image: what it copies is there, nobody is root in it, and what its steps install answers without torch."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from animeid.service.arguments import request_of
from animeid.service.probe import is_ready
from tests.packaging.dockerfile import FILE, ROOT, Stage, stages
from tests.service.serving import KEPT, Running, picture

LOCK = FILE.with_name("requirements.lock")
RUNTIME = ROOT / "packaging" / "runtime" / "pyproject.toml"
TOP = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
"""Of the environment of a container: no home, and nothing that leads Python to this checkout."""
SEALED = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'
"""Makes all but a folder read-only, for a command alone."""


def test_what_is_copied_is_there_and_reaches_the_builder() -> None:
    let_through = [
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    ]
    build, _ = stages()
    assert len(build.copies) == 5
    for source, _ in build.copies:
        assert (ROOT / source).exists()
        assert any(source == path or source.startswith(f"{path}/") for path in let_through)


def test_nobody_is_root_and_signals_reach_the_service() -> None:
    build, image = stages()
    user, group = image.only("USER").split(":")
    assert int(user) >= 1000 and int(group) >= 1000
    names = [name for name, _ in image.lines]
    assert max(place for place, name in enumerate(names) if name in ("COPY", "RUN")) < names.index("USER")
    assert image.only("STOPSIGNAL") == "SIGTERM"
    entry = json.loads(image.only("ENTRYPOINT"))  # a list: a shell in between would keep signals to itself
    assert entry[1:] == ["-m", "animeid.serve"]
    request = request_of(json.loads(image.only("CMD")))
    assert int(image.only("EXPOSE")) == request.port
    health = image.only("HEALTHCHECK")
    assert json.loads(health[health.index("CMD") + 3 :]) == [entry[0], "-m", "animeid.service.probe"]
    assert build.base == image.base == "${PYTHON}"


def test_the_lock_of_the_image_has_what_the_service_wants_and_no_torch() -> None:
    runtime = tomllib.loads(RUNTIME.read_text(encoding="utf-8"))["project"]
    text = LOCK.read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)", text, re.M)
    wanted = [Requirement(line) for line in runtime["dependencies"] + runtime["optional-dependencies"]["serve"]]
    for want in wanted:
        versions = [version for name, version in pins if name == want.name]
        assert versions and all(want.specifier.contains(version) for version in versions), want.name
    assert_hashed(text)
    assert {"torch", "lightning", "hydra-core", "timm", "pandas", "scipy"}.isdisjoint(name for name, _ in pins)


def assert_hashed(text: str) -> None:
    """Each line that names something, whichever way, goes on with a digest."""
    lines = text.splitlines()
    named = [place for place, line in enumerate(lines) if re.match(r"[^\s#]", line)]
    assert named
    for place in named:
        assert re.match(r"[\w.-]+==[\w.]+( ; [^\\]+)? \\$", lines[place]), lines[place]
        assert lines[place + 1].startswith("    --hash=sha256:"), lines[place]


def test_a_line_without_a_digest_is_seen() -> None:
    good = "a-b==1.0 ; sys_platform != 'win32' \\\n    --hash=sha256:00\n    # via __init__ == c_d\n"
    assert_hashed(good)
    for wrong in (
        "e==2.0\n",
        "e==2.0 \\\n    # via f_g_h\n",
        "e>=2.0 \\\n    --hash=sha256:00\n",
        "e @ https://e.example\n",
    ):
        with pytest.raises((AssertionError, IndexError)):
            assert_hashed(good + wrong)


def test_what_builds_the_package_is_locked_as_well() -> None:
    wanted = tomllib.loads(RUNTIME.read_text(encoding="utf-8"))["build-system"]["requires"]
    text = FILE.with_name("build.lock").read_text(encoding="utf-8")
    assert_hashed(text)
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))
    for want in map(Requirement, wanted):
        assert want.specifier.contains(pins[want.name])
    steps = [line for stage in stages() for name, line in stage.lines if name == "RUN" and " pip " in line]
    for step in steps:
        assert "--require-hashes" in step or "--no-index" in step or step.endswith("pip check"), step
    [built] = [step for step in steps if "pip wheel" in step]
    assert "--no-build-isolation" in built


def test_the_probe_says_no_where_nothing_answers() -> None:
    assert not is_ready("http://127.0.0.1:9")


def put_elsewhere(text: str, places: dict[str, Path]) -> str:
    for inside, outside in places.items():
        text = text.replace(inside, str(outside))
    return text


def install(stage: Stage, places: dict[str, Path]) -> None:
    """What a stage does, in folders of a test."""
    work = Path(put_elsewhere(stage.only("WORKDIR"), places))
    work.mkdir()
    for name, line in stage.lines:
        if name == "COPY":
            source, target = line.split()
            (work / target).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-r", str(ROOT / source), str(work / target)], check=True)
        elif name == "RUN":
            command = [
                sys.executable if word == "python" else word for word in shlex.split(put_elsewhere(line, places))
            ]
            done = subprocess.run(command, cwd=work, env=TOP, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_what_the_steps_install_answers_as_nobody_in_particular(tmp_path: Path) -> None:
    """With the very command of the image, without rights, home or anything that may be written but /tmp."""
    build, image = stages()
    tmp_path.chmod(0o755)
    places = {
        "/opt/animeid": tmp_path / "opt",
        "/opt/build": tmp_path / "build",
        "/source": tmp_path / "source",
        "/artefact": KEPT,
        "0.0.0.0": "127.0.0.1",
    }
    install(build, places)
    own = tmp_path / "tmp"
    own.mkdir(mode=0o777)
    own.chmod(0o777)
    [python, *start] = json.loads(put_elsewhere(image.only("ENTRYPOINT"), places))
    start += [*json.loads(put_elsewhere(image.only("CMD"), places)), "port=0"]
    environment = {**TOP, **dict(word.split("=") for word in image.only("ENV").split()), "HOME": str(own)}
    run = subprocess.Popen(
        [*confined(image, own, python), python, *start],
        cwd=own,
        env={**environment, "TMPDIR": str(own), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    try:
        said = run.stdout.readline()
        assert said.startswith("http://127.0.0.1:")
        service = Running(run, said.split()[0])
        assert service.predict(picture(1)).json()["character"]
        assert service.get("/").status_code == service.get("/metrics").status_code == 200
        probe = [python, "-m", "animeid.service.probe", service.address]
        assert subprocess.run(probe, env=TOP, cwd=own, check=False).returncode == 0
        assert service.stop(signal.SIGTERM) == 0
        assert [path.name for path in own.glob("animeid-serve-*")] == []
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    found = subprocess.run([python, "-c", "import torch"], env=TOP, capture_output=True, text=True, check=False)
    assert "No module named 'torch'" in found.stderr


def confined(image: Stage, own: Path, python: str) -> list[str]:
    """Has a command run without rights, in a file system that can be read only but for one folder.

    As the user of the image, where that one reaches the files of this test; without root, as oneself.
    """
    if os.getuid() != 0:
        return []
    user, group = image.only("USER").split(":")
    rights = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    nobody = [*rights, f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    without = nobody if does(*nobody, python, "-c", "import fastapi, animeid.serve") else rights
    sealed = ["unshare", "--mount", "sh", "-c", SEALED, str(own)]
    return [*(sealed if does(*sealed, "true") else []), *without]


def does(*command: str) -> bool:
    return subprocess.run(command, env=TOP, capture_output=True, check=False).returncode == 0
