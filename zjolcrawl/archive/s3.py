"""Files in an S3-compatible store: WARC files are uploaded whole, verified, and read by byte range.

Every error is an OSError, as for a disk; a missing file is FileNotFoundError.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from zjolcrawl.messages import cause_of, without_password

_MOST = 5 * 1024**3  # bytes of one PUT
_CHUNK = 1024**2
_BUFFER = 512 * 1024  # minimum bytes that one range request fetches
_MISSING = {"404", "NoSuchKey", "NotFound"}
# botocore's option names, and the Scrapy settings of FILES_STORE, named like the environment variables.
_OPTIONS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN", "endpoint_url": "AWS_ENDPOINT_URL",
    "region_name": "AWS_REGION_NAME", "use_ssl": "AWS_USE_SSL", "verify": "AWS_VERIFY",
}  # fmt: skip


def store_of(setting: Callable[[str], Any], name: str = "WARC_STORE") -> WarcStore | None:
    """The store that the setting `name` names, or None if it is empty; `setting` looks up a setting by name.

    botocore fills in options that are not set, from the environment and its own files. Raises
    ValueError with a one-line message.
    """
    uri = str(setting(name) or "")
    if not uri:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:  # its message quotes a part of the URI
        raise ValueError(f"{name}: {without_password(uri)} is not s3://BUCKET/PREFIX") from None
    if parts.scheme == "s3" and not {"@", ":"}.isdisjoint(parts.netloc):
        hint = "put the keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise ValueError(f"{name}: {without_password(uri)} has a user or a password: {hint}")
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{name}: {without_password(uri)} is not s3://BUCKET/PREFIX")
    if find_spec("botocore") is None:
        raise ValueError(f"{name}: s3:// needs the package botocore: install zjolcrawl[s3]")
    options = {word: setting(name) for word, name in _OPTIONS.items()}
    return WarcStore(
        uri, {word: value for word, value in options.items() if value not in {None, ""}}
    )


class WarcStore:
    """The files under `s3://BUCKET/PREFIX`, by name; thread-safe. `uri` has no trailing slash."""

    def __init__(self, uri: str, options: dict[str, Any]) -> None:
        """`options` are those of a botocore client; the first call creates the client."""
        self.uri = uri.rstrip("/")
        parts = urlsplit(self.uri)
        self._bucket, self._prefix = parts.netloc, parts.path.lstrip("/")
        self._options = options

    def put(self, path: Path) -> tuple[int, str]:
        """Upload a file, read it back to verify it, and return its size in bytes and sha256.

        A file that exists already is compared, never overwritten.
        """
        size, sha256, md5 = _fingerprint(path)
        if size > _MOST:
            raise OSError(f"{path.name} is larger than 5 GiB, the limit of one S3 upload")
        if self.size(path.name) is None:
            with path.open("rb") as file, self._faults(path.name):
                self._client.put_object(**self._key(path.name), Body=file, ContentMD5=md5)
        if self._sha256(path.name) != sha256:
            raise OSError(f"{self.uri}/{path.name} differs from the local file")
        return size, sha256

    def size(self, name: str) -> int | None:
        """A file's size in bytes, or None if it does not exist."""
        try:
            with self._faults(name):
                return int(self._client.head_object(**self._key(name))["ContentLength"])
        except FileNotFoundError:
            return None

    def read(self, name: str, offset: int, length: int) -> bytes:
        """`length` bytes of a file from `offset`; fewer at its end."""
        if length <= 0:
            return b""
        part = f"bytes={offset}-{offset + length - 1}"
        with self._faults(name):
            return bytes(self._client.get_object(**self._key(name), Range=part)["Body"].read())

    def whole(self, name: str) -> bytes:
        """All bytes of a file."""
        with self._faults(name):
            return bytes(self._client.get_object(**self._key(name))["Body"].read())

    def open(self, name: str) -> BinaryIO:
        """A seekable file that is fetched part by part."""
        size = self.size(name)
        if size is None:
            raise FileNotFoundError(f"{self.uri}/{name} does not exist")
        return io.BufferedReader(_Parts(self, name, size), _BUFFER)

    def names(self) -> Iterator[str]:
        """The names of all files."""
        start = f"{self._prefix}/" if self._prefix else ""
        pages = self._client.get_paginator("list_objects_v2")
        with self._faults(""):
            for page in pages.paginate(Bucket=self._bucket, Prefix=start):
                for each in page.get("Contents", []):
                    yield each["Key"].removeprefix(start)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        # Not every store understands the newer checksums; `put` verifies by reading back.
        config = Config(
            connect_timeout=10, read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 4},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )  # fmt: skip
        with self._faults(""):
            return get_session().create_client("s3", config=config, **self._options)

    def _key(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{name}".lstrip("/")}

    def _sha256(self, name: str) -> str:
        found = hashlib.sha256()
        with self._faults(name):
            for part in self._client.get_object(**self._key(name))["Body"].iter_chunks(_CHUNK):
                found.update(part)
        return found.hexdigest()

    @contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            kind = FileNotFoundError if error.response["Error"]["Code"] in _MISSING else OSError
            raise kind(f"{self.uri}/{name}: {cause_of(error)}") from error
        except BotoCoreError as error:
            raise OSError(f"{self.uri}/{name}: {cause_of(error)}") from error


class _Parts(io.RawIOBase):
    """A file in a store; each read is one request."""

    def __init__(self, store: WarcStore, name: str, size: int) -> None:
        self._store, self._name, self._size = store, name, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._store.read(self._name, self._at, min(len(buffer), self._size - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _fingerprint(path: Path) -> tuple[int, str, str]:
    """Size in bytes, sha256 in hex, and the MD5 that lets the store refuse a corrupted upload."""
    size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            size += len(part)
            sha256.update(part)
            md5.update(part)
    return size, sha256.hexdigest(), base64.b64encode(md5.digest()).decode("ascii")
