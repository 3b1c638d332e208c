"""Options that several commands share, and types of option values."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from datetime import datetime

from zjolcrawl.archive.cdx import moment_of
from zjolcrawl.argument_values import change_day, day_span, names
from zjolcrawl.setting_values import is_http_url
from zjolcrawl.storage.queries.selection import Selection


def add_days(parser: argparse.ArgumentParser) -> None:
    """Add --since and --until, days of publication; parse them with `arguments.day_span`."""
    parser.add_argument("--since", metavar="DAY", help="published from this day on, China time")
    parser.add_argument("--until", metavar="DAY", help="published up to this day, inclusive")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select articles: --since, --until, --column and so on."""
    add_days(parser)
    several: dict[str, tuple[str, str]] = {
        "--column": ("ID[,ID]", "listed by one of these columns: id or Chinese name"),
        "--host": ("HOST[,HOST]", "on one of these hosts: short (zjnews) or full name"),
        "--person": ("NAME[,NAME]", "by one of these reporters or editors"),
        "--tag": ("TAG[,TAG]", "with one of these tags"),
    }
    for option, (metavar, text) in several.items():
        parser.add_argument(option, type=some_names, default=(), metavar=metavar, help=text)
    for name, what in (("changed", "edited"), ("gone", "taken down")):
        parser.add_argument(
            f"--{name}-since", metavar="DAY",
            help=f"{what} on this day or later, China time, or so many days ago (7d); the last change first; "
            "--changed-since and --gone-since together: either",
        )  # fmt: skip
    parser.add_argument("--edited", action="store_true", help="edited after publication")
    parser.add_argument("--gone", action="store_true", help="taken down")
    parser.add_argument("--images", action="store_true", help="with an image")


def selection_of(opts: argparse.Namespace) -> Selection:
    """The Selection that the parsed options describe, its names as given. Raises ArgumentError for invalid days."""
    since, until = day_span(opts.since, opts.until)
    return Selection(
        since, until, opts.column, opts.host, opts.person, opts.tag,
        edited=opts.edited, gone=opts.gone, images=opts.images,
        changed_since=change_day("changed-since", opts.changed_since),
        gone_since=change_day("gone-since", opts.gone_since),
    )  # fmt: skip


def some_names(text: str) -> tuple[str, ...]:
    """The type of an option that takes names. An empty one would select everything, so it is an error."""
    if not (given := names(text)):
        raise argparse.ArgumentTypeError("the value is empty: give a name, or leave the option out")
    return given


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,7}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number, {least} to {most}")
        return int(text)

    return parse


def utc_time(text: str) -> datetime:
    """The type of an option that takes a UTC time of 14 digits."""
    try:
        return moment_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def web_address(text: str) -> str:
    """The type of an option that takes an http or https URL; it gets a slash at its end."""
    if not is_http_url(text) or not re.fullmatch(r"[!-~]+", text) or "?" in text or "#" in text:
        raise argparse.ArgumentTypeError(f"{text} is not an http or https URL without ? and #")
    return f"{text.rstrip('/')}/"


def number(most: float) -> Callable[[str], float]:
    """The type of an option that takes a number from 0 to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most:  # NaN is not
            raise argparse.ArgumentTypeError(f"{text} is not a number, 0 to {most:.0f}")
        return value

    return parse
