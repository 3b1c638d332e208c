"""The command `zjolcrawl`: Scrapy's command line with this package's settings, from any folder."""

from __future__ import annotations

import os
import sys

from scrapy.cmdline import execute


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
    execute(["zjolcrawl", *arguments])


if __name__ == "__main__":
    main()
