"""The process that reads images: formats are recognised, and hostile images affect only themselves."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import PIL
import pytest

from tests.support.bombs import zlib_of
from tests.support.crawling import peak_so_far
from tests.support.pictures import (
    EPS,
    OTHERS,
    SHOWN,
    bmp,
    chunk,
    dib,
    gif,
    ico,
    jpeg_claiming,
    lossless,
    png,
    saved,
    scans,
    tiff_tags,
    tiff_tile,
    webp,
)
from zjolcrawl.parsing.picture import NotPicture, Picture
from zjolcrawl.pipelines.picture_process import MOST_MEMORY
from zjolcrawl.pipelines.pictures import PictureReader

MEGABYTE = 1024 * 1024


def read(*pictures: bytes) -> list[Picture | str]:
    """The format of each image, or why it is not one."""
    return read_and_weigh(*pictures)[0]


def read_and_weigh(*pictures: bytes) -> tuple[list[Picture | str], int]:
    """The same, and the peak memory in bytes of the process that read the last image."""

    async def one(reader: PictureReader, data: bytes) -> Picture | str:
        try:
            return await reader.read(data)
        except NotPicture as error:
            return str(error)

    async def main() -> tuple[list[Picture | str], int]:
        reader = PictureReader()
        try:
            found = await asyncio.gather(*(one(reader, data) for data in pictures))
            return found, peak(reader)
        finally:
            await reader.close()

    return asyncio.run(main())


def peak(reader: PictureReader) -> int:
    return 0 if reader._process is None else peak_so_far(reader._process.pid)


@pytest.mark.parametrize("kind", SHOWN)
def test_what_a_browser_shows(kind: str) -> None:
    (found,) = read(saved(kind))
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.unread) == (64, 64, None)
    assert found.content_type.startswith("image/")
    assert found.suffix.startswith(".")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_any_depth(mode: str) -> None:
    (found,) = read(saved("PNG", (30, 20), mode))
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (30, 20)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_no_browser_shows_is_no_image(kind: str) -> None:
    mode = "RGBA" if kind in {"ICNS", "QOI", "DDS"} else "RGB"
    assert read(saved(kind, mode=mode)) == ["not an image"]


@pytest.mark.parametrize("data", [EPS, b"\xc5\xd0\xd3\xc6" + bytes(28) + EPS, b"\0" * 10 + EPS])
def test_no_program_is_run_for_a_picture(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gs", "gswin32c", "djpeg", "convert"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\nexit 0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert read(data) == ["not an image"]
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO"])
def test_cut_off(kind: str) -> None:
    data = saved(kind, (200, 200) if kind != "ICO" else (64, 64))
    for size in (len(data) // 2, len(data) - 100):
        (found,) = read(data[:size])
        assert isinstance(found, str), (kind, size)
        assert found.startswith(("damaged: ", "not an image"))


CLAIMS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: png(13_000, 13_000),
    "PNG, wide": lambda: png(1_000_000, 200),
    "GIF screen": lambda: gif(65_535, 65_535),
    "GIF frame": lambda: gif(10, 10, (60_000, 60_000)),
    "WebP": lambda: webp(16_384, 16_384),
    "WebP, lossless": lambda: lossless(16_384, 16_384),
    "WebP, largest": lambda: webp(1 << 24, 1 << 24),
    "BMP": lambda: bmp(100_000, 100_000),
    "JPEG": lambda: jpeg_claiming(65_000, 65_000),
    "JPEG, progressive": lambda: jpeg_claiming(30_000, 30_000, progressive=True),
    "ICO with a PNG": lambda: ico(png(13_000, 13_000)),
    "ICO with twelve": lambda: ico(*[png(13_000, 13_000)] * 12),
    "ICO with a bitmap": lambda: ico(saved("PNG"), dib(30_000, 30_000)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ico(), "damaged: an icon file without icons"),
        (ico(dib(0, 0)), "damaged: it has no pixels"),
        (ico(saved("PNG"))[:-1], "damaged: an icon is cut off"),
    ],
    ids=["no icons", "an icon of nothing", "cut off"],
)
def test_file_without_a_picture(data: bytes, why: str) -> None:
    assert read(data) == [why]


def test_real_sizes_are_judged_before_anything_is_decoded() -> None:
    found, memory = read_and_weigh(*(make() for make in CLAIMS.values()))
    for name, each in zip(CLAIMS, found, strict=True):
        assert isinstance(each, Picture), (name, each)
        assert each.unread == f"{each.width} × {each.height} pixels are too many to decode", name
    assert memory < 100 * MEGABYTE


HOSTILE: dict[str, Callable[[], bytes]] = {
    "PNG of nothing": lambda: (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\x7f\xff\xff\xff" * 2 + b"\x08\x06\0\0\0")
    ),
    "a tile": lambda: tiff_tile(30_000),
    "tags that are megabytes": lambda: tiff_tags(3000, 8_000_000),
    "comments": lambda: gif(10, 10, comments=70_000),
    "scans": lambda: scans(15),
    "text": lambda: png(9, 9, chunk(b"zTXt", b"k\0\0" + zlib_of(58)) * 3),
    "profile": lambda: png(9, 9, chunk(b"iCCP", b"k\0\0" + zlib_of(287))),
    "many icons": lambda: ico(*[png(9, 9)] * 65_535),
    "as large as is decoded": lambda: png(5700, 5700),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_decoder_makes_of_it_is_bounded(name: str) -> None:
    (found,), memory = read_and_weigh(HOSTILE[name]())
    assert isinstance(found, str | Picture)
    # Pillow before 13 reads such tags at once; there only the limit of the process holds.
    eager = name == "tags that are megabytes" and int(PIL.__version__.partition(".")[0]) < 13
    assert memory < (MOST_MEMORY if eager else 400 * MEGABYTE)
    assert isinstance(read(saved("JPEG"))[0], Picture)


def test_one_at_a_time() -> None:
    found, memory = read_and_weigh(*[saved("PNG", (3000, 3000), "RGBA")] * 7)
    assert {each.width for each in found if isinstance(each, Picture)} == {3000}
    assert memory < 200 * MEGABYTE  # each takes 36


def test_process_that_was_lost_costs_one_picture() -> None:
    async def main() -> None:
        reader = PictureReader()
        good = saved("PNG")
        assert (await reader.read(good)).width == 64
        assert reader._process
        os.kill(reader._process.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(reader.read(good))
        for _ in range(10):  # it is sent
            await asyncio.sleep(0)
        os.kill(reader._process.pid, signal.SIGKILL)
        with pytest.raises(NotPicture, match="to decode"):
            await waiting
        assert (await reader.read(good)).width == 64
        await reader.close()
        await reader.close()

    asyncio.run(main())


def test_process_ends_with_its_crawl() -> None:
    async def main() -> int:
        reader = PictureReader()
        await reader.read(saved("PNG"))
        process = reader._process
        assert process
        assert process.stdin
        process.stdin.close()  # as the kernel does when a crawl is killed
        status = await asyncio.to_thread(process.wait, 60)
        await reader.close()
        return status

    assert asyncio.run(main()) == 0
