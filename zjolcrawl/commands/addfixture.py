"""`scrapy addfixture URL|FILE`: saves a page as a fixture, with a draft of its golden file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import zjolcrawl
from zjolcrawl.archive.archive import Archive, ArchiveError
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.decoding import decoded_body
from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import NotFound, ReadingCommand, one_url
from zjolcrawl.display.terminal import printable, say
from zjolcrawl.parsing.urls import canonical, is_own_host, page_number

# Scrapy imports the modules of all commands for each command line, and `zjolcrawl.fixture` the whole parser:
# its functions import it where they need it.
if TYPE_CHECKING:
    from zjolcrawl.fixture import SavedPage

_CHECKOUT = Path(zjolcrawl.__file__).parents[1] / "fixtures"


class Command(ReadingCommand):
    """Writes page and golden file. Exit status 1: not archived; 2: invalid arguments, or there already."""

    usage = "URL|FILE [options]"
    summary = "Save a page as a fixture for the tests of the parser"
    details = (
        "Saves the newest archived page of a URL, or an HTML file together with --url, and writes what the "
        "parser reads from it into a golden file beside it. Check each value against the page, then delete "
        'the line "unchecked": the tests refuse the file until then. Nothing is downloaded.'
    )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--url", help="the URL that FILE was saved from")
        parser.add_argument(
            "--to", type=Path, metavar="FOLDER",
            help="where to write; default: fixtures/ of the checkout, if zjolcrawl runs from one",
        )  # fmt: skip

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        given = one_url(args)
        folder: Path = opts.to or _CHECKOUT
        if not (opts.to or folder.is_dir()):
            raise ArgumentError("name a folder to write to: --to FOLDER")
        if opts.url or Path(given).is_file():
            page = _saved(Path(given), opts.url)
            self._write(page, lambda _: None, folder)
            return
        url, warc = _own(given), self.data_dir() / "warc"
        if not warc.is_dir():
            raise NotFound(f"no archive at {warc}")
        with Archive(warc, self.warc_store()) as archive:
            if (capture := _newest(archive, url)) is None:
                raise NotFound(f"the archive has no page {url} with status 200: crawl it first")

            def further(part: str) -> SavedPage | None:
                found = archive.further(part, capture)
                return _archived(archive, found, part) if found and found.status == 200 else None

            self._write(_archived(archive, capture, url), further, folder)

    def _write(
        self, page: SavedPage, further: Callable[[str], SavedPage | None], folder: Path
    ) -> None:
        from zjolcrawl.fixture import draft, write

        assert self.settings
        made = draft(page, further, self.settings.getfloat("PAGE_SECONDS"))
        try:
            files = write(made, folder)
        except (OSError, ValueError) as error:
            raise ArgumentError(f"cannot save {page.url}: {error}") from error
        for path in files:
            sys.stdout.write(f"{printable(str(path))}\n")
        for url in made.missing:
            say(f"a further page is not there: {url}")
        say(f'compare {files[-1]} with the page, then delete its line "unchecked"')


def _saved(file: Path, url: str | None) -> SavedPage:
    if not url:
        raise ArgumentError(f"say where {file} was saved from: --url URL")
    address = _own(url)
    if page_number(url):
        raise ArgumentError(f"{url} is a further page of an article: save the first page")
    from zjolcrawl.fixture import SavedPage

    try:
        return SavedPage(address, file.read_bytes())
    except OSError as error:
        raise ArgumentError(f"cannot read {file}: {error.strerror}") from error


def _own(text: str) -> str:
    """The canonical URL of a page of the site, `http://` optional. Raises ArgumentError."""
    try:
        url = canonical(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise ArgumentError(f"{text} is not a URL: {error}") from error
    if not is_own_host(url):
        raise ArgumentError(f"{text} is neither a file nor a URL of the site")
    return url


def _newest(archive: Archive, url: str) -> Capture | None:
    """The newest good capture of a page, fetched by http or https."""
    addresses = (url, url.replace("http:", "https:", 1))
    found = [archive.index.newest(address, status=200) for address in addresses]
    return max(filter(None, found), key=lambda each: each.date, default=None)


def _archived(archive: Archive, capture: Capture, url: str) -> SavedPage:
    """The page of a capture, stored under `url`. Raises ArchiveError."""
    from zjolcrawl.fixture import SavedPage

    message = archive.message(capture)
    try:
        return SavedPage(url, decoded_body(message), message.header("content-type"))
    except ValueError as error:
        raise ArchiveError(f"{capture.pointer.record_id}: {error}") from error
