"""Settings of a shard folder; light: the command line reads them before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from animeid.data.settings import DataSettings

SHUFFLE_BUFFER = 5000


@dataclass(frozen=True, kw_only=True)
class ShardSettings(DataSettings):
    """Pictures in the shards that `python -m animeid.shard` wrote.

    shuffle_buffer: pictures among which the order of a shard is shuffled, as if so many were held in a buffer.
    """

    wants_shards: ClassVar[bool] = True

    shuffle_buffer: Annotated[int, Ge(1)] = SHUFFLE_BUFFER

    @property
    def shard_buffer(self) -> int:
        return self.shuffle_buffer
