"""Divides an archive into parts that processes can parse side by side.

All captures of a page, of its mirrors, and of the links that led to it belong to one part: versions of an
article depend on their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from zjolcrawl.parsing.urls import canonical

Groups = dict[str, str]
"""A union-find over file names: each leads to a smaller one of its group, the root to none."""


def groups_of(redirect_targets: Iterable[tuple[str, str]]) -> Groups:
    """The groups of file names that links connect, from pairs of a link and the URL that it led to."""
    groups: Groups = {}
    for link, url in redirect_targets:
        one, other = _root(_file_name(link), groups), _root(_file_name(canonical(url)), groups)
        if one != other:
            groups[max(one, other)] = min(one, other)
    return groups


def part_of(name: str, groups: Groups, parts: int) -> int:
    """The part, 1 to `parts`, of a capture's `name`: a link's URL or a column's id."""
    return crc32(_root(_file_name(name), groups).encode()) % parts + 1


def _file_name(url: str) -> str:
    """The last path segment; all mirrors of a page share it."""
    return url.rstrip("/").rpartition("/")[2]


def _root(name: str, groups: Groups) -> str:
    while name in groups:
        name = groups[name]
    return name
