"""Item pipeline that downloads an article's images and stores their bytes by sha256.

A failed image never costs the article.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlparse

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.files import FilesPipeline
from scrapy.utils.defer import ensure_awaitable

from zjolcrawl.archive.archive import ArchiveError, NoAnswer
from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.warc import warc_date
from zjolcrawl.items import Article, Image, image_warning
from zjolcrawl.messages import cause_of, typed, without_stack
from zjolcrawl.parsing.picture import NotPicture, Picture
from zjolcrawl.parsing.urls import is_image_host
from zjolcrawl.pipelines.pictures import PictureReader
from zjolcrawl.request_meta import AS_OF, CAPTURE, CONTEXT
from zjolcrawl.run.leases import LeaseLost
from zjolcrawl.run.opening import Mode
from zjolcrawl.run.run import run_of
from zjolcrawl.setting_values import parse_bool
from zjolcrawl.storage.image_stores import GridFSFiles, ImageFiles

_LONGEST_FAULT = 200
_REMEMBERED = 5000  # URLs per run: neighbouring articles share pictures


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The result for an image URL; `fault` says why there are no bytes.

    `reused`: they were fetched before, by another run or for another article.
    """

    status: str
    sha256: str | None = None
    path: str | None = None
    size: int | None = None
    picture: Picture | None = None
    fault: str | None = None
    reused: bool = False


class ImagePipeline(FilesPipeline):
    """Fetches an article's images from the site's own hosts and stores their bytes unchanged.

    An image that the archive has is not fetched again: its name changes with its bytes [REAL: names
    of date and 12 digits]. The store is Scrapy's `FILES_STORE`: a folder (default
    `DATA_DIR/images`), `s3://`, `gs://`, `ftp://`, or `gridfs://` for the run's own database. A
    separate process decodes the images one at a time, so that a hostile one fails alone.
    """

    STORE_SCHEMES: ClassVar[dict[str, Any]] = {
        **FilesPipeline.STORE_SCHEMES, "": ImageFiles, "file": ImageFiles, "gridfs": GridFSFiles,
    }  # fmt: skip

    def __init__(self, store_uri: Any, download_func: None = None, *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        self._most_bytes = crawler.settings.getint("IMAGES_MAX_BYTES")
        self._most = crawler.settings.getint("IMAGES_MAX_COUNT")
        self._run = run_of(crawler)
        self._reader = PictureReader()
        self._fetched: OrderedDict[str, asyncio.Future[_Fetched]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured with IMAGES=off, or for a spider without a run."""
        if not parse_bool(crawler.settings.get("IMAGES")):
            raise NotConfigured
        cls._update_stores(crawler.settings)
        folder = Path(crawler.settings.get("DATA_DIR")) / "images"
        return cls(crawler.settings.get("FILES_STORE") or str(folder.resolve()), crawler=crawler)

    async def process_item(self, item: Any, spider: Any = None) -> Any:
        """Fill in the images of an Article; other items pass through."""
        if isinstance(item, Article) and item.images:
            wanted = item.images[: self._most]
            try:
                found = await asyncio.gather(*(self._complete(image, item) for image in wanted))
            except LeaseLost as error:  # its link is still due, and its page is archived
                raise DropItem(f"{item.url}: {error}", log_level="INFO") from error
            item.images = [*(image for image, _ in found), *item.images[self._most :]]
            item.warnings += [
                warning for _, warning in found if warning
            ]  # in the order of the page
            if len(item.images) > self._most:
                item.warnings.append(f"images: only the first {self._most} were fetched")
        return item

    async def close_spider(self) -> None:
        """End the process that decodes pictures."""
        await self._reader.close()

    async def _complete(self, image: Image, article: Article) -> tuple[Image, str | None]:
        """The image with its result filled in, and a warning or None."""
        if not is_image_host(image.url):
            return image, None
        fetched = await self._result_of(image.url, article)
        assert self._run.store is not None
        what = "reused" if fetched.reused else fetched.status
        self._run.store.counts[f"images_{what}"] += 1
        warning = image_warning(image.position, fetched.fault) if fetched.fault else None
        picture = fetched.picture
        if picture and picture.unread:  # not worded as a failure: the store drops those
            warning = f"image {image.position} is kept undecoded: {picture.unread}"
        complete = replace(
            image, status=fetched.status, sha256=fetched.sha256, path=fetched.path,
            bytes=fetched.size, width=picture.width if picture else None,
            height=picture.height if picture else None,
            content_type=picture.content_type if picture else None,
        )  # fmt: skip
        return complete, warning

    async def _result_of(self, url: str, article: Article) -> _Fetched:
        """The result for a URL: fetched once per run (when re-parsing: once per capture) and shared."""
        capture = self._find_capture(url, article)
        if self._run.live:
            return await self._fetch_shared(url, url, article, capture)
        if capture is None:
            return _Fetched("referenced")
        fetched = await self._fetch_shared(capture.pointer.record_id, url, article, capture)
        if fetched.status != "stored" and (
            again := self._last_capture_of_visit(url, article, capture)
        ):
            return await self._fetch_shared(again.pointer.record_id, url, article, again)
        return fetched

    async def _fetch_shared(
        self, key: str, url: str, article: Article, capture: Capture | None
    ) -> _Fetched:
        if earlier := self._fetched.get(key):
            return _reused(await earlier)
        fetching = self._fetched[key] = asyncio.ensure_future(self._fetch(url, article, capture))
        if len(self._fetched) > _REMEMBERED:
            self._fetched.popitem(last=False)
        return await fetching

    def _find_capture(self, url: str, article: Article) -> Capture | None:
        """The archived image: when re-parsing what the crawl got, else a capture that saves a request."""
        archive = self._run.archive
        if archive is None or article.visit.seen_at is None:
            return None
        moment = warc_date(article.visit.seen_at)
        if not self._run.live:
            return archive.around(url, moment)
        return archive.index.newest(url, until=moment, status=200)

    async def _fetch(self, url: str, article: Article, capture: Capture | None) -> _Fetched:
        if capture:
            fetched = await self._download(self._request(url, article, capture))
            if fetched.status == "stored" or not self._run.live:
                return _reused(fetched)
        return await self._download(self._request(url, article))

    def _last_capture_of_visit(self, url: str, article: Article, before: Capture) -> Capture | None:
        """The last capture of the article's own visit, for when the older bytes were unusable."""
        archive, seen_at = self._run.archive, article.visit.seen_at
        if archive is None or seen_at is None or before.date > warc_date(seen_at):
            return None
        return archive.last_attempt(archive.index.following(url, warc_date(seen_at)))

    def _request(self, url: str, article: Article, capture: Capture | None = None) -> Request:
        meta = {
            CONTEXT: {"image": url, "article": article.link},
            "download_maxsize": self._most_bytes,
            "download_warnsize": 0,
            AS_OF: article.visit.seen_at,
            **({CAPTURE: capture} if capture else {}),
        }
        return Request(url, callback=NO_CALLBACK, headers={"Referer": article.url}, meta=meta)

    async def _download(self, request: Request) -> _Fetched:
        assert self.crawler.engine is not None
        try:
            response = await self.crawler.engine.download_async(request)
        except LeaseLost:
            if self._run.leases and self._run.leases.halted:
                raise
            return _Fetched("failed", fault="MongoDB was lost")
        except NoAnswer as error:
            return _Fetched("failed", fault=str(error)[:_LONGEST_FAULT])
        except ArchiveError as error:
            if not self._run.live:
                self._run.faults.append(f"{request.url}: {cause_of(error)}")
            return _Fetched("failed", fault=str(error)[:_LONGEST_FAULT])
        except Exception as error:
            return _Fetched("failed", fault=typed(without_stack(error), _LONGEST_FAULT))
        return await self._store_image(response)

    async def _store_image(self, response: Response) -> _Fetched:
        if response.status in {404, 410}:
            return _Fetched("missing")
        if response.status != 200:
            return _Fetched("failed", fault=f"HTTP {response.status}")
        data = response.body
        try:
            picture = await self._reader.read(data)
            sha256 = hashlib.sha256(data).hexdigest()
            path = f"{sha256[:2]}/{sha256}{picture.suffix}"
            if self._run.mode is not Mode.PREVIEW:
                persist = self.store.persist_file(path, BytesIO(data), self.spiderinfo)
                await ensure_awaitable(persist)
        except NotPicture as error:
            return _Fetched("failed", fault=str(error))
        except Exception as error:  # stores raise their own errors; botocore's are not OSError
            return _Fetched("failed", fault=f"not stored: {cause_of(error)}"[:_LONGEST_FAULT])
        return _Fetched("stored", sha256, path, len(data), picture)

    def _get_store(self, uri: str) -> Any:
        if urlparse(uri).scheme == "gridfs":
            return GridFSFiles(uri, self._database)
        return super()._get_store(uri)

    def _database(self) -> Any:
        assert self._run.store is not None
        return self._run.store.db


def _reused(fetched: _Fetched) -> _Fetched:
    """A result that cost no request; only a stored image counts as reused."""
    return replace(fetched, reused=fetched.status == "stored")
