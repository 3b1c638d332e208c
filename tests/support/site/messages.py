"""Requests and responses of the test site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["reset", "close", "truncate", "hang", "slow"]
"""Faults of a response.

- `reset`: TCP RST instead of a response.
- `close`: the connection is closed without a response.
- `truncate`: half of the declared body, then the connection is closed.
- `hang`: no response until the client leaves or the proxy stops.
- `slow`: the whole response, its body in small pieces (`Answer.drop_bytes` each `Answer.drop_seconds`).
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it reached the proxy; one sent through CONNECT is decrypted."""

    method: str
    url: str
    """Absolute, as the client wrote it, without default port and fragment."""
    host: str
    """Lower-case host name, without the port."""
    headers: Mapping[str, str]
    """Lower-case names; the values of a repeated header are joined by ", "."""
    time: float
    """Arrival time, seconds since the epoch."""
    body: bytes = b""
    status: int | None = None
    """Status of the response; None if there is none yet, or for a fault without one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to send, or a fault instead."""

    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Case-insensitive; these override the defaults (Date, Content-Type by the URL's suffix), and
    None omits a default. The server sets the framing (Content-Length …)."""
    body: bytes = b""
    gzip: bool = False
    """Compress the body even for a client that does not accept gzip."""
    delay: float = 0.0
    """Seconds before anything is sent, or before the fault; added to `SiteProxy.delay`."""
    fault: Fault | None = None
    chunked: bool = False
    unframed: bool = False
    """Neither Content-Length nor chunks: the body ends where the connection does, as in HTTP/1.0."""
    drop_bytes: int = 16
    drop_seconds: float = 0.05


Responder = Callable[[Request], Answer]
"""Computes a response. It runs in the proxy's event loop, so it must not block."""
