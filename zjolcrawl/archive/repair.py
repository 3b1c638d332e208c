"""Completing what a killed run left, without losing a record that can be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zjolcrawl.archive.files import DAMAGED, OPEN, complete, lock, stamp
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.scan import Damage, scan
from zjolcrawl.archive.warc import replacement
from zjolcrawl.durable import sync_folder

_PIECE = 16 * 1024 * 1024  # bytes that one record stands for, at most twice as many


def complete_if_left(path: Path, index: ArchiveIndex) -> str | None:
    """Complete a dead writer's file; what was done, None for a living writer's. Raises OSError.

    A record that the file's end cuts off is cut. Other damage is replaced by a record of the same length,
    so that all that follows keeps its place and other tools read on; the file as it was is kept beside.
    """
    lasting = path.with_name(path.name.removesuffix(OPEN))
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError:
        return None  # completed by another process
    try:
        if not lock(descriptor) or not _is_still(path, descriptor):
            return None
        if lasting.exists():
            return f"warc/{path.name}: {lasting.name} is there too; compare them and remove one"
        with path.open("rb") as file:
            found = scan(lasting.name, file)
        size = os.fstat(descriptor).st_size
        torn = [each for each in found.damage if each.ended]
        damage = [each for each in found.damage if not each.ended and size]
        whole = torn[0].start if torn else size
        if not whole:
            path.unlink()
            return f"warc/{lasting.name}: had no whole record ({size} bytes), removed"
        if any(not each.replaced for each in damage):
            _keep(path)
            damage = [_replaced(descriptor, each) for each in damage]
        os.ftruncate(descriptor, whole)
        os.fsync(descriptor)
        index.forget(lasting.name)
        index.add(found.captures)
        complete(path, index)
        index.set_damage(lasting.name, damage, stamp(lasting))
        return f"warc/{lasting.name}: {_told(found.damage, size, len(found.captures))}"
    finally:
        os.close(descriptor)


def _told(damage: list[Damage], size: int, captures: int) -> str:
    said = ["left by a run that was cut off"]
    said += [
        f"cut {size - each.start} torn bytes after byte {each.start}"
        for each in damage
        if each.ended
    ]
    if lost := [each for each in damage if not each.ended]:
        said += [str(each) for each in lost]
        said.append(f"the file as it was is kept with the suffix {DAMAGED}")
    if not damage:
        said.append("was whole")
    return f"{'; '.join(said)}, {captures} captures kept"


def _keep(path: Path) -> None:
    """Copy a file beside itself, once: a repair that was cut off finds the first copy."""
    kept = path.with_name(path.name.removesuffix(OPEN) + DAMAGED)
    if kept.exists():
        return
    scratch = kept.with_name(kept.name + ".new")
    shutil.copyfile(path, scratch)
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    scratch.rename(kept)
    sync_folder(path.parent)


def _replaced(descriptor: int, damage: Damage) -> Damage:
    """Put records that say so in the place of damaged bytes; too few of them stay as they are."""
    for start, length in _pieces(damage):
        made = replacement(length, damage.reason)
        if made is None:
            return damage
        os.pwrite(descriptor, made, start)
    return replace(damage, replaced=True)


def _pieces(damage: Damage) -> Iterator[tuple[int, int]]:
    start = damage.start
    while damage.end - start > 2 * _PIECE:
        yield start, _PIECE
        start += _PIECE
    yield start, damage.end - start


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
