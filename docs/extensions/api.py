"""Pages of the API reference: one a room, with its modules."""

from __future__ import annotations

from extensions.markdown import table
from extensions.packages import Module, loose_files, rooms

OF_RAY = "animeid.service.replicas.replica"
"""Its class is made by a decorator that is not installed here, so that its members cannot be shown."""
TOP = Module("animeid", "The files at the top: commands, and words that all use.", is_room=True)


def all_rooms() -> list[Module]:
    """The rooms, and one for the files beside them."""
    return [*rooms(), Module(TOP.name, TOP.doc, is_room=True, inner=tuple(loose_files()))]


def overview() -> str:
    """A row a room."""
    rows = [[f"[`{room.name}`](api/{room.name}.md)", room.title] for room in all_rooms()]
    return table(["room", "what it is"], rows)


def page(room: Module) -> str:
    """The page of a room."""
    described = [module for module in room.walk() if module is not room and (module.doc or not module.is_room)]
    parts = [f"# {room.name}", room.doc]
    for module in described:
        parts += [f"## {module.name}", _automodule(module)]
    return "\n\n".join(parts) + "\n"


def _automodule(module: Module) -> str:
    options = "" if module.is_room or module.name == OF_RAY else "   :members:\n   :show-inheritance:\n"
    return f"```{{eval-rst}}\n.. automodule:: {module.name}\n{options}```"
