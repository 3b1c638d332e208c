"""`zjolcrawl completion`: prints a completion script for a shell."""

from __future__ import annotations

import argparse
import sys

from scrapy.exceptions import UsageError

from zjolcrawl.cli.base import BaseCommand
from zjolcrawl.overview import SHELLS, completion


class Command(BaseCommand):
    """Prints a script that completes commands and options."""

    usage = "bash|fish|zsh"
    summary = "Print a completion script: zjolcrawl completion bash > ~/.zjolcrawl-completion"
    details = (
        "Prints a completion script. Source it in the shell's start file, for example ~/.bashrc."
    )

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1 or args[0] not in SHELLS:
            raise UsageError(f"give a shell: {', '.join(SHELLS)}")
        sys.stdout.write(completion(args[0]))
