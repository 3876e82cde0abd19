"""Changes of what answers, which hold in all workers once they are told to have happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from animeid.errors import InputError
from animeid.service.models import Models
from animeid.service.problems import Problem
from animeid.service.registry import Registry
from animeid.service.state import State

SECONDS = 60.0
"""Within which all workers must have loaded what a change needs."""
TICK = 0.02


async def switch(models: Models, registry: Registry | None, alias: str, name: str) -> State:
    """Puts a version behind a name.

    Args:
        models: of this worker, which tries it first.
        registry: where it may lie, if the service does not know it.
        alias: of the models; may be new.
        name: of the version, or of its folder in the registry.

    Raises:
        Problem: there is no such version, or it cannot be answered by.
    """
    version, folder = await known(models, registry, name)
    return await change(models, lambda state: with_folder(state, version, folder).switched(alias, version))


async def shade(models: Models, registry: Registry | None, name: str | None) -> State:
    """Makes a version the shadow; None ends it.

    Raises:
        Problem: as `switch`.
    """
    if name is None:
        return await change(models, lambda state: replace(state, shadow=None))
    version, folder = await known(models, registry, name)
    return await change(models, lambda state: replace(with_folder(state, version, folder), shadow=version))


async def roll_back(models: Models, alias: str) -> State:
    """Puts the version before behind a name.

    Raises:
        Problem: there is no such name, or no such version.
    """
    if alias not in models.aliases:
        raise Problem(404, f"there is no model called {alias}: see /models")
    return await change(models, lambda state: state.rolled_back(alias))


def with_folder(state: State, version: str, folder: Path) -> State:
    return replace(state, folders={**state.folders, version: str(folder)})


async def known(models: Models, registry: Registry | None, name: str) -> tuple[str, Path]:
    """Version and folder of what is asked for, which this worker can answer by.

    Raises:
        Problem: there is none, or it cannot be answered by.
    """
    folders = models.file.read().folders
    if name in folders:
        found = name, Path(folders[name])
    elif registry is None:
        raise Problem(404, f"the service knows no version {name}, and has no registry: start it with registry=FOLDER")
    else:
        try:
            found = await asyncio.to_thread(registry.find, name)
        except InputError as error:
            raise Problem(404, str(error)) from error
    try:
        await models.load(*found)
    except InputError as error:
        raise Problem(409, str(error)) from error
    return found


async def change(models: Models, how: Callable[[State], State]) -> State:
    """Changes the state, and waits until all workers follow; where one cannot, all go back.

    Raises:
        Problem: it cannot be changed so, or a worker cannot follow.
    """
    try:
        with models.file.changing():
            before = models.file.read()
            state = await asyncio.to_thread(models.file.change, how)
            if reached := await _reached(models, state.generation):
                back = replace(before, folders=state.folders)
                await asyncio.to_thread(models.file.change, lambda _: back)
                raise Problem(409, f"{reached}; all is as it was")
    except InputError as error:
        raise Problem(409, str(error)) from error
    return state


async def _reached(models: Models, generation: int) -> str:
    """Waits until all workers have come to a generation; why one could not, or ""."""
    try:
        async with asyncio.timeout(SECONDS):
            while (reached := models.reached(generation)) is None:
                await asyncio.sleep(TICK)
    except TimeoutError:
        return f"not all workers were ready within {SECONDS:g} seconds"
    return reached
