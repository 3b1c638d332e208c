"""Command-line options that select articles, shared by `scrapy search` and `scrapy export`."""

from __future__ import annotations

import argparse

from zjolcrawl.arguments import day_span, host_names, names
from zjolcrawl.storage.queries.selection import Selection


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options --since, --until, --column and so on to a parser."""
    parser.add_argument("--since", metavar="DAY", help="published from this day on, China time")
    parser.add_argument("--until", metavar="DAY", help="published up to this day, inclusive")
    several: dict[str, tuple[str, str]] = {
        "--column": ("ID[,ID]", "listed by one of these columns"),
        "--host": ("HOST[,HOST]", "on one of these hosts: short (zjnews) or full name"),
        "--person": ("NAME[,NAME]", "by one of these reporters or editors"),
        "--tag": ("TAG[,TAG]", "with one of these tags"),
    }
    for option, (metavar, told) in several.items():
        parse = host_names if option == "--host" else names
        parser.add_argument(option, type=parse, default=(), metavar=metavar, help=told)
    parser.add_argument("--edited", action="store_true", help="edited after publication")
    parser.add_argument("--gone", action="store_true", help="taken down")
    parser.add_argument("--images", action="store_true", help="with an image")


def selection_of(opts: argparse.Namespace) -> Selection:
    """The Selection that the parsed options describe. Raises ArgumentError for an invalid day or span."""
    since, until = day_span(opts.since, opts.until)
    return Selection(
        since, until, opts.column, opts.host, opts.person, opts.tag,
        edited=opts.edited, gone=opts.gone, images=opts.images,
    )  # fmt: skip
