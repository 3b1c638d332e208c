"""Runs CPU-bound work in threads, so that the event loop can serve other requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Two threads: they share the GIL with the event loop, and more would only slow it down.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="aside")


async def aside(work: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> _T:
    """The result of `work`, called in a thread. It has no time limit, so its work must be bounded."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, lambda: work(*args, **options))
