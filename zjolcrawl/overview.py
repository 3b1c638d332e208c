"""What commands there are: the overview of `zjolcrawl`, and completion scripts for shells."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

import zjolcrawl.commands as own
from zjolcrawl import __version__

SPIDERS = ("article", "backfill", "column", "discover", "import", "paper", "reparse")
SHELLS = ("bash", "fish", "zsh")


def own_commands() -> dict[str, ScrapyCommand]:
    """An instance of each command of this package, by name."""
    names = sorted(found.name for found in iter_modules(own.__path__))
    return {name: import_module(f"{own.__name__}.{name}").Command() for name in names}


def overview() -> str:
    """The commands with a line on each."""
    lines = [f"  {name:<12} {each.short_desc()}" for name, each in own_commands().items()]
    return "\n".join(
        [
            f"zjolcrawl {__version__}: crawler and archiver for the news of zjol.com.cn\n",
            "Usage: zjolcrawl COMMAND [OPTIONS]\n",
            *lines,
            "\nzjolcrawl COMMAND -h explains a command. The first one to try: zjolcrawl crawl column\n",
        ]
    )


def completion(shell: str) -> str:
    """A script that completes commands, spiders and options in bash, fish or zsh."""
    words = {name: _words(name, each) for name, each in own_commands().items()}
    if shell == "fish":
        return "".join(_fish(words))
    cases = "\n".join(f'    {name}) words="{" ".join(some)}" ;;' for name, some in words.items())
    compatible = "autoload -Uz bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return f"""{compatible}_zjolcrawl() {{
  local words="{" ".join(words)}"
  [ "$COMP_CWORD" -gt 1 ] && case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _zjolcrawl zjolcrawl
"""


def _fish(words: dict[str, list[str]]) -> Iterable[str]:
    yield f"complete -c zjolcrawl -n __fish_use_subcommand -fa '{' '.join(words)}'\n"
    for name, some in words.items():
        yield f"complete -c zjolcrawl -n '__fish_seen_subcommand_from {name}' -a '{' '.join(some)}'\n"


def _words(name: str, command: ScrapyCommand) -> list[str]:
    """The spiders, for `crawl`, and the long options of a command."""
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    command.settings = Settings()
    command.add_options(parser)
    options = sorted(
        option
        for action in parser._actions  # no public name lists them
        for option in action.option_strings
        if option.startswith("--")
    )
    return [*(SPIDERS if name == "crawl" else ()), *options]
