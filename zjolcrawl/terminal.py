"""What commands write: text in which nothing controls a terminal, and data as it is.

A page, an address, a file name or an error may hold escape sequences (ECMA-48 C0 and C1, OSC) or signs
that turn the direction of text (Unicode bidirectional controls). In text each is one visible sign, so that
positions stay. Data in a file or a pipe stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import IO, Any, TextIO, cast

from rich.console import Console
from rich.text import Text

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
    """The text with a visible sign in the place of each that controls a terminal; breaks and tabs stay."""
    return text if text.isprintable() and text.isascii() else text.translate(_SIGNS)


def say(text: str) -> None:
    """Write one line on stderr, as every message of a command is."""
    sys.stderr.write(f"zjolcrawl: {' '.join(printable(text).split())}\n")


def tell(lines: Iterable[Text]) -> None:
    """Print: in a terminal folded and in colour, else a line a line."""
    stdout = console()
    for line in lines:
        line.plain = printable(line.plain)
        stdout.print(line, soft_wrap=not stdout.is_terminal)


def put_data(data: str | bytes) -> None:
    """Write to stdout what another program reads, as it is; in a terminal as text."""
    sys.stdout.flush()
    sys.stdout.buffer.write(
        data.encode(errors="backslashreplace") if isinstance(data, str) else data
    )


def console(*, stderr: bool = False) -> Console:
    """What puts rich's own colours on stdout or stderr: texts are to be `printable` before."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=getattr(stream, "unguarded", stream), highlight=False)


def guard() -> None:
    """From now on all text that is written to stdout and stderr is printable: logs, tracebacks, usage."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _Guarded):
            setattr(sys, name, _Guarded(stream))


class _Guarded:
    """A text stream whose text is printable, and so are its bytes in a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.unguarded = stream

    def write(self, text: str) -> int:
        """Write what is printable."""
        self.unguarded.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> IO[bytes]:
        """What takes bytes: as they are, but for a terminal."""
        binary = self.unguarded.buffer
        return cast("IO[bytes]", _Bytes(self)) if self.unguarded.isatty() else binary

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unguarded, name)


class _Bytes:
    """Bytes to a terminal, as UTF-8."""

    def __init__(self, stream: _Guarded) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        self._stream.write(bytes(data).decode(errors="replace"))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
