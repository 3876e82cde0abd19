"""Whose what answers on a cluster is: the command's that has put it there last.

The word stands where Ray keeps what the cluster knows, and not with the replicas, of which some are of one command and
some of another while they are replaced.
"""

from __future__ import annotations

from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put

KEY, SPACE = "owner", "animeid"


def pass_on(owner: str) -> str:
    """Makes a command the owner; the one before, or "" where there was none."""
    before = _internal_kv_get(KEY, namespace=SPACE) or b""
    _internal_kv_put(KEY, owner, overwrite=True, namespace=SPACE)
    return before.decode()


def is_of(owner: str) -> bool:
    """Whether nobody has taken over since."""
    return _internal_kv_get(KEY, namespace=SPACE) == owner.encode()
