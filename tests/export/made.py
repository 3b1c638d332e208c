"""Generated articles for exports: each has every field of the schema."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from typing import Any

from bson import ObjectId

RUN = ObjectId("59900000000000000000abcd")
START = datetime(2017, 1, 1, 1, 2, 3, 45_000, tzinfo=timezone.utc)
SENTENCE = "浙江在线讯，全省各地贯彻落实中央第二环境保护督察组督察浙江省工作动员会精神。"


def article(number: int, **more: Any) -> dict[str, Any]:
    """A complete document; a field given as None is absent."""
    at = START + timedelta(hours=number)
    record = {
        "file": "zjol-1.warc.gz", "offset": number * 1000, "length": 999,
        "record_id": f"<urn:uuid:{number}>",
    }  # fmt: skip
    paragraphs = (f"第{number}条，第{each}段。{SENTENCE * 3}" for each in range(4 + number % 13))
    body = "\n".join(paragraphs)
    url = f"http://zjnews.zjol.com.cn/zjnews/zjxw/{at:%Y%m}/t{at:%Y%m%d}_{number:08}.shtml"
    values = {
        "_id": url, "doc_id": f"{number:08}", "site": "zjnews.zjol.com.cn", "site_name": "浙江新闻",
        "columns": ["zjxw", "zjxc"][: 1 + number % 2], "breadcrumb": ["浙江在线", "浙江新闻"],
        "title": f"标题 {number}", "kicker": "引题", "subtitle": "副题", "original_title": "原标题",
        "published_at": at, "published_precision": "second", "source": "浙江在线",
        "authors": [
            {"name": "江帆", "role": "记者", "outlet": "浙江在线"},
            {"name": "王五", "role": "通讯员"},
        ][: 1 + number % 2],
        "editors": [{"name": "金晨", "role": "责任编辑"}], "tags": ["生态文明", "督察|整改"],
        "editor_note": "编者按", "abstract": "摘要", "dateline": "浙江在线讯",
        "body": body, "body_html": "".join(f"<p>{each}</p>" for each in body.split("\n")),
        "images": [
            {"url": "http://x.zjol.com.cn/a.jpg", "ref": "./a.jpg", "position": 1,
             "caption": "图", "alt": "图片", "status": "stored", "sha256": "0" * 64,
             "path": "full/0.jpg", "width": 600, "height": 400, "bytes": 12345,
             "content_type": "image/jpeg"},
            {"url": "http://x.zjol.com.cn/b.jpg", "ref": "./b.jpg", "position": 2,
             "status": "referenced"},
        ],
        "videos": [{"url": "http://x.zjol.com.cn/1.mp4", "ref": "1.mp4", "name": "视频"}],
        "attachments": [{"url": "http://x.zjol.com.cn/1.pdf", "ref": "1.pdf"}],
        "pages": [url, url.replace(".shtml", "_1.shtml")], "aliases": [f"{url}?from=list"],
        "page_number": "01", "page_name": "要闻", "pdf": "http://x.zjol.com.cn/01.pdf",
        "content_sha256": hashlib.sha256(body.encode()).hexdigest(), "revision": 1,
        "status": "live", "first_seen_at": at, "last_seen_at": at + timedelta(days=1),
        "changed_at": at, "warc": record, "pages_warc": [record, record],
        "provenance": {
            "kind": "import", "from": "old.warc.gz", "url": f"https://web.archive.org/web/2019id_/{url}",
            "sha256": "f" * 64, "record": "<urn:uuid:2>", "offset": 1234,
        },
        "parser": {"template": "T1", "version": 2}, "warnings": ["missing: nothing"], "run_id": RUN,
    }  # fmt: skip
    return {name: value for name, value in (values | more).items() if value is not None}


def edited(first: dict[str, Any], body: str, days: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A former version as in `revisions`, and the version that followed it after `days` days."""
    changed = first["changed_at"] + timedelta(days=days)
    newest = {
        **first, "body": body, "body_html": f"<p>{body}</p>", "revision": first["revision"] + 1,
        "content_sha256": hashlib.sha256(body.encode()).hexdigest(),
        "changed_at": changed, "last_seen_at": changed + timedelta(hours=1),
    }  # fmt: skip
    return {**first, "_id": {"url": first["_id"], "revision": first["revision"]}}, newest
