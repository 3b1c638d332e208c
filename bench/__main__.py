"""Runs the speed benchmarks one after the other: `make bench`.

python -m bench [PART …] [--quick] [--write]

Without a name it runs all parts but the long ones. Each prints a table. `--write` puts the table
into bench/RESULTS.md between the part's marks, with the machine and the date. `--quick` only checks
that everything works and writes nothing. Each part is a module with its own command line, such as
`python -m bench.crawl_rate 3000 11 gzip`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from bench.machine import machine
from bench.turns import progress

RESULTS = Path(__file__).parent / "RESULTS.md"
# The arguments of each part, and those of a quick look.
PARTS: dict[str, tuple[str, str]] = {
    "crawl_rate": ("3000 5 plain+charset gzip gzip+charset", "100 1 gzip+charset"),
    "extraction": ("600 5", "50 1"),
    "reparse": ("3000 5", "100 1"),
    "storage": ("1500 5", "100 1"),
    "warc": ("3000 5", "100 1"),
    "warc_cost": ("1500 5", "100 1"),
    "nothing_new": ("100 5", "10 1"),
    "questions": ("100000 41", "1000 1"),
    "search": ("100000", "3000"),
    "export": ("10000 100000", "500 1000"),
    "api": ("20000 300 50", "200 10 4"),
}
LONG: dict[str, tuple[str, str]] = {
    "imports": ("1000 3", "2 1"),
    "memory": ("3000 30000 100000", "100 200"),
    "filled": ("1500 5 3000 100000 1000000", "100 1 300 1000"),
}


def main() -> None:
    """Run the parts named on the command line."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS | LONG))
    options.add_argument("--quick", action="store_true", help="small numbers: does all of it work?")
    options.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    given = options.parse_args()
    if unknown := set(given.parts) - (PARTS | LONG).keys():
        options.error(f"no part {', '.join(sorted(unknown))}")
    for name in given.parts or PARTS:
        where, arguments = machine(), (PARTS | LONG)[name][given.quick]
        progress(f"bench.{name} {arguments}")
        told = f"`python -m bench.{name} {arguments}`, {where}.\n\n{run(name, arguments)}"
        print(told, flush=True)
        if given.write and not given.quick:
            text = RESULTS.read_text(encoding="utf-8")
            RESULTS.write_text(written(text, name, told), encoding="utf-8")


def run(name: str, arguments: str) -> str:
    """The output of a part, run in its own process. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments.split()],
        stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    told = done.stdout.strip()
    return told + "\n" if "| ---" in told or "|---" in told else f"```\n{told}\n```\n"


def written(text: str, name: str, told: str) -> str:
    """The text with the result between the part's marks. Raises ValueError without marks."""
    begin, end = f"<!-- bench.{name} -->\n", f"<!-- end of bench.{name} -->\n"
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    new, found = re.subn(pattern, lambda _: begin + told + end, text, flags=re.DOTALL)
    if found != 1:
        raise ValueError(f"RESULTS.md has no {begin.strip()}")
    return new


if __name__ == "__main__":
    main()
