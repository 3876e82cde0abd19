"""A command's process ends in order, with its status, and without taking Python down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WORK = """
import atexit, logging, sys, tempfile, threading, time
from animeid.system.leave import run

class Torn:
    def __del__(self):
        print("torn down", flush=True)

class Cycle:
    def __init__(self):
        self.own = self
    def __del__(self):
        print("a cycle is closed")

def later():
    time.sleep(0.2)
    print("a thread is waited for")

def main():
    global torn
    torn = Torn()
    Cycle()
    kept = tempfile.TemporaryDirectory()
    globals()["kept"] = kept
    print(kept.name)
    atexit.register(print, "a handler is called")
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    threading.Thread(target=later).start()
    sys.stdout.write("not flushed")
    STATUS

if __name__ == "__main__":
    run(main)
"""

WATCHES = [("pass", True), ("sys.settrace(print)", False), ("sys.setprofile(print)", False)]


def process(tmp_path: Path, status: str, *options: str, **settings) -> subprocess.CompletedProcess:
    script = tmp_path / "work.py"
    script.write_text(WORK.replace("STATUS", status))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.run([sys.executable, *options, str(script)], text=True, env=environment, **settings)


def test_what_draws_a_notebooks_charts_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook hands its choice on to the commands that it starts, whose environment need not have it."""
    monkeypatch.setenv("MPLBACKEND", "inline_of_nowhere")
    done = process(tmp_path, "import matplotlib; print(matplotlib.get_backend()); return 0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "agg\n" in done.stdout


@pytest.mark.parametrize(
    ("ending", "status"), [("return 0", 0), ("return 2", 2), ("return 143", 143), ("sys.exit(3)", 3), ("sys.exit()", 0)]
)
def test_all_is_closed_in_order_and_nothing_is_torn_down(tmp_path: Path, ending: str, status: int) -> None:
    done = process(tmp_path, ending)
    assert (done.returncode, done.stderr) == (status, "")
    folder, *lines = done.stdout.splitlines()
    assert lines == ["not flusheda cycle is closed", "a thread is waited for", "a handler is called"]
    assert not Path(folder).exists(), "a temporary folder is removed"


def test_a_bug_keeps_its_traceback_and_status(tmp_path: Path) -> None:
    done = process(tmp_path, "raise ValueError('a bug')")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: a bug\n")


@pytest.mark.parametrize("options", [("-m", "cProfile"), ("-i",)])
def test_whoever_watches_sees_the_end(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = process(tmp_path, "return 3", *options, stdin=subprocess.DEVNULL)
    assert "torn down" in done.stdout
    if "cProfile" in options:
        assert "function calls" in done.stdout


@pytest.mark.parametrize(("watch", "own"), WATCHES)
def test_a_tracer_or_a_profiler_is_noticed(watch: str, own: bool) -> None:
    code = f"import sys; from animeid.system.leave import is_own_process as f; {watch}; sys.exit(f(sys._getframe()))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL).returncode == own


def test_called_from_a_module_of_ones_own_it_raises(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import sys\nfrom animeid.cli import run\n"
        "def go():\n"
        "    sys.argv = ['animeid', '--version']\n"
        "    try: run()\n"
        "    except SystemExit as left: print('left with', left.code)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "import mine; mine.go()"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("left with 0\n")


def test_a_reader_that_is_gone_leaves_the_status(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = process(tmp_path, "return 2", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to write to")
def test_what_a_full_disk_does_not_take_is_no_success(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = process(tmp_path, "return 0", stdout=full)
    assert done.returncode == 1
    assert "could not be written (No space left on device)" in done.stderr


def test_without_standard_streams_nothing_else_takes_their_place(tmp_path: Path) -> None:
    (tmp_path / "animeid_user.py").write_text(
        "import sys\nfrom animeid.system.leave import run\n"
        "def main():\n"
        "    with open('result', 'w') as stream:\n"
        "        print('noise'); print('noise', file=sys.stderr); sys.stderr.isatty()\n"
        "        stream.write(str(stream.fileno()))\n"
        "    return 0\n"
        "if __name__ == '__main__': run(main)\n"
    )
    command = f"{sys.executable} animeid_user.py >&- 2>&-; echo $?"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout == "0\n"
    assert int((tmp_path / "result").read_text()) > 2


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "conf").glob("*.yaml")))
def test_every_command_leaves_so(name: str) -> None:
    text = (ROOT / "animeid" / f"{name}.py").read_text(encoding="utf-8")
    assert text.endswith('if __name__ == "__main__":\n    run(main)\n')
