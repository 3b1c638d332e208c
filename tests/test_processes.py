"""What a process that reads many pages does about its memory."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys

import pytest

from tests.support.crawling import ROOT

# Large blocks with small ones between them that stay, as a crawl's batches and pages are.
_BLOCKS = """
import sys
from pathlib import Path
from zjolcrawl.processes import tend_memory

if sys.argv[1] == "tended":
    tend_memory()
once = b"x" * (16 << 20)
del once
large, small = [], []
for number in range(50):
    large.append(b"x" * (1 << 20))
    small.append(b"x" * 2000)
del large
print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that keeps them")
def test_what_large_blocks_took_is_given_back() -> None:
    kept, tended = (_resident_after(how) for how in ("left", "tended"))
    assert kept - tended > 10 << 20


def _resident_after(how: str) -> int:
    """Bytes of memory that a process holds in the end."""
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKS, how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_what_is_there_is_not_searched_for_garbage() -> None:
    seen = subprocess.run(
        [
            sys.executable, "-c",
            "import gc; from zjolcrawl.processes import tend_memory; tend_memory();"
            "print(gc.get_threshold()[0], len(gc.get_objects()))",
        ],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    threshold, objects = map(int, seen.stdout.split())
    assert threshold > gc.get_threshold()[0]
    assert objects < len(gc.get_objects())
