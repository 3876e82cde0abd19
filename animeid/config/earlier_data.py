"""Data and network of the run in `from_run`, for a request that names none of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from animeid.config.arguments import keys_of
from animeid.config.freeze import read_plan
from animeid.config.nested import at, put
from animeid.errors import InputError
from animeid.runs.folder import OUTPUTS, RunFolder
from animeid.system.names import expanded

NETWORK = ("model", "head")
"""Nodes that belong together with weights."""

MACHINE = ("num_workers", "cache")
"""Keys of data that are this machine's business."""

OWN = ("refit",)
"""Keys that every run decides anew."""


def with_earlier_data(request: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A training request with the pictures of the run that it starts from, where it names none.

    They come with their split and size, but for what the command line sets itself.

    Args:
        request: as composed.
        overrides: of the command line, `key=value` each.

    Raises:
        InputError: there is no such run, or its pictures are not where they were.
    """
    if request["from_run"] is None or names_pictures(request, overrides):
        return dict(request)
    run = RunFolder.open(request["from_run"])
    data = earlier_data(run, read_plan(run.config)["data"], request["data"])
    return {**request, "data": with_own_values(data, request["data"], "data", keys_of(overrides))}


def with_earlier_network(
    request: Mapping[str, Any], default: Mapping[str, Any], overrides: Sequence[str]
) -> dict[str, Any]:
    """A training request with the network and head of the run that it starts from, where it names none.

    With `from_run_parts=backbone` the head is the request's own.

    Args:
        request: as composed. default: what a command without arguments asks for.
        overrides: of the command line, `key=value` each.

    Raises:
        InputError: there is no such run.
    """
    if request["from_run"] is None:
        return dict(request)
    keys = keys_of(overrides)
    names = NETWORK[:1] if request["from_run_parts"] == "backbone" else NETWORK
    taken = [name for name in names if name not in keys and _is_same_network(request[name], default[name])]
    if not taken:
        return dict(request)
    theirs = read_plan(RunFolder.open(request["from_run"]).config)
    own = {name: with_own_values(deepcopy(theirs[name]), request[name], name, keys) for name in taken}
    if "model" in own:
        own["model"] |= {name: request["model"][name] for name in ("pretrained", "weights")}
    return {**request, **own}


def _is_same_network(node: Mapping[str, Any], default: Mapping[str, Any]) -> bool:
    """Whether neither the command line nor a card of an experiment names another one."""
    return all(node.get(key) == default.get(key) for key in ("_target_", "name"))


def names_pictures(request: Mapping[str, Any], overrides: Sequence[str]) -> bool:
    """Whether the request has a root, or asks for the built-in cast in so many words."""
    asked = any(key in ("data", "data.root") or key.startswith("data.cast") for key in keys_of(overrides))
    return asked or request["data"].get("root") is not None


def earlier_data(run: RunFolder, theirs: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a run's plan as it is found from here, with this machine's own keys of the request.

    Raises:
        InputError: it is not found, and the request names no other place.
    """
    data = {name: deepcopy(value) for name, value in theirs.items() if name not in (*MACHINE, *OWN)}
    data |= {name: own[name] for name in (*MACHINE, *OWN) if name in own}
    root = found_from_here(run, data["root"])
    if root is not None and own.get("root") is None and not Path(expanded("data.root", root)).exists():
        raise InputError(
            f"the pictures of {run.path} were in {root}, which is not there any more: say with data.root=FOLDER where "
            "they are now"
        )
    return {**data, "root": root}


def found_from_here(run: RunFolder, root: str | None) -> str | None:
    """The path of a run's pictures: its plan names it from where the run was started, mostly a folder above it."""
    if root is None:
        return None
    base = next((base for base in _started_from(run) if _has_pictures(base / root, run)), None)
    return root if base is None or base == Path.cwd() else str(base / root)


def _started_from(run: RunFolder) -> Sequence[Path]:
    """Folders in which a run may have been started, the likeliest first: those above `outputs`, where it lies there."""
    above = run.path.resolve().parents
    names = [folder.name for folder in above]
    return above[names.index(OUTPUTS.name) + 1 :] if OUTPUTS.name in names else above


def _has_pictures(path: Path, run: RunFolder) -> bool:
    """Whether something is there that is neither a run nor in one, nor the folder of the runs themselves."""
    place, own = path.resolve(), run.path.resolve()
    is_of_runs = place in (own, own.parent) or own in place.parents or RunFolder(place).config.is_file()
    return place.exists() and not is_of_runs


def with_own_values(node: dict[str, Any], own: Mapping[str, Any], name: str, keys: Sequence[str]) -> dict[str, Any]:
    """A node that was taken over, with the values below it that the command line sets itself."""
    for key in keys:
        if key.startswith(f"{name}."):
            path = key.split(".")[1:]
            put(node, path, at(own, path))
    return node
