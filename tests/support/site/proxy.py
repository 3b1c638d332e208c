"""The forward proxy of the test site: an event loop in a thread, connections, and the interface for tests."""

import asyncio
import contextlib
import ssl
import threading
import traceback
from asyncio import sleep
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.site.certificate import CertificateError, tls_context
from tests.support.site.files import answer_from_files
from tests.support.site.log import RequestLog
from tests.support.site.messages import Answer, Request, Responder
from tests.support.site.overrides import Overrides
from tests.support.site.reading import BadRequestError, Head, read_head, read_request
from tests.support.site.writing import reset, sends_status, with_defaults, write_answer

# A client that does not close TLS must not keep its connection for asyncio's thirty seconds.
CLOSING_SECONDS = 1.0


class SiteProxy:
    """Serves `<root>/<host>/<path>` as `http://<host>/<path>` and as https, on loopback.

    With several roots the first that has a file wins. `listener`, if given, is called from the
    proxy's thread with every request once its answer is known. Use it as a context manager, once.
    """

    gzip: bool = False
    """Compress all text for clients that accept it; may be set while running."""
    delay: float = 0.0
    """Seconds before every answer, besides its own delay; may be set while running."""
    held: bool = False
    """Nothing is answered while this is true; may be set while running."""
    tls: ssl.SSLContext | None = None
    """TLS context for https instead of the self-signed certificate; may be set while running."""

    def __init__(
        self,
        root: Path | Sequence[Path],
        *,
        port: int = 0,
        listener: Callable[[Request], None] | None = None,
    ) -> None:
        self._roots = [root] if isinstance(root, Path) else list(root)
        self._port = port
        self._log = RequestLog(listener)
        self._overrides = Overrides()
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="SiteProxy")
        # Both belong to the thread's loop and exist once it has started.
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    # --- start and stop -----------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Start serving; raises `OSError` if the port is taken."""
        self._thread.start()
        try:
            self._port = self._started.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving and end every connection, hanging ones too."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """The proxy's own URL, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that make a process use the proxy for every host."""
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        return dict.fromkeys(names, self.url) | {"no_proxy": "", "NO_PROXY": ""}

    # --- responses ----------------------------------------------------------------------------

    def set(self, url: str, answer: Answer | Sequence[Answer] | Responder) -> None:
        """Answer exactly this URL, query included, instead of the files.

        A sequence is used one per request, and its last entry stays; a callable is called each
        time. Raises `ValueError` for an empty sequence and for a URL that is not absolute.
        """
        self._overrides.set(url, answer)

    def set_host(self, host: str, responder: Responder) -> None:
        """Let the responder answer every URL of a host, except those with an answer of their own."""
        self._overrides.set_host(host, responder)

    def unset(self, url: str) -> None:
        """Answer the URL from the files again; no error if it was not set."""
        self._overrides.unset(url)

    def clear(self) -> None:
        """Answer every URL from the files again."""
        self._overrides.clear()

    # --- log of requests ----------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """A copy of the requests so far, in order of arrival."""
        return self._log.snapshot()

    def urls(self, host: str | None = None) -> list[str]:
        """The URLs requested so far, in order, with repeats; of one host if given."""
        return [request.url for request in self.requests if host in (None, request.host)]

    def reset_log(self) -> None:
        """Forget the requests so far."""
        self._log.reset()

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.done():
                raise
            # Not running yet: __enter__ raises the error.
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._started.set_result(server.sockets[0].getsockname()[1])
        await self._stopping.wait()
        server.close()
        connections = dict(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for writer in connections.values():
            writer.transport.abort()
        # A transport closes its socket in the loop's next iteration, a TLS transport in the one after.
        for _ in range(3):
            await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine, so that each connection is in the list from the start.
        if self._stopping.is_set():
            writer.transport.abort()
            return
        task = self._loop.create_task(self._serve_connection(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    # --- a connection -------------------------------------------------------------------------

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._serve_requests(reader, writer)
        except BadRequestError as error:
            await _refuse(writer, 400, error)
        except CertificateError as error:
            await _refuse(writer, 502, error)
        except (ConnectionError, ssl.SSLError):
            pass  # The client has closed the connection.
        finally:
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        if not self._stopping.is_set():
            writer.close()
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
                await asyncio.wait_for(writer.wait_closed(), CLOSING_SECONDS)
        writer.transport.abort()

    async def _serve_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        authority: str | None = None
        while head := await read_head(reader):
            if head.method == "CONNECT":
                authority = head.target
                context = self.tls or await asyncio.to_thread(tls_context)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.start_tls(context)
                continue
            request = await read_request(reader, head, authority)
            if not await self._serve_request(reader, writer, head, request):
                return

    async def _serve_request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: Head,
        request: Request,
    ) -> bool:
        """Answer one request; whether the connection can serve another."""
        key = self._log.add(request)
        answer = with_defaults(self._answer(request), request, compress=self.gzip)
        if head.version == "HTTP/1.0":
            answer = replace(answer, chunked=False)
        await sleep(self.delay + answer.delay)
        while self.held:  # noqa: ASYNC110 - set by a test, from another thread
            await sleep(0.05)
        # Before anything is sent: a test that has the response must find it in the log.
        self._log.close(key, request, answer.status if sends_status(answer) else None)
        match answer.fault:
            case "reset":
                reset(writer)
            case "hang":
                await reader.read()  # until the client leaves
            case None | "slow" | "truncate":
                keep_alive = head.keep_alive and answer.fault != "truncate"
                keep_alive = keep_alive and not answer.unframed
                await write_answer(writer, answer, request, keep_alive=keep_alive)
                return keep_alive
        return False

    def _answer(self, request: Request) -> Answer:
        try:
            return self._overrides.answer(request) or answer_from_files(self._roots, request)
        except Exception:
            # A test's responder or a fixture is broken: show the error in the response.
            text = traceback.format_exc().encode()
            return Answer(500, {"content-type": "text/plain; charset=utf-8"}, text)


async def _refuse(writer: asyncio.StreamWriter, status: int, error: Exception) -> None:
    """Answer an invalid request, with the reason as the body."""
    answer = Answer(status, {"content-type": "text/plain"}, f"{error}\n".encode())
    request = Request("GET", "", "", {}, 0.0)
    with contextlib.suppress(ConnectionError):
        await write_answer(writer, answer, request, keep_alive=False)
