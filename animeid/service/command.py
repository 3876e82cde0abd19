"""`python -m animeid.serve`: from a command line to a service that runs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from animeid.deploy.arguments import given_to
from animeid.errors import InputError
from animeid.service.arguments import artefacts_of, request_of
from animeid.service.home import Home
from animeid.service.keys import ADMIN, USER, new_key, read_keys
from animeid.service.requests import AUTO, RAY, ServeRequest
from animeid.service.state import State
from animeid.system.console import has_told_of_itself, how_to_install, say, say_beside, write_anything
from animeid.system.home import settle_in
from animeid.system.status import status_of

HELP = """\
Names pictures over HTTP with exported artefacts, exactly as `python -m animeid.predict artefact=` does.

  python -m animeid.serve artefact=my_artefact
  python -m animeid.serve artefact=default=my_artefact,small=other_artefact port=8080 workers=2
  python -m animeid.serve keys=keys.jsonl new_key=alice

Keys (key=value):

"""
SHADOW = ""
"""In the place of an alias: the shadow has none."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line; the exit status: 0 after a signal that stopped it, 2 for bad input, 1 for a fault."""
    write_anything()
    settle_in()
    given = given_to(arguments)
    if has_told_of_itself(given, lambda: HELP + keys()):
        return 0
    return status_of(lambda: answer(request_of(given)))


def answer(request: ServeRequest) -> int:
    """Does what is asked for, and returns the exit status."""
    return serve(request) if request.artefact else make_key(request)


def make_key(request: ServeRequest) -> int:
    """Makes the key that is asked for, and shows it.

    Raises:
        InputError: it cannot be made.
    """
    name, role = (request.new_key, USER) if request.new_key is not None else (request.new_admin_key, ADMIN)
    assert name is not None and request.keys is not None
    key = new_key(Path(request.keys), name, role)
    say(f"{key}\nis the key of {name}, which is shown only now; {request.keys} holds its digest")
    return 0


def serve(request: ServeRequest) -> int:
    """Answers until SIGTERM or SIGINT.

    Raises:
        InputError: an artefact is none, or the address cannot be listened on.
    """
    if request.engine == RAY:
        return serve_on_ray(request)
    from animeid.service.supervisor import Supervisor

    state = first_state(request)
    listening = bound(request.host, request.port)
    home = Home(Path(tempfile.mkdtemp(prefix="animeid-serve-")))
    try:
        home.begin(request, state)
        models = ", ".join(f"{alias} (version {version})" for alias, version in state.current.items())
        return Supervisor(home, listening, request).run(f"{address(*listening.getsockname())} answers with {models}")
    finally:
        shutil.rmtree(home.folder, ignore_errors=True)


def serve_on_ray(request: ServeRequest) -> int:
    """The same, by replicas on a cluster.

    Raises:
        InputError: as `serve`; or Ray is not installed.
    """
    if find_spec("ray") is None:
        raise InputError(f"engine=ray needs Ray Serve, which is not installed: {how_to_install('ray')}")
    from animeid.service.replicas.command import serve_replicas

    return serve_replicas(request, first_state(replace(request, engine=AUTO)))


def first_state(request: ServeRequest) -> State:
    """The artefacts of a command line, each of which is checked.

    Raises:
        InputError: one is none, or the engine is not installed.
    """
    from animeid.artefacts.hub import artefact_folder
    from animeid.deploy.runtime import Runtime
    from animeid.service.crowd import most_connections, open_files
    from animeid.service.drift import unwatched

    def version_in(folder: Path) -> str:
        artefact = Runtime.load(folder, engine=request.engine).artefact
        if why := unwatched(artefact.metrics):
            say_beside(f"version {artefact.version}: {why}")
        return artefact.version

    folders = {alias: artefact_folder(text).absolute() for alias, text in artefacts_of(request.artefact or "").items()}
    versions = {alias: version_in(folder) for alias, folder in folders.items()}
    shadow = None if request.shadow is None else artefact_folder(request.shadow).absolute()
    if shadow is not None:
        folders[SHADOW], versions[SHADOW] = shadow, version_in(shadow)
    check_writable(request)
    most_connections(request.connections, open_files())
    if request.keys is not None:
        read_keys(Path(request.keys))
    if request.registry is not None and not Path(request.registry).is_dir():
        raise InputError(f"registry={request.registry} is no folder: give one in which artefacts lie side by side")
    return State(
        folders={versions[name]: str(folder) for name, folder in folders.items()},
        aliases={alias: (version,) for alias, version in versions.items() if alias != SHADOW},
        shadow=versions.get(SHADOW),
    )


def check_writable(request: ServeRequest) -> None:
    """Makes the folders that are written to, and looks at a file of feedback that is there.

    Raises:
        InputError: one cannot be, or what writes Parquet is not installed.
    """
    from animeid.service.feedback import Feedback

    if request.log is not None and find_spec("pyarrow") is None:
        raise InputError("log= writes Parquet, for which pyarrow is not installed: pip install pyarrow")
    folders = {"log": request.log, "feedback": request.feedback and str(Path(request.feedback).parent)}
    for key, text in folders.items():
        if text is None:
            continue
        try:
            Path(text).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{key}: {text} cannot be made ({error.strerror}): give another place") from error
        if not os.access(text, os.W_OK | os.X_OK):
            raise InputError(f"{key}: {text} cannot be written to: give another place")
    if request.feedback is not None:
        try:
            Feedback(Path(request.feedback)).try_out()
        except OSError as error:
            raise InputError(
                f"feedback: {request.feedback} cannot be written to ({error.strerror}): give another place"
            ) from error


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        InputError: it cannot.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise InputError(
            f"host={host} port={port} cannot be listened on ({error.strerror or error}): take another port, or 0 for a "
            "free one"
        ) from error
    listening.setblocking(False)
    return listening


def address(host: str, port: int, *_: int) -> str:
    """What a socket listens on, of which IPv6 says more."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def keys() -> str:
    """A line a key, of the request's own words."""
    defaults = {name: field.default for name, field in ServeRequest.__dataclass_fields__.items()}
    told = re.findall(r"^    (\w+): (.+)$", ServeRequest.__doc__ or "", re.MULTILINE)
    width = max(len(name) for name, _ in told)
    lines = []
    for name, text in told:
        default = defaults[name]
        is_given = isinstance(default, str | int | float | None)
        lines.append(
            f"  {name:<{width}}  {text}" + (f" (default: {'null' if default is None else default})" if is_given else "")
        )
    return "\n".join(lines)
