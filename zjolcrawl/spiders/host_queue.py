"""The work of one leased host: its lists, and its links that are requested and not yet stored."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.papers import Paper

BATCH_SIZE = 16  # links of a host per batch; the batch grows for a fast host
Listing = Column | Paper
"""A list to walk from page to page: a column, or a paper's issues."""


@dataclass(slots=True)
class HostQueue:
    """The work of one leased host.

    `open_walks`: the ids of the lists whose walk has begun and not ended. `unanswered_links`: requested, no
    answer yet. `unstored_links`: requested, not in MongoDB yet. `cursor`: the position of the last row
    read from the frontier; `is_read_to_end`: no row came after it.
    """

    lists_to_walk: list[Listing]
    open_walks: set[str] = field(default_factory=set)
    unanswered_links: set[str] = field(default_factory=set)
    unstored_links: set[str] = field(default_factory=set)
    cursor: tuple[datetime, str] | None = None
    is_read_to_end: bool = False
    may_have_new_rows: bool = False
    batch_size: int = BATCH_SIZE
    batch_started_at: float = 0.0  # monotonic
    read_seconds: float = 0.0  # seconds spent reading the frontier
    next_read_at: float = 0.0  # monotonic time from which the frontier may be read again

    @property
    def is_busy(self) -> bool:
        """Whether a walk or a link is unfinished."""
        return bool(self.open_walks or self.unstored_links)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do, as far as this run knows."""
        return (
            not self.is_busy
            and self.is_read_to_end
            and not self.may_have_new_rows
            and not self.lists_to_walk
        )

    def may_start_over(self) -> bool:
        """Whether the frontier has been read to its end and may hold new rows by now."""
        rested = time.monotonic() >= self.next_read_at
        return self.is_read_to_end and self.may_have_new_rows and (rested or not self.is_busy)

    def start_over(self) -> None:
        """Read the frontier from its first row again."""
        self.is_read_to_end = self.may_have_new_rows = False
        self.cursor, self.read_seconds = None, 0.0
