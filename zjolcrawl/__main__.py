"""The command `zjolcrawl`: Scrapy's command line with this package's settings, from any folder."""

from __future__ import annotations

import os
import sys
from pkgutil import iter_modules

import scrapy.commands as scrapys
from scrapy.cmdline import execute

import zjolcrawl.commands as own
from zjolcrawl.messages import nearest


def refuse_misspelt(command: str) -> None:
    """End with status 2 and the nearest command, if there is no such command but one that resembles it."""
    known = [module.name for package in (own, scrapys) for module in iter_modules(package.__path__)]
    if command not in known and (near := nearest(command, known)):
        sys.stderr.write(f"zjolcrawl: unknown command {command}: did you mean {near}?\n")
        raise SystemExit(2)


def main() -> None:
    """Run `zjolcrawl COMMAND …`; ends with the command's exit status."""
    os.environ["SCRAPY_SETTINGS_MODULE"] = "zjolcrawl.settings"
    arguments = sys.argv[1:]
    sys.argv[0] = "zjolcrawl"  # for messages; it is __main__.py with `python -m`
    if arguments in ([], ["-h"], ["--help"], ["help"]):
        from zjolcrawl.overview import overview

        sys.stdout.write(overview())
        return
    if arguments == ["--version"]:
        arguments = ["version"]
    refuse_misspelt(arguments[0])
    execute(["zjolcrawl", *arguments])


if __name__ == "__main__":
    main()
