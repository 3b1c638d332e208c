"""Completes the WARC files of killed runs without losing a readable record."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zjolcrawl.archive.files import DAMAGED, OPEN, complete, stamp
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.scan import Damage, scan
from zjolcrawl.archive.warc import replacement
from zjolcrawl.filesystem import sync_folder, take_lock
from zjolcrawl.messages import counted

_PIECE = 16 * 1024 * 1024  # bytes that one replacement record covers; the last up to twice as many


def complete_if_left(path: Path, index: ArchiveIndex) -> str | None:
    """Complete a dead writer's file; returns what was done, or None if the writer lives.

    A record that the end of the file cuts off is truncated. Other damage is overwritten by a record of
    the same length, so that later records keep their offsets and other tools can read on; a copy of
    the original file is kept beside it. Raises OSError.
    """
    lasting = path.with_name(path.name.removesuffix(OPEN))
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None  # completed by another process
    try:
        if not take_lock(descriptor) or not _is_still(path, descriptor):
            return None
        if lasting.exists():
            return f"warc/{path.name}: {lasting.name} exists too; compare them and remove one"
        with path.open("rb") as file:
            found = scan(lasting.name, file)
        size = os.fstat(descriptor).st_size
        torn = [each for each in found.damage if each.ended]
        damage = [each for each in found.damage if not each.ended and size]
        whole = torn[0].start if torn else size
        if not whole:
            path.unlink()
            return f"warc/{lasting.name}: had no whole record ({counted(size, 'byte')}), removed"
        if any(not each.replaced for each in damage):
            _keep(path)
            damage = [_replaced(descriptor, each) for each in damage]
        os.ftruncate(descriptor, whole)
        os.fsync(descriptor)
        index.forget(lasting.name)
        index.add(found.captures)
        complete(path, index)
        index.set_damage(lasting.name, damage, stamp(lasting))
        return f"warc/{lasting.name}: {_summary(found.damage, size, len(found.captures))}"
    finally:
        os.close(descriptor)


def _summary(damage: list[Damage], size: int, captures: int) -> str:
    said = ["left by a run that was cut off"]
    said += [
        f"cut {counted(size - each.start, 'torn byte')} after byte {each.start}"
        for each in damage
        if each.ended
    ]
    if lost := [each for each in damage if not each.ended]:
        said += [str(each) for each in lost]
        said.append(f"the original file is kept with the suffix {DAMAGED}")
    if not damage:
        said.append("was whole")
    return f"{'; '.join(said)}, {counted(captures, 'capture')} kept"


def _keep(path: Path) -> None:
    """Copy a file beside itself once; a repair that was interrupted finds the first copy."""
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
    """Overwrite damaged bytes with records that say so; a range that is too short stays as it is."""
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
