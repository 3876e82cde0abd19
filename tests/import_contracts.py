"""The import contract of layers, in which `commands` stands for every entry point that has a root card."""

from __future__ import annotations

from typing import Any

from importlinter.contracts.layers import LayersContract

from animeid.config.roots import roots

COMMANDS = "commands"


class LayersWithCommands(LayersContract):
    """Layers from top to bottom; a new command needs no line in them."""

    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        layers = [layer.replace(COMMANDS, " | ".join(roots())) for layer in contract_options["layers"]]
        super().__init__(name, session_options, {**contract_options, "layers": layers})
