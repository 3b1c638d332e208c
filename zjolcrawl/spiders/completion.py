"""Which captures must be parsed again, because later ones complete their articles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from heapq import merge
from itertools import islice
from typing import Any

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.run.run import Run

_AT_ONCE = 500  # captures: their URLs must fit into one query
_MOST_CUTS = 20  # rounds; a cut can show that its own halves must be cut


class Completion:
    """Finds the captures that captures of `runs` complete; each is given once.

    An article lacks what no archive file had when it was parsed: further pages, images, the target of a
    redirect, and in former versions the columns of lists. Captures of `runs` themselves were parsed with all
    of these at hand.
    """

    def __init__(self, run: Run, index: ArchiveIndex, runs: Collection[str]) -> None:
        self._run, self._index, self._runs = run, index, runs
        self._given: set[str] = set()

    async def by(self, captures: Iterable[Capture]) -> AsyncIterator[Capture]:
        """The captures that these complete, oldest first for each article."""
        left = iter(captures)
        while some := list(islice(left, _AT_ONCE)):
            contexts = [each.context for each in some]
            images = [each["image"] for each in contexts if "image" in each]
            pages = [each for each in contexts if "article" in each and "image" not in each]
            for each in self._index.leading_to(page["article"] for page in pages):
                if each.run not in self._runs and self._is_first(each.pointer.record_id):
                    yield each
            parts = {page["article"] for page in pages if "part" in page}
            async for each in self.of(parts, images):
                yield each

    async def of(
        self, articles: Collection[str], images: Collection[str] = ()
    ) -> AsyncIterator[Capture]:
        """The captures of these articles, and of those with a version that lacks one of these images."""
        found = await (await self._run.open()).addresses(articles, images)
        for url, addresses in found.items():
            if not self._is_first(url):
                continue
            for each in self._index.visits(addresses, "", "9"):
                if each.run not in self._runs:
                    yield each

    def _is_first(self, name: str) -> bool:
        is_first = name not in self._given
        self._given.add(name)
        return is_first


async def cut_captures(
    run: Run, index: ArchiveIndex, all_stored: Callable[[], Awaitable[None]]
) -> AsyncIterator[Capture]:
    """The captures of versions that the run has cut, until there are none.

    A capture between two others with another page ends their version and begins it again. `all_stored` waits until
    the store has what was parsed so far. Raises StoreError.
    """
    store = await run.open()
    cut: list[Any] = []
    for _ in range(_MOST_CUTS):
        await all_stored()
        former, cut = cut, await store.cut()
        if not cut or cut == former:  # what cannot be parsed stays a copy
            return
        for capture in merge(
            *(each.captures(index) for each in cut), key=lambda capture: capture.date
        ):
            yield capture
