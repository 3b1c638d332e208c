"""Finds all regular expressions of the package, and builds worst-case inputs from their own pieces."""

from __future__ import annotations

import ast
import importlib
import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as op  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import zjolcrawl
from zjolcrawl.fields import FIELDS
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES
from zjolcrawl.site.description import load_site

LOCAL = {
    "roles": AUTHOR_ROLES, "role": "记者", "plain": "http://x", "secure": "https://x", "pattern": "x", "name": "countPage", "value": "countPage", "current": 1, "term": "好", "field": next(field for field in FIELDS if field.pattern), "site": load_site(), "self": load_site().mobile,
}  # fmt: skip
"""Values of local names in patterns that are built at run time."""

_TAILS = ("！", "\x00", "a")  # no pattern ends with NUL, few with the others
_MOST = 60  # pieces of one pattern
_FEW = 20  # repeats of something that has several ways itself
_EACH = 5  # members of a class, alternatives


def modules() -> Iterator[ModuleType]:
    """All modules of the package."""
    for found in pkgutil.walk_packages(zjolcrawl.__path__, "zjolcrawl."):
        yield importlib.import_module(found.name)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Location and pattern: constants, and arguments of functions of `re`."""
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value
        assert module.__file__
        for call in _calls(module.__file__):
            where = f"{module.__name__}:{call.lineno} re.{call.func.attr}"  # type: ignore[attr-defined]
            argument = ast.Expression(call.args[0])
            text = eval(compile(argument, where, "eval"), {**LOCAL, **vars(module)})
            if not isinstance(text, re.Pattern):
                yield where, re.compile(text, _flags(call))
    yield from _of_the_site()


def _of_the_site() -> Iterator[tuple[str, re.Pattern[str]]]:
    """The patterns of the site file, and those made of it."""
    site = load_site()
    for number, form in enumerate(site.article, 1):
        yield f"zjol.toml article {number}", form.path
    yield from {
        "zjol.toml paper_page": site.paper_page.path, "zjol.toml mobile": site.mobile.path,
        "zjol.toml app": site.app.video_path, "zjol.toml article_hint": site.article_hint,
        "zjol.toml domains": site.own, "zjol.toml image_domains": site.images,
    }.items()  # fmt: skip


def _calls(file: str) -> Iterator[ast.Call]:
    text = Path(file).read_text(encoding="utf-8")
    if not re.search(r"\bre\.(?!escape\b)\w+\(", text):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "re" and node.func.attr != "escape":
                yield node


def _flags(call: ast.Call) -> int:
    found = 0
    for each in [*call.args[1:], *(keyword.value for keyword in call.keywords)]:
        text = ast.unparse(each)
        if re.fullmatch(r"re\.[A-Z]+(?: \| re\.[A-Z]+)*", text):
            found |= eval(text, {"re": re})
    return found


def pumps(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """(start, piece, end): inputs that repeat the piece between start and end.

    Of inputs that the pattern cannot tell apart, only the first.
    """
    kinds = Kinds(pattern)
    seen = set()
    for before, piece, after in _pumps(pattern):
        alike = (kinds.of(before), _once(kinds.of(piece)), kinds.of(after))
        if alike not in seen:
            seen.add(alike)
            yield before, piece, after


def _once(text: str) -> str:
    """The shortest text that is `text` when it is repeated."""
    return text[: (text + text).find(text, 1)]


class Kinds:
    """Characters in one kind get the same answer from every part of the pattern that looks at a character.

    So texts that are equal kind by kind take the same steps.
    """

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        tree = list(_parser.parse(pattern.pattern, pattern.flags))
        # What a former group matched is compared character by character.
        self._all_differ = isinstance(pattern.pattern, bytes) or bool(
            {op.GROUPREF, op.GROUPREF_EXISTS} & {kind for kind, _, _ in _parts(tree, 0)}
        )
        asked = {
            repr(each): each
            for each in _parts(tree, pattern.flags)
            if each[0] in {op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY}
        }
        self._asks = [_asks(*each) for each in asked.values()]
        # For `\\b`, which can be ASCII only, `^` and `$`.
        self._asks += [re.compile(r"\w").match, re.compile(r"(?a:\w)").match, "\n".__eq__]
        self._first: dict[tuple[bool, ...], str] = {}
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        """The text with each character replaced by the first one of its kind that was asked for."""
        if self._all_differ:
            return text
        return "".join(self._known.get(c) or self._find(c) for c in text)

    def _find(self, character: str) -> str:
        answers = tuple(bool(ask(character)) for ask in self._asks)
        self._known[character] = self._first.setdefault(answers, character)
        return self._known[character]


def _parts(tree: list[Any], flags: int) -> Iterator[tuple[Any, Any, int]]:
    """All parts of a pattern, with the flags that are on there."""
    for kind, value in tree:
        yield kind, value, flags
        here = (flags | value[1]) & ~value[2] if kind is op.SUBPATTERN else flags
        for inner in _inside(kind, value):
            yield from _parts(inner, here)


def _asks(kind: Any, value: Any, flags: int) -> Callable[[str], object]:
    """Whether a part takes a character, decided by `re` itself."""
    if kind is op.LITERAL and not flags & re.IGNORECASE:
        return chr(value).__eq__
    state = _parser.State()
    state.flags, state.str = flags, ""
    return _compiler.compile(_parser.SubPattern(state, [(kind, value)]), flags).match  # type: ignore[no-any-return]


def _pumps(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    tree = _parser.parse(pattern.pattern, pattern.flags)
    repeats = list(dict.fromkeys(_repeats(list(tree), "")))
    pieces = list(dict.fromkeys(piece for pair in repeats for piece in pair[::-1]))
    single = list(dict.fromkeys(c for piece in _samples(list(tree)) for c in piece))
    every = list(filter(None, dict.fromkeys([*pieces, *_literals(list(tree)), *single])))[:_MOST]
    for before, piece in repeats[:_MOST]:
        yield before, piece, "\x00"
    for piece in every:
        for tail in _TAILS:
            yield "", piece, tail
    for one, other in islice(product(every[:14], repeat=2), 196):
        if one != other:
            yield "", one + other, "\x00"
    for before, piece in product(every[:8], every[:8]):
        yield before, piece, "！"


def is_bounded(pattern: re.Pattern[Any], most: int = 1000) -> bool:
    """Whether a match can go at most `most` ways from one position, so that the time is linear by construction."""
    return _ways_through(list(_parser.parse(pattern.pattern, pattern.flags))) <= most


def _ways_through(tree: list[Any]) -> float:
    ways = 1.0
    for kind, value in tree:
        inside = [_ways_through(each) for each in _inside(kind, value)]
        if kind in _REPEATS:
            least, most = value[0], value[1]
            if most is op.MAXREPEAT or (most > _FEW and inside[0] > 1):
                return math.inf
            ways *= (most - least + 1) * inside[0] ** (most if inside[0] > 1 else 1)
        elif inside:
            ways *= sum(inside)
        elif kind is op.GROUPREF_EXISTS:  # what it holds is not looked into
            return math.inf
    return ways


def _literals(tree: list[Any]) -> Iterator[str]:
    """Runs of literal characters, and each alternative."""
    yield from _samples(tree)
    for kind, value in tree:
        for inner in _inside(kind, value):
            yield from islice(_literals(inner), 40)


def _repeats(tree: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """A prefix of each repeat, and a sample of what it repeats."""
    for kind, value in tree:
        if kind in _REPEATS:
            for sample in _samples(list(value[2])):
                if sample:
                    yield before, sample
        for inner in _inside(kind, value):
            yield from _repeats(inner, before)
        before += next(iter(_samples([(kind, value)])), "")


_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


def _inside(kind: Any, value: Any) -> list[list[Any]]:
    if kind in _REPEATS:
        return [list(value[2])]
    if kind is op.SUBPATTERN:
        return [list(value[3])]
    if kind is op.ATOMIC_GROUP:
        return [list(value)]
    if kind is op.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind in {op.ASSERT, op.ASSERT_NOT}:
        return [list(value[1])]
    return []


def _samples(tree: list[Any]) -> list[str]:
    """A few strings that a sequence matches; lookarounds are ignored."""
    found = [""]
    for kind, value in tree:
        ways = _ways(kind, value)
        if len(ways) == 1:
            found = [text + ways[0] for text in found]
        else:
            found = [text + way for text, way in islice(product(found, ways), 12)]
    return found


def _ways(kind: Any, value: Any) -> list[str]:
    if kind is op.LITERAL:
        return [chr(value)]
    if kind is op.NOT_LITERAL:
        return ["x" if value != 120 else "y"]
    if kind is op.ANY:
        return ["x", "好"]
    if kind is op.IN:
        return _members(value)
    if kind is op.BRANCH:
        return [way for branch in value[1] for way in _samples(list(branch))[:2]][: 4 * _EACH]
    if kind in _REPEATS:
        least = value[0]
        once = _samples(list(value[2]))
        most = value[1] if value[1] is not op.MAXREPEAT else least + 1
        return [way * max(least, min(1, most)) for way in once[:_EACH]] or [""]
    if kind is op.SUBPATTERN:
        return _samples(list(value[3]))[: 2 * _EACH]
    if kind is op.ATOMIC_GROUP:
        return _samples(list(value))[: 2 * _EACH]
    return [""]


_CATEGORIES = {
    op.CATEGORY_DIGIT: ["0"], op.CATEGORY_SPACE: [" ", "\u3000", "\n"], op.CATEGORY_WORD: ["a", "好", "_"],
    op.CATEGORY_NOT_DIGIT: ["x"], op.CATEGORY_NOT_SPACE: ["x", "好"], op.CATEGORY_NOT_WORD: ["-", " ", "。"],
}  # fmt: skip


def _members(value: list[Any]) -> list[str]:
    if value[0][0] is op.NEGATE:
        excluded = {chr(v) for k, v in value[1:] if k is op.LITERAL}
        return [c for c in ("x", "好", " ", ".", "0", "：") if c not in excluded][:4]
    found: list[str] = []
    for kind, each in value:
        if kind is op.LITERAL:
            found.append(chr(each))
        elif kind is op.RANGE:
            found.append(chr(each[0] + min(20, (each[1] - each[0]) // 2)))
        elif kind is op.CATEGORY:
            found += _CATEGORIES[each]
    return list(dict.fromkeys(found))[: 2 * _EACH]
