"""Request classes of data sets; light: the command line reads them as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from animeid.config.schema import Card
from animeid.values import PathText


@dataclass(frozen=True, kw_only=True)
class ShardRequest:
    """The root of `conf/shard.yaml`.

    output: the folder of the shards.
    by_class: whether each training shard holds one class.
    shard_mb: megabytes of a shard.
    """

    data: Card
    output: PathText
    by_class: bool
    shard_mb: Annotated[int, Ge(1)]
