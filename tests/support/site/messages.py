"""What is asked and what is answered: the two values every other part hands on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["reset", "close", "truncate", "hang", "slow"]
"""How an answer goes wrong.

- `reset`: TCP RST instead of an answer.
- `close`: the connection is closed without an answer.
- `truncate`: half of the body that was announced, then the connection is closed.
- `hang`: no answer, until the client leaves or the proxy stops.
- `slow`: the whole answer, its body in drops (`Answer.drop_bytes` each `Answer.drop_seconds`).
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it reached the proxy; one sent through CONNECT is here decrypted."""

    method: str
    url: str
    """Absolute, as the client wrote it, without a default port and the fragment."""
    host: str
    """Lower-case host name, without the port."""
    headers: Mapping[str, str]
    """Lower-case names; the values of a repeated header are joined by ", "."""
    time: float
    """Seconds since the epoch when the request had arrived."""
    body: bytes = b""
    status: int | None = None
    """Status of the answer; None while there is none and for a fault that sends none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to send, or a fault in its place."""

    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Case-insensitive; these win over the defaults (Date, Content-Type by the URL's suffix), and
    None leaves a default out. The framing (Content-Length …) is the server's own."""
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
"""Computes an answer. It runs in the proxy's event loop, so it must not block."""
