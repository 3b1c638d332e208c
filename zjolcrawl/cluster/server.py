"""The connection to Redis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zjolcrawl.cluster.scripts import SCRIPTS

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

PREFIX = "zjolcrawl:"
"""Of every key."""
_SECONDS = 5.0  # that an answer may take


class ServerAway(Exception):
    """Redis does not answer, or not as it should; the message is one line without credentials."""


class Server:
    """A client of the Redis at `url`."""

    def __init__(self, url: str) -> None:
        """Connects at the first call. Raises ServerAway where the address is none."""
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        self._errors = (RedisError, OSError)
        self._where = re.sub(r"//[^@/]*@", "//", url)
        try:
            # No retries: whoever calls knows what may be done twice.
            self._client = Redis.from_url(
                url, decode_responses=True, socket_timeout=_SECONDS,
                socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 0),
            )  # fmt: skip
        except ValueError as error:
            raise ServerAway(f"REDIS_URL {self._where} is unusable: {error}") from error
        self._scripts: dict[str, AsyncScript] = {
            name: self._client.register_script(text) for name, text in SCRIPTS.items()
        }

    async def run(self, script: str, crawl: str, *arguments: str | float) -> Any:
        """A script's answer; `crawl` is the prefix of one crawl's keys. Raises ServerAway."""
        try:
            return await self._scripts[script](keys=[PREFIX, crawl], args=arguments)
        except self._errors as error:
            raise ServerAway(f"REDIS_URL {self._where}: {_short(error)}") from error

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
