"""The work of one leased host: its walks, and its links that are requested and not yet stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.papers import Paper

PORTION = 16  # links of a host per batch; the batch grows for a fast host
Listing = Column | Paper
"""A list to walk from page to page: a column, or a paper's issues."""


@dataclass(slots=True)
class HostQueue:
    """The work of one leased host.

    `walks` have not begun, `walking` have not ended. `open` links have no answer yet; `asked` links
    are not in MongoDB yet. `after` is the position of the last row read from the frontier, `read`
    says that no row came after it, `found` that new rows may exist.
    """

    walks: list[Listing]
    walking: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    after: tuple[datetime, str] | None = None
    read: bool = False
    found: bool = False
    portion: int = PORTION
    since: float = 0.0
    cost: float = 0.0  # seconds spent reading the frontier
    rested: float = 0.0  # monotonic time from which the frontier may be read again

    @property
    def busy(self) -> bool:
        """Whether a walk or a link is unfinished."""
        return bool(self.walking or self.asked)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do, as far as this run knows."""
        return not self.busy and self.read and not self.found and not self.walks
