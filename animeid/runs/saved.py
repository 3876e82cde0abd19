"""The reader of what a run's folder holds from its beginning, be the run finished or going on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from animeid.runs.folder import RunFolder
from animeid.system.files import damaged, read_json, read_object, read_yaml, undamaged

if TYPE_CHECKING:
    import pandas as pd

    from animeid.data.manifest import Manifest

# Tables are imported when one is asked for: naming a picture needs none.


@dataclass(frozen=True)
class SavedRun:
    """The files that a run writes before it trains, each read once, when it is first asked for.

    Raises:
        InputError: by what needs a file that is damaged or not there.
    """

    folder: RunFolder

    @cached_property
    def request(self) -> dict[str, Any]:
        """`request.yaml`: what was asked for."""
        return read_yaml(self.folder.request)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """`config.yaml` as it is; what builds parts of it takes `FinalPlan.read`, which checks it."""
        return read_yaml(self.folder.config)

    @property
    def is_refit(self) -> bool:
        """Whether the run learns from val as well, and its twin answers for it."""
        return self.plan["data"].get("refit") is True

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The classes in target order."""
        with undamaged(self.folder.labels):
            found = read_json(self.folder.labels)
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise damaged(self.folder.labels)
        return tuple(found)

    @cached_property
    def environment(self) -> dict[str, Any]:
        return read_object(self.folder.environment)

    @cached_property
    def manifest(self) -> Manifest:
        import pyarrow.parquet as pq

        from animeid.data.manifest import read_manifest

        with undamaged(self.folder.manifest):  # what is wrong with a list of the user's is told in other words
            pq.read_schema(self.folder.manifest)
        return read_manifest(self.folder.manifest)

    @cached_property
    def skipped(self) -> pd.DataFrame:
        from animeid.data.tables import read_texts

        with undamaged(self.folder.skipped):
            return read_texts(self.folder.skipped)

    @cached_property
    def conflicts(self) -> pd.DataFrame:
        from animeid.data.tables import read_texts

        with undamaged(self.folder.conflicts):
            return read_texts(self.folder.conflicts)

    @cached_property
    def calibration(self) -> dict[str, Any] | None:
        """Written when the run ends; None before that, and of a run that an earlier version made."""
        return read_object(self.folder.calibration) if self.folder.calibration.is_file() else None
