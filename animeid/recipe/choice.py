"""A choice of `recipe=auto`, and the table that tells all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from animeid.system.console import align

YOURS = "yours"


@dataclass(frozen=True)
class Choice:
    """What is chosen for a group or a key.

    key: `loss`, or `trainer.max_epochs`.
    value: a card of the group, or the key's value.
    reason: half a sentence for the user.
    values: what is set inside the card.
    """

    key: str
    value: Any
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def overrides(self) -> list[str]:
        """The choice as arguments of the command line."""
        return [f"{self.key}={self.value}", *(f"{self.key}.{name}={value}" for name, value in self.values.items())]

    def as_record(self) -> dict[str, Any]:
        """Plain values for the plan."""
        return {"key": self.key, "value": self.value, "values": dict(self.values), "reason": self.reason}


def table(choices: Sequence[Choice]) -> str:
    """A line for each choice, with its reason."""
    rows = [(choice.key if choice.reason == YOURS else " ".join(choice.overrides), choice.reason) for choice in choices]
    return "\n".join(align([("recipe=auto chose", "because"), *rows]))
