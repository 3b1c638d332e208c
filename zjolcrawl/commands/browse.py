"""`scrapy browse`: the archive as a web page, on this machine, to be read."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import webbrowser

from scrapy.exceptions import UsageError

from zjolcrawl.command import ReadingCommand
from zjolcrawl.spiders.arguments import ArgumentError
from zjolcrawl.storage.image_stores import ImageReader
from zjolcrawl.terminal import say

_MISSING = "scrapy browse needs an extra: pip install 'zjolcrawl[browse]'"


class Command(ReadingCommand):
    """Serves until it is ended. Exit status 0: ended by Ctrl-C or SIGTERM; 2: could not begin."""

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Show the archive as a read-only web page on this machine"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=_port, default=8017, help="0 takes a free one (8017)")
        parser.add_argument("--open", action="store_true", help="open it in the browser")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve."""
        if args:
            raise UsageError(f"unexpected argument: {' '.join(args)}")
        try:
            from zjolcrawl.web.app import application
            from zjolcrawl.web.guard import is_loopback
            from zjolcrawl.web.server import address, listen, serving
            from zjolcrawl.web.site import Site
        except ModuleNotFoundError as error:
            raise ArgumentError(f"{_MISSING} (no {error.name})") from error
        async with self.database() as db:
            try:
                listening = listen(opts.host, opts.port)
            except OSError as error:
                raise ArgumentError(f"cannot listen on {opts.host}:{opts.port}: {error}") from error
            images = ImageReader(self.setting("FILES_STORE"), self.data_dir() / "images", db)
            url = address(listening, opts.host)
            if not is_loopback(opts.host):
                say(f"warning: {opts.host} can be reached by others, who can read all of it")
            site = Site(db, self.data_dir(), images, self.warc_store())
            upkeep = asyncio.create_task(site.stay_indexed())
            async with serving(application(site, opts.host), listening):
                sys.stdout.write(f"{url} (Ctrl-C ends it)\n")
                sys.stdout.flush()
                if opts.open:
                    await asyncio.to_thread(webbrowser.open, url)
            await site.stop_indexing(upkeep)


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 0 to 65535")
    return int(text)
