"""Work that takes a processor a while, beside the event loop, which goes on with other answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Two at a time: each takes turns with the event loop at Python's lock, so more would only slow it down.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="aside")


async def aside(work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
    """The result of a function that is called on a thread. Its own work must be bounded."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, lambda: work(*args, **options))
