"""Parses values of settings."""

from __future__ import annotations

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True,
    "off": False, "false": False, "no": False, "0": False,
}  # fmt: skip


def parse_bool(value: object) -> bool:
    """The value as a bool: on, off, true, false, yes, no, 1 or 0. Raises ValueError."""
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise ValueError(f"{value} is neither on nor off")
    return _WORDS[word]
