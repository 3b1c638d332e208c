"""MkDocs hook: fills the reference pages from the code, so that they always agree with it.

A line `<!-- generated: NAME -->` in a page becomes the text of `GENERATED[NAME]()`.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import re
import runpy
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from unittest import mock

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings
from scrapy.utils.spider import iter_spider_classes

import zjolcrawl.spiders
from zjolcrawl import library
from zjolcrawl.cli.base import BaseCommand
from zjolcrawl.fields import FIELDS
from zjolcrawl.overview import own_commands
from zjolcrawl.storage.schema import INDEXES

SETTINGS = Path(zjolcrawl.__path__[0]) / "settings.py"
MARKER = re.compile(r"^<!-- generated: ([a-z ]+) -->$", re.MULTILINE)
_STATUS = re.compile(r"\b(\d{1,3}): (.+?)(?=[;.]\s|[;.]?$)", re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' event: the text of a page, before it becomes HTML."""
    return MARKER.sub(lambda found: GENERATED[found[1]](), markdown)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _prose(text: str | None) -> str:
    """A docstring as Markdown: its indentation is that of the code."""
    return inspect.cleandoc(text or "")


# --- commands --------------------------------------------------------------------------------


def _options(command: ScrapyCommand) -> Iterator[list[str]]:
    """Name and help of each option, without those that all commands of Scrapy have."""
    parser = argparse.ArgumentParser(conflict_handler="resolve", add_help=False)
    command.settings = Settings()
    command.add_options(parser)
    shared = {
        id(action)
        for group in parser._action_groups
        if group.title == "Global Options"
        for action in group._group_actions
    }
    for action in parser._actions:
        if action.option_strings and id(action) not in shared:
            value = "" if action.nargs == 0 else f" {_value(action)}"
            yield [f"`{', '.join(action.option_strings)}{value}`", action.help or ""]


def _value(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def command_pages() -> str:
    """Each command: usage, what it does, exit statuses, options."""
    texts = []
    for name, command in own_commands().items():
        usage = f"scrapy {name} {command.syntax()}".strip()
        text = f"## {name}\n\n```text\n{usage}\n```\n\n{_sentence(command.long_desc())}\n\n"
        text += f"{_prose(type(command).__doc__)}\n"
        if options := list(_options(command)):
            text += f"\n{table(['option', 'meaning'], options)}"
        texts.append(text)
    return "\n".join(texts)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def spider_pages() -> str:
    """Each spider of `scrapy crawl`: what it does, its arguments."""
    texts = []
    for name, spider in sorted(spiders().items()):
        parse = spider.parse_arguments
        arguments = [
            f"`{each}`" for each in inspect.signature(parse).parameters if each != "unknown"
        ]
        returned = inspect.get_annotations(parse, eval_str=True).get("return")
        explained = inspect.getdoc(returned) if inspect.isclass(returned) else inspect.getdoc(parse)
        texts.append(
            f"### crawl {name}\n\n{_prose(spider.__doc__)}\n\nArguments (`-a NAME=VALUE`): "
            f"{', '.join(arguments)}.\n\n{_prose(explained)}\n"
        )
    return "\n".join(texts)


def spiders() -> dict[str, Any]:
    """The spiders of this package, by name."""
    package = zjolcrawl.spiders
    modules = [
        import_module(f"{package.__name__}.{m.name}") for m in iter_modules(package.__path__)
    ]
    return {spider.name: spider for module in modules for spider in iter_spider_classes(module)}


# --- exit statuses ---------------------------------------------------------------------------


def exit_statuses() -> list[tuple[int, str, str]]:
    """Status, command and meaning, from the docstrings of the commands."""
    found = [(0, "all", "done")]
    found += [(n, "all but `crawl`", words) for n, words in _statuses(BaseCommand.__doc__)]
    for name, command in own_commands().items():
        found += [(n, f"`{name}`", words) for n, words in _statuses(type(command).__doc__)]
        if said := getattr(command, "interrupted", ""):
            found.append((130, f"`{name}`", said))
    return sorted(found, key=lambda row: row[0])


def _statuses(docstring: str | None) -> list[tuple[int, str]]:
    text = _prose(docstring)
    return [(int(number), " ".join(words.split())) for number, words in _STATUS.findall(text)]


def exit_status_table() -> str:
    """The exit statuses of all commands."""
    rows = [[str(status), command, meaning] for status, command, meaning in exit_statuses()]
    return table(["status", "command", "meaning"], rows)


# --- settings --------------------------------------------------------------------------------


def setting_sections() -> dict[str, list[tuple[list[str], str]]]:
    """By section of settings.py: the names that share a comment, and the comment.

    A comment holds for the settings below it, up to the next comment or empty line. A comment behind a
    setting is added to it.
    """
    source = SETTINGS.read_text("utf-8")
    names = {
        node.lineno: node.targets[0].id
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if node.targets[0].id.isupper()
    }
    beside = _comments(source)
    group: tuple[list[str], list[str]] = ([], [])
    sections = {"general": [group]}
    for number, line in enumerate(source.splitlines(), 1):
        if heading := re.fullmatch(r"# --- (.+?) -+", line):
            group = ([], [])
            sections[heading[1]] = [group]
        elif number in names:
            group[0].append(names[number])
            group[1].extend([f"{beside[number].rstrip('.')}."] if number in beside else [])
        elif line.startswith("#") or not line:
            if group[0] or not line:
                group = ([], [])
                list(sections.values())[-1].append(group)
            group[1].extend([line[1:].strip()] if line else [])
    return {
        title: [(names, " ".join(said)) for names, said in groups if names]
        for title, groups in sections.items()
    }


def _comments(source: str) -> dict[int, str]:
    """Comments that stand behind code, by line."""
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return {
        token.start[0]: token.string[1:].strip()
        for token in tokens
        if token.type == tokenize.COMMENT and token.start[1] > 0
    }


def setting_values(**environment: str) -> dict[str, Any]:
    """The settings by name, as settings.py gives them with these environment variables."""
    with mock.patch.dict(os.environ, environment, clear=True):
        values = runpy.run_path(str(SETTINGS))
    return {name: value for name, value in values.items() if name.isupper()}


def setting_tables() -> str:
    """Each section of settings.py as a table; `*`: an environment variable sets it."""
    defaults = setting_values()
    varied = setting_values(**dict.fromkeys(defaults, "from the environment"))
    texts = []
    for title, groups in setting_sections().items():
        rows = []
        for names, said in groups:
            own = [name for name in names if varied[name] == "from the environment"]
            star = "*" if len(own) == 1 else "\\*"  # between two stars is italics
            given = ", ".join(f"`{name}`{star if name in own else ''}" for name in names)
            rows.append([given, ", ".join(_default(defaults[name]) for name in names), said])
        if rows:
            head = ["setting", "default", "meaning"]
            texts.append(f"### {title.capitalize()}\n\n{table(head, rows)}")
    return "\n".join(texts)


def _default(value: Any) -> str:
    if value == "":
        return "empty"
    text = repr(value)
    return f"`{text}`" if len(text) <= 50 else "see `settings.py`"


# --- schema and Python API -------------------------------------------------------------------


def field_table() -> str:
    """The fields of an article."""
    rows = [[f"`{each.name}`", f"`{each}`", each.meaning] for each in FIELDS]
    return table(["field", "type", "meaning"], rows)


def index_table() -> str:
    """The indexes of each collection."""
    rows = []
    for collection, indexes in INDEXES.items():
        for index in (each.document for each in indexes):
            only = index.get("partialFilterExpression")
            keys = ", ".join(f"`{key}`" for key in index["key"])
            condition = f"`{json.dumps(only)}`" if only else ""
            rows.append([f"`{collection}`", keys, condition])
    return table(["collection", "keys", "only documents with"], rows)


def python_api() -> str:
    """Functions, methods and fields of `zjolcrawl.library`."""
    archive = library.NewsArchive
    texts = [f"### open_archive\n\n{_call('open_archive', library.open_archive)}"]
    texts.append(f"### NewsArchive\n\n{_prose(archive.__doc__)}\n")
    for name, method in vars(archive).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            texts.append(f"#### {name}\n\n{_call(f'archive.{name}', method)}")
    rows = [[f"`{each.name}`", f"`{each.type}`"] for each in fields(library.ArchivedArticle)]
    texts.append(
        f"### ArchivedArticle\n\n{_prose(library.ArchivedArticle.__doc__)}\n\n"
        + table(["attribute", "type"], rows)
    )
    return "\n".join(texts)


def _call(name: str, function: Callable[..., Any]) -> str:
    signature = str(inspect.signature(function)).replace("(self, ", "(").replace("(self)", "()")
    signature = signature.replace("'", "")  # annotations are strings
    return f"```text\n{name}{signature}\n```\n\n{_prose(function.__doc__)}\n"


# --- JSON API --------------------------------------------------------------------------------


def api_tables() -> str:
    """Paths, parameters and errors of the JSON API."""
    from zjolcrawl.web.api.operations import OPERATIONS, ROOT
    from zjolcrawl.web.api.problems import TYPES

    parameters = {each.name: each for one in OPERATIONS for each in one.parameters}
    paths = [
        [f"`{each.path}`", each.meaning, ", ".join(f"`{one.name}`" for one in each.parameters)]
        for each in OPERATIONS
    ]
    paths += [
        [f"`{ROOT}/openapi.json`", "The OpenAPI 3.1 description of these paths", ""],
        [f"`{ROOT}/`", "A page with these tables", ""],
    ]
    given = [
        [
            f"`{each.name}`{', several' if each.many else ''}",
            each.meaning,
            _default_of(each.default),
        ]
        for each in parameters.values()
    ]
    problems = [[f"`{name}`", str(each.status), each.meaning] for name, each in TYPES.items()]
    return "\n".join(
        [
            "## Paths\n", table(["path", "answers", "parameters"], paths),
            "## Parameters\n\nDays are China's. `several`: commas separate values, or the parameter occurs several times.\n",
            table(["parameter", "meaning", "default"], given),
            "## Errors\n\n`type` is `/api/v1/#` and this name.\n", table(["name", "status", "when"], problems),
        ]
    )  # fmt: skip


def _default_of(value: Any) -> str:
    return f"`{json.dumps(value)}`" if value is not None else ""


GENERATED: dict[str, Callable[[], str]] = {
    "commands": command_pages,
    "spiders": spider_pages,
    "exit statuses": exit_status_table,
    "settings": setting_tables,
    "fields": field_table,
    "indexes": index_table,
    "python": python_api,
    "api": api_tables,
}
