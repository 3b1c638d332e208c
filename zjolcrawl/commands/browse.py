"""`scrapy browse`: serves the archive as read-only web pages and JSON on this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys
import webbrowser

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import ReadingCommand, no_arguments
from zjolcrawl.cli.options import web_address, whole_number
from zjolcrawl.display.terminal import say
from zjolcrawl.messages import cause_of
from zjolcrawl.setting_values import api_origins, api_token, browse_hosts

_MISSING = "scrapy browse needs an extra: pip install 'zjolcrawl[browse]'"

_UNGUARDED = (
    "--host lets other machines read the archive: set API_TOKEN to a token that they must send, or to off,"
    " or keep 127.0.0.1 and put a web server with passwords before it"
)


class Command(ReadingCommand):
    """Serves until stopped. Exit status 0: stopped by Ctrl-C or SIGTERM; 2: could not start."""

    summary = "Serve the archive as read-only web pages and JSON on this machine"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--host", default="127.0.0.1", help="bind address (default 127.0.0.1)")
        parser.add_argument(
            "--port", type=whole_number(0, 65535), default=8017, help="0: free port (default 8017)"
        )
        parser.add_argument(
            "--base-url", type=web_address, metavar="URL",
            help="where a proxy serves the pages, for links to cite and in feeds",
        )  # fmt: skip
        parser.add_argument("--open", action="store_true", help="open the page in the browser")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve until SIGINT or SIGTERM, keeping the full-text index up to date meanwhile."""
        no_arguments(args)
        try:
            from zjolcrawl.web.access import Access
            from zjolcrawl.web.app import application
            from zjolcrawl.web.security import is_loopback
            from zjolcrawl.web.server import address, address_for_others, listen, serving
            from zjolcrawl.web.site import Site
        except ModuleNotFoundError as error:
            raise ArgumentError(f"{_MISSING} (no {error.name})") from error
        access = Access(*self.access(guarded=is_loopback(opts.host)))
        async with self.database() as db:
            try:
                listening = listen(opts.host, opts.port)
            except OSError as error:
                raise ArgumentError(
                    f"cannot listen on {opts.host}:{opts.port}: {cause_of(error)}"
                ) from error
            images = self.images(db)
            url = address(listening, opts.host)
            if not is_loopback(opts.host):
                who = "with API_TOKEN, which they send unencrypted" if access.token else "everybody"
                others = address_for_others(listening, opts.host)
                say(
                    f"warning: other machines can reach {others} and read the whole archive ({who})"
                )
            site = Site(db, self.data_dir(), images, self.warc_store(), opts.base_url or "")
            upkeep = asyncio.create_task(site.stay_indexed())
            async with serving(application(site, opts.host, access), listening):
                sys.stdout.write(f"{url} (Ctrl-C ends it)\n")
                sys.stdout.flush()
                if opts.open:
                    await asyncio.to_thread(webbrowser.open, url)
            await site.stop_indexing(upkeep)

    def access(self, *, guarded: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The token of requests, empty if none; the origins that may call the API; a proxy's host names.

        `guarded`: only this machine can send requests. Raises ArgumentError.
        """
        assert self.settings is not None
        try:
            token = api_token(self.settings)
            origins, names = api_origins(self.settings), browse_hosts(self.setting("BROWSE_HOSTS"))
        except ValueError as error:
            raise ArgumentError(str(error)) from error
        if token is None and not guarded:
            raise ArgumentError(_UNGUARDED)
        return token or "", origins, names
