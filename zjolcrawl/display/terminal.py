"""Output of commands: text without terminal control characters, and data unchanged.

A page, a URL, a file name or an error may contain escape sequences (ECMA-48 C0 and C1, OSC) or characters
that change the text direction (Unicode bidirectional controls). In text, each such character becomes one
visible character, so positions stay the same. Data written to a file or a pipe is not changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, TextIO, cast

from bson import json_util
from rich.console import Console
from rich.text import Text

from zjolcrawl.messages import counted, hide_passwords

_REPLACED = "\N{REPLACEMENT CHARACTER}"
_SIGNS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), _REPLACED),  # C1, with NEL
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), _REPLACED),
    **dict.fromkeys((0x2028, 0x2029), _REPLACED),  # line and paragraph separator
    **dict.fromkeys(range(0xD800, 0xE000), _REPLACED),  # halves of surrogate pairs
}  # fmt: skip


def printable(text: str) -> str:
    """The text with each control character replaced by a visible one; newlines and tabs stay."""
    return text if text.isprintable() and text.isascii() else text.translate(_SIGNS)


def say(text: str) -> None:
    """Write a message to stderr, as one line that begins with `zjolcrawl: `."""
    text = " ".join(hide_passwords(printable(text)).split())
    sys.stderr.write(f"zjolcrawl: {text}\n")


class FewLines:
    """Says the first few of many messages of one kind, and how many more there are."""

    def __init__(self, most: int = 10) -> None:
        self._most, self._count = most, 0

    def say(self, text: str) -> None:
        """Write a message to stderr, unless there were enough of them."""
        self._count += 1
        if self._count <= self._most:
            say(text)

    def end(self, hint: str) -> None:
        """Say how many messages were left out; `hint`: where they are."""
        if (more := self._count - self._most) > 0:
            say(f"and {counted(more, 'more line')} like these; {hint}")


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines to stdout: wrapped and in colour on a terminal, otherwise one per line."""
    stdout = console()
    for line in lines:
        line.plain = printable(line.plain)
        stdout.print(line, soft_wrap=not stdout.is_terminal)


def write_data(data: str | bytes) -> None:
    """Write data for another program to stdout, unchanged; on a terminal, control characters are replaced."""
    sys.stdout.flush()
    sys.stdout.buffer.write(
        data.encode(errors="backslashreplace") if isinstance(data, str) else data
    )


def write_json(value: Any) -> None:
    """Write a value to stdout as MongoDB Extended JSON, indented."""
    write_data(json_util.dumps(value, ensure_ascii=False, indent=2) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; pass it only `printable` text, since it bypasses `sanitize_output`."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(file=getattr(stream, "unsanitized", stream), highlight=False)


def write_text(text: str) -> None:
    """Write text to stdout at once; dropped if its reader has closed the pipe."""
    with suppress(BrokenPipeError):
        sys.stdout.write(text)
        sys.stdout.flush()


def drop_unread_output() -> None:
    """Flush stdout and stderr; what the reader of a closed pipe (`| head`) no longer takes is dropped.

    Without it, Python reports a BrokenPipeError at exit, and exits with status 120.
    """
    for each in (sys.stdout, sys.stderr):
        stream = getattr(each, "unsanitized", each)
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def sanitize_output() -> None:
    """Make all later text on stdout and stderr `printable`, including logs, tracebacks and usage.

    On stderr, URIs lose their passwords too.
    """
    for name, kind in (("stdout", _SanitizedStream), ("stderr", _MessageStream)):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _SanitizedStream):
            setattr(sys, name, kind(stream))


class _Console(Console):
    """A console that raises BrokenPipeError; rich ends the process."""

    def on_broken_pipe(self) -> None:
        """Raise the error that is being handled."""
        raise  # noqa: PLE0704


class _SanitizedStream:
    """A text stream that writes `printable` text; on a terminal this also holds for bytes."""

    def __init__(self, stream: TextIO) -> None:
        self.unsanitized = stream

    def write(self, text: str) -> int:
        """Write the text with control characters replaced."""
        self.unsanitized.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each line with control characters replaced."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> IO[bytes]:
        """The binary stream: unchanged, except on a terminal."""
        binary = self.unsanitized.buffer
        return cast("IO[bytes]", _Bytes(self)) if self.unsanitized.isatty() else binary

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unsanitized, name)


class _MessageStream(_SanitizedStream):
    """The stream of messages: without passwords, and no work ends because nobody reads it."""

    def write(self, text: str) -> int:
        """Write the text without control characters and passwords; dropped if the pipe is closed."""
        with suppress(BrokenPipeError):
            self.unsanitized.write(hide_passwords(printable(text)))
        return len(text)

    def flush(self) -> None:
        """Flush; what cannot be written is dropped."""
        with suppress(BrokenPipeError):
            self.unsanitized.flush()


class _Bytes:
    """A binary stream to a terminal: decodes UTF-8 and replaces control characters."""

    def __init__(self, stream: _SanitizedStream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        self._stream.write(bytes(data).decode(errors="replace"))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
