"""`scrapy article URL`: shows or cites a stored article, or prints the bytes that it was parsed from."""

from __future__ import annotations

import argparse
from typing import Any

from zjolcrawl.archive.archive import ArchiveError, read_record
from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.cli.base import NotFound, ReadingCommand, one_url
from zjolcrawl.cli.options import utc_time
from zjolcrawl.clock import utc_now
from zjolcrawl.display.article import render
from zjolcrawl.display.citation import FORMATS, citation
from zjolcrawl.display.terminal import print_lines, say, write_data, write_json
from zjolcrawl.storage.connection import Database
from zjolcrawl.storage.queries.articles import version_at, version_of


class Command(ReadingCommand):
    """Prints title, body with images, and provenance; or JSON, a reference, the page or the WARC record."""

    usage = "URL [options]"
    summary = "Show an archived article, or the bytes that it was parsed from"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--revision", type=int, metavar="N", help="show an older version")
        which.add_argument(
            "--at",
            type=utc_time,
            metavar="TIME",
            help="the version of a time, 20170812034512 (UTC)",
        )
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="the document, as Extended JSON")
        form.add_argument("--raw", action="store_true", help="print the page as the server sent it")
        form.add_argument(
            "--record", action="store_true", help="print the WARC record, headers and body"
        )
        form.add_argument("--cite", choices=FORMATS, help="print a reference to the version")

    async def show(self, args: list[str], opts: argparse.Namespace) -> None:
        url = one_url(args)
        async with self.database() as db:
            version = await self._version(db, await self.article(db, url), opts)
        if opts.raw or opts.record:
            warc = version.get("warc")
            if not warc:
                raise NotFound(f"{url} was stored without an archive (WARC=off)")
            pointer = Pointer(**{name: warc[name] for name in Pointer.__dataclass_fields__})
            write_data(self._bytes(pointer, whole=opts.record))
        elif opts.json:
            write_json(version)
        elif opts.cite:
            write_data(FORMATS[opts.cite].write(citation(version)))
        else:
            print_lines(render(version))

    async def _version(
        self, db: Database, newest: dict[str, Any], opts: argparse.Namespace
    ) -> dict[str, Any]:
        """The version that --revision or --at names, or the newest. Raises NotFound."""
        found: dict[str, Any] | None = newest
        reason = ""
        if opts.revision is not None:
            found = await version_of(db, newest, opts.revision)
            reason = f"no version {opts.revision}: it has versions 1 to {newest['revision']}"
        elif opts.at is not None:
            if opts.at > utc_now():
                say(f"--at {stamp_of(opts.at)} is in the future: give the time in UTC")
            found = await version_at(db, newest, opts.at)
            reason = f"no version at {opts.at:%Y-%m-%d %H:%M:%S} UTC: it was first seen later"
        if found is None:
            raise NotFound(f"{newest['_id']} has {reason}")
        return found

    def _bytes(self, pointer: Pointer, *, whole: bool) -> bytes:
        """The whole record or its decoded body. Raises NotFound if it cannot be read or decoded."""
        try:
            record = read_record(self.data_dir() / "warc", pointer, self.warc_store())
            return record.raw if whole else decoded_body(record.message)
        except (ArchiveError, ValueError) as error:
            raise NotFound(f"record {pointer.record_id}: {error}") from error
