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

    The lists of `unwalked` wait for their walk; `walking` has the ids of those whose walk has not ended.
    Links `awaiting_response` have no answer yet; links `not_stored` are not in MongoDB yet. `cursor` is the
    position of the last row read from the frontier; `exhausted` says that no row came after it.
    """

    unwalked: list[Listing]
    walking: set[str] = field(default_factory=set)
    awaiting_response: set[str] = field(default_factory=set)
    not_stored: set[str] = field(default_factory=set)
    cursor: tuple[datetime, str] | None = None
    exhausted: bool = False
    may_have_new_rows: bool = False
    batch_size: int = BATCH_SIZE
    batch_started_at: float = 0.0  # monotonic
    read_seconds: float = 0.0  # seconds spent reading the frontier
    next_read_at: float = 0.0  # monotonic time from which the frontier may be read again

    @property
    def busy(self) -> bool:
        """Whether a walk or a link is unfinished."""
        return bool(self.walking or self.not_stored)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do, as far as this run knows."""
        return not self.busy and self.exhausted and not self.may_have_new_rows and not self.unwalked

    def may_start_over(self) -> bool:
        """Whether the frontier has been read to its end and may hold new rows by now."""
        rested = time.monotonic() >= self.next_read_at
        return self.exhausted and self.may_have_new_rows and (rested or not self.busy)

    def start_over(self) -> None:
        """Read the frontier from its first row again."""
        self.exhausted = self.may_have_new_rows = False
        self.cursor, self.read_seconds = None, 0.0
