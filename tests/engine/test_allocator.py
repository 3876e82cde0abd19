"""The memory allocator, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from animeid.engine.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(2**24, dtype=np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(2**24, dtype=np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_blocks_that_are_freed_are_used_again_without_new_pages() -> None:
    """numpy sees to huge pages by itself, so that 16 MiB may be some tens of page faults as well as 4,096."""
    given, kept = (
        int(subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True).stdout)
        for mode in ("given", "kept")
    )
    assert given > 100
    assert kept < given / 10
