"""`python -m experiments.service.study [ARTEFACT]`: the service under load; writes the page beside this file.

Command: python -m experiments.service.study [ARTEFACT] [only=rates,overload,...] [minutes=60] [seconds=8]
    [pictures=10000] [stops=50]
Hardware: two cores are enough; nothing else may run.
Time: a quarter of an hour, and the minutes of mixed load. Without an artefact it makes one.

What is measured is kept in `outputs/service_study`, a file for each part, and only what is missing is measured; a part
that `only` names is measured again. The page is written of what there is.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from platform import python_version
from typing import Any

from animeid.artefacts.artefact import Artefact
from animeid.config.suggest import suggestion
from animeid.errors import InputError
from animeid.runs.folder import OUTPUTS
from animeid.system.environment import code, hardware
from animeid.system.files import read_json, write_json
from animeid.system.machine import usable_cores
from experiments.runs import table
from experiments.service.artefact import made
from experiments.service.parts import changes, exact, hostile, memory, overload, page_load, rates, stops
from experiments.service.parts.common import Given

PARTS = {
    "rates": rates,
    "page": page_load,
    "overload": overload,
    "exact": exact,
    "changes": changes,
    "memory": memory,
    "hostile": hostile,
    "stops": stops,
}
KEYS: dict[str, Any] = {"only": "", "seconds": 8.0, "minutes": 60.0, "pictures": 10_000, "stops": 50}
FOLDER = OUTPUTS / "service_study"
PAGE = Path(__file__).with_name("README.md")
PACKAGES = ("onnxruntime", "fastapi", "uvicorn", "uvloop")
HEADER = ["target", "goal", "measured", "met"]


def main(arguments: Sequence[str]) -> None:
    """Measures what is missing or asked for, and writes the page.

    Raises:
        InputError: an argument is none.
    """
    folders = [text for text in arguments if "=" not in text]
    keys = keys_of([text for text in arguments if "=" in text])
    only = [name for name in keys.pop("only").split(",") if name]
    if unknown := next((name for name in only if name not in PARTS), None):
        raise InputError(f"the study has no part '{unknown}'{suggestion(unknown, PARTS)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    artefact = Path(folders[0]) if folders else made(FOLDER / "artefact")
    Artefact.load(artefact)
    given = Given(artefact=artefact.absolute(), folder=FOLDER.absolute(), **keys)
    for name in only or [name for name in PARTS if not file_of(name).is_file()]:
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        found = PARTS[name].measure(given)
        took = {"command": asked(arguments), "minutes": (time.monotonic() - began) / 60, "environment": environment()}
        write_json(file_of(name), {"found": found, **took, "date": time.strftime("%Y-%m-%d")})
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def keys_of(arguments: Sequence[str]) -> dict[str, Any]:
    """The keys with their values.

    Raises:
        InputError: one is none, or has another kind of value.
    """
    found = dict(KEYS)
    for text in arguments:
        key, _, value = text.partition("=")
        if key not in KEYS:
            raise InputError(f"the study has no key '{key}'{suggestion(key, KEYS)}")
        try:
            found[key] = type(KEYS[key])(value)
        except ValueError as error:
            raise InputError(f"{text}: this must be a number") from error
    return found


def asked(arguments: Sequence[str]) -> str:
    """The command, without the folders in which the artefact lies here."""
    told = [text if "=" in text else Path(text).name for text in arguments]
    return " ".join(["python -m experiments.service.study", *told])


def file_of(part: str) -> Path:
    return FOLDER / f"{part}.json"


def environment() -> str:
    """Machine, versions and commit, in one sentence."""
    found, made_by = hardware("cpu", None, usable_cores()), code()
    packages = ", ".join(f"{name} {version(name)}" if find_spec(name) else f"no {name}" for name in PACKAGES)
    commit = (made_by["commit"] or "no commit")[:10] + (" with changes" if made_by["dirty"] else "")
    return f"{found['cores']} cores, {found['memory_gib']} GiB; Python {python_version()}, {packages}; commit {commit}"


def page() -> str:
    """All that has been measured as a page."""
    kept: Mapping[str, dict[str, Any]] = {name: read_json(file_of(name)) for name in PARTS if file_of(name).is_file()}
    rows = [row.cells() for name, one in kept.items() for row in PARTS[name].rows(one["found"])]
    missing = [name for name in PARTS if name not in kept]
    commands = list(dict.fromkeys(f"`{one['command']}`" for one in kept.values()))
    where = list(dict.fromkeys(f"{one['environment']}; {one['date']}." for one in kept.values()))
    left = f"Not measured yet: {', '.join(missing)}." if missing else ""
    return f"""# The service under load

{" and ".join(commands) or f"`{asked([])}`"} writes this page: `animeid.serve` as it is started
without settings, on MobileNetV2 at 224 px in float32, with ONNX Runtime.

{table(HEADER, rows)}

{left}

## How it was measured

All pictures differ, unless it says otherwise: JPEG of 400 px, of which each client sends one as a form and waits for
its answer before it sends the next. The load is a process of its own on the same machine. It is bound to no core: the
system parts both cores among it and whatever answers, as it would with a proxy on the machine. What it takes of a core
stands in the table, and is missing in the service's figures. Rates are the median of {rates.ROUNDS} rounds in turn,
with the lowest and the highest, and ratios those of neighbouring rounds.

The peers read the same form with the same decoder, ask the same file of the network, and answer the same names:
FastAPI (`peers/blocking.py`) with one endpoint and ONNX Runtime without settings; LitServe (`peers/litserve_api.py`)
with one worker and a session without settings, as its guide has it, and at its best on a processor, with a worker for
each core and sessions of one thread, which are those of the service. LitServe brings a faster parser along, which stays
its own.

{chr(10).join(where)}
"""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no service is left behind
    try:
        main(sys.argv[1:])
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
