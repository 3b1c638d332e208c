"""What Scrapy's parser of command lines lacks: misspelt options are errors, and help texts stay as they are."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from zjolcrawl.messages import nearest


def prepare(parser: argparse.ArgumentParser) -> None:
    """Give a parser the program's name and plain help.

    Scrapy's usage line begins with `scrapy`, also for `zjolcrawl`, and its help takes a wrapped line that ends
    in a colon for a heading.
    """
    parser.usage = (parser.usage or "").replace("scrapy", parser.prog, 1)
    parser.formatter_class = argparse.HelpFormatter


def refuse_unknown(
    parser: argparse.ArgumentParser, args: list[str], *, words: bool = False, hint: str = ""
) -> None:
    """Raise UsageError if one of the arguments that the parser left looks like an option.

    Scrapy hands unknown options to the command as arguments. `words`: -WORD is an argument. `hint` is for an
    option that resembles none.
    """
    for arg in args[: args.index("--")] if "--" in args else args:
        if arg == "-" or not arg.startswith("--" if words else "-"):
            continue
        option = arg.partition("=")[0]
        near = nearest(option, [*parser._option_string_actions], 0.6)  # no public name lists them
        advice = f"did you mean {near}?" if near else hint
        raise UsageError(
            f"unknown option {option}" + (f": {advice}" if advice else ""), print_help=False
        )
