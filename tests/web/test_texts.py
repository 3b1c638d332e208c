"""The catalogue of texts is complete, holds nothing unused, and its English fits the Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bson import Int64
from jinja2 import Environment, nodes
from markupsafe import Markup

import zjolcrawl.web
from zjolcrawl import fields
from zjolcrawl.display.formatting import PRECISION
from zjolcrawl.feeds.feed import NAMES
from zjolcrawl.web.language import Language
from zjolcrawl.web.texts import _, catalogue

FOLDER = Path(zjolcrawl.web.__file__).parent
CHINESE = re.compile(r"[⺀-鿿　-〿＀-￯]")
NAMES_ITSELF = {"中文"}  # the name of a language is in that language
# The seal, which is a picture; a pattern; examples of values in addresses.
DATA = {"浙", "[，、；;]", "江帆", "生态文明"}
PLACES = re.compile(r"\{\d*\}")


def in_template(path: Path) -> Iterator[str]:
    """Chinese texts of a template: those to translate, and those outside of any call."""
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for each in tree.find_all(nodes.Const):
        if isinstance(each.value, str) and CHINESE.search(each.value):
            yield each.value
    for each in tree.find_all(nodes.TemplateData):
        yield from re.findall(f"(?:{CHINESE.pattern})+", each.data)


def in_module(path: Path) -> Iterator[str]:
    """Chinese strings of a module that are no docstrings, also within f-strings and patterns."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(each.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
    }
    for each in ast.walk(tree):
        text = each.value if isinstance(each, ast.Constant) and id(each) not in docs else None
        if isinstance(text, str) and CHINESE.search(text):
            yield text


def used() -> dict[str, str]:
    """The Chinese texts of the pages, each with a file that has it."""
    found = {field.term: "fields.py" for field in fields.FIELDS if field.term}
    found |= dict.fromkeys(PRECISION.values(), "formatting.py")
    for path in sorted(FOLDER.rglob("*.html")):
        found |= dict.fromkeys(in_template(path), path.name)
    found |= dict.fromkeys(NAMES.values(), "feeds.py")
    for path in sorted(FOLDER.rglob("*.py")):
        if path.parent.name != "api":  # its tables have a text in each language
            found |= dict.fromkeys(in_module(path), path.name)
    return {text: file for text, file in found.items() if text not in NAMES_ITSELF | DATA}


def test_each_chinese_text_has_an_english_one() -> None:
    assert {text: file for text, file in used().items() if text not in catalogue()} == {}


def test_each_entry_is_used() -> None:
    assert sorted(catalogue().keys() - used().keys()) == []


@pytest.mark.parametrize("chinese", catalogue())
def test_english_has_the_same_places(chinese: str) -> None:
    entry = catalogue()[chinese]
    english = [entry] if isinstance(entry, str) else entry
    assert len(english) <= 2
    for each in english:
        assert each
        assert not CHINESE.search(each)
        if "%Y" in chinese:
            continue
        given, taken = PLACES.findall(chinese), PLACES.findall(each)
        if "{0}" in chinese or "{0}" in each:
            assert set(taken) <= {f"{{{n}}}" for n in range(4)}
        else:
            assert taken == given or (each is english[0] and len(english) == 2), each


def test_what_the_tests_above_find(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<p title="甲">乙{{ _("丙") }}</p>{% if x == "丁" %}{# 戊 #}{% endif %}{{ y|f("己") }}',
        encoding="utf-8",
    )
    assert sorted(in_template(page)) == sorted(["丙", "丁", "己", "甲", "乙"])
    module = tmp_path / "module.py"
    module.write_text(
        '"""甲"""\nx = f"乙{x}"\ny = "丙" "丁"  # 戊\ndef f():\n    "己"\n', encoding="utf-8"
    )
    assert sorted(in_module(module)) == sorted(["乙", "丙丁"])


def test_values_in_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _("共 {} 篇", 1204) == "共 1,204 篇"
    assert _("第 {} 字节起，{} 字节", Int64(2**40), 5) == "第 1,099,511,627,776 字节起，5 字节"
    assert _("没有这一页。") == "没有这一页。"
    assert _("标签 {}", "{0}{x}") == "标签 {0}{x}"
    shown = _("标签 {}：{}", Markup("<b>甲</b>"), "<i>")
    assert isinstance(shown, Markup)
    assert shown == "标签 <b>甲</b>：&lt;i&gt;"
    monkeypatch.setattr("zjolcrawl.web.texts.current", lambda: Language("en"))
    assert [_("共 {} 篇", n) for n in (0, 1, 2, 1204)] == [
        "0 articles", "1 article", "2 articles", "1,204 articles",
    ]  # fmt: skip
    assert _("{} {} 篇", "T1", Int64(1)) == "T1: 1 article"
    assert _("一句还没有译的话 {}", 3) == "一句还没有译的话 3"
