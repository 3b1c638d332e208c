"""Parts of messages to people: counts, the reason of an error in words, the name that was meant, URIs without their passwords."""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Collection
from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)
_ERRNO = re.compile(r"\[(?:Errno|WinError) -?\d+\] ")
# A password that is not percent-encoded may contain any character. In a MongoDB URI it ends at the last
# @; in others at the last @ before the path, because a path may contain @ too.
_LOGIN = re.compile(
    r"(?P<mongodb>mongodb(?:\+srv)?://)[^\s'\"<>]{0,999}@|(?P<other>[a-z][a-z\d+.-]{0,19}://)[^\s/?#'\"<>]{0,999}@",
    re.IGNORECASE,
)
_OPTIONS = re.compile(r"(?:(?:[a-z]{5,40}|tls|ssl|w|j)=[^&]*(?:&|$))*", re.IGNORECASE)
_NO_PORT = re.compile(r":(?!\d*(?:[,/?]|$))[^,/?]*")


def counted(count: int, noun: str) -> str:
    """A number and its noun, with a plural s: 1 link, 2 links."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def one_line(text: str, most: int | None = None) -> str:
    """A text on one line, cut to `most` characters."""
    return " ".join(text.split())[:most]


def nearest(name: str, known: Collection[str], least: float = 0.7) -> str | None:
    """The known name that a misspelt one most resembles; None if none does to the degree `least`, 0 to 1."""
    return next(iter(difflib.get_close_matches(name, known, 1, least)), None)


def typed(error: BaseException, most: int | None = 300) -> str:
    """The type and the text of an error on one line: `TimeoutError: 30 s`."""
    return one_line(f"{type(error).__name__}: {error}", most)


def without_stack(error: _Error) -> _Error:
    """Drop the stack of an error and those of its causes; returns the error.

    The variables of a stack hold the answer that the error is about, and often the error itself: all of them
    would stay in memory until a full garbage collection.
    """
    each: BaseException | None = error
    while each and each.__traceback__:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def cause_of(error: BaseException, path: str | os.PathLike[str] = "") -> str:
    """Why something failed, in words, without an error number.

    A file that the error names is appended, unless it is `path`, which the message names already.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text (byte {error.start})"
    if not isinstance(error, OSError) or not error.strerror:
        return hide_passwords(_ERRNO.sub("", str(error))) or type(error).__name__
    text = _ERRNO.sub("", str(error.strerror))
    if isinstance(error, FileExistsError):  # of mkdir
        text = os.strerror(errno.ENOTDIR)
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return f"{text}: {name}" if name and name != os.fspath(path) else text


def without_password(uri: str) -> str:
    """A URI for a message: without user, password and options, whatever characters these contain."""
    scheme, _, place = _parts(uri)
    if not place.startswith("["):  # an IPv6 address
        place = _NO_PORT.sub("", place)  # `user:password` without a host
    return f"{scheme}{place}"


def hide_passwords(text: str) -> str:
    """A text with user and password cut from every URI in it."""
    if "://" not in text or "@" not in text:
        return text
    return _LOGIN.sub(lambda found: found["mongodb"] or found["other"], text)


def split_login(url: str) -> tuple[str, str]:
    """`user:password` of an http URL as written, "" without one, and the URL without it."""
    scheme, found, rest = url.partition("://")
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    login, _, _ = host.rpartition("@")
    return login, f"{scheme}{found}{rest[len(login) + 1 :] if login else rest.removeprefix('@')}"


def login_of(uri: str) -> tuple[str, str]:
    """User name and password in a URI, as written; each "" if there is none."""
    user, _, password = _parts(uri)[1].partition(":")
    return user, password


def _parts(uri: str) -> tuple[str, str, str]:
    """Scheme with `://`, `user:password`, and the rest without options."""
    scheme, found, rest = uri.partition("://")
    if not found:
        scheme, rest = "", uri
    before, _, options = rest.partition("?")
    # Otherwise the question mark is part of a password.
    login, _, place = (before if _OPTIONS.fullmatch(options) else rest).rpartition("@")
    return f"{scheme}{found}", login, place.partition("?")[0]


class HiddenUri(str):
    """A URI whose `repr`, which Scrapy logs for a changed setting, has no password."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(without_password(str(self)))
