"""Takes screenshots of the pages: phone and desktop, light and dark, Chinese and English.

python -m tests.web.screenshots FOLDER [PAGE …]
"""

from __future__ import annotations

import io
import math
import sys
import tempfile
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image, ImageDraw
from selenium.webdriver.common.by import By

from tests.support.goldens import FOLDERS
from tests.support.mongod import Mongod
from tests.support.site import Answer, SiteProxy
from tests.web.browser import chromium, full_picture
from tests.web.sample import EDITED, GONE, REFERENCE, SOWN, SOWN_YEAR, crawl, sow
from tests.web.serving import browsing

PAGES = {
    "search": "/?" + urlencode({"q": "环保督察 浙江"}),
    "counts": "/?" + urlencode({"q": "消息"}),
    "newest": "/",
    "invalid": "/?" + urlencode({"q": "环保", "since": "soon", "column": "zjxw"}),
    "unknown": "/?" + urlencode({"q": "环保", "column": "zjxv"}),
    "filters": "/?" + urlencode({"column": "zjxw", "since": "2017-01-01", "images": "1"}),
    "article": "/article?" + urlencode({"url": REFERENCE}),
    "history": "/history?" + urlencode({"url": REFERENCE}),
    "gone": "/history?" + urlencode({"url": GONE}),
    "restored": "/history?" + urlencode({"url": EDITED}),
    "record": "/record?" + urlencode({"url": REFERENCE}),
    "columns": "/columns",
    "changes": "/changes",
    "calendar": "/calendar?" + urlencode({"column": SOWN, "year": SOWN_YEAR}),
    "health": "/health",
    "feeds": "/feeds",
    "missing": "/nothing",
}


def main(folder: Path, wanted: list[str]) -> None:
    """Crawl the bundled site and take eight screenshots of each page."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, Mongod(Path(scratch) / "server") as server:
        data = Path(scratch) / "data"
        data.mkdir()
        with SiteProxy(FOLDERS) as site:
            scenery(site)
            crawl(site, data, server.uri, "zjol")
        with server.client() as client:
            sow(client["zjol"])
        with browsing(data, server.uri, "zjol") as (web, _):
            for scheme in ("light", "dark"):
                with chromium(data / f"profile-{scheme}", scheme=scheme) as driver:
                    for name, width, language in product(
                        wanted or PAGES, (390, 1280), ("zh", "en")
                    ):
                        sign = "&" if "?" in PAGES[name] else "?"
                        driver.get(f"{web.url}{PAGES[name]}{sign}lang={language}")
                        assert driver.find_elements(By.TAG_NAME, "h1")
                        picture = full_picture(driver, width, 900)
                        (folder / f"{name}-{width}-{language}-{scheme}.png").write_bytes(picture)


def scenery(site: SiteProxy) -> None:
    """Replaces the fixtures' single-colour images with hills."""
    for folder in FOLDERS:
        for number, path in enumerate(sorted(folder.rglob("*.jpg"))):
            site.set(f"http://{path.relative_to(folder)}", Answer(body=hills(number)))


def hills(number: int) -> bytes:
    """A JPEG of hills in mist."""
    width, height = 960, 600
    sky = (200 - 9 * number % 40, 216, 226 - 11 * number % 50)
    picture = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(picture)
    for layer in range(5):
        shade = tuple(int(c * (0.92 - 0.15 * layer)) for c in sky)
        top = [
            (x, 190 + 85 * layer + 46 * math.sin(x / (150 + 23 * layer) + number + 2.1 * layer)
             + 16 * math.sin(x / 37 + layer))
            for x in range(0, width + 8, 8)
        ]  # fmt: skip
        draw.polygon([(0, height), *top, (width, height)], fill=shade)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
