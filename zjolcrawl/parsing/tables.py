"""Reads tables that hold data, and tells lists of text from lists used for layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from lxml.html import HtmlElement

from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.fields.text import clean


def items(element: HtmlElement) -> Iterator[HtmlElement]:
    """A list's own items; an item nested in another item is read with that item."""
    waiting = [element]
    while waiting:
        inner = waiting.pop()
        if inner.tag == "li":
            yield inner
        elif inner is element or inner.tag not in {"ul", "ol"}:
            waiting.extend(reversed(inner))


def _rows(table: HtmlElement) -> list[list[HtmlElement]]:
    return [[cell for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]


def is_data_table(table: HtmlElement) -> bool:
    """Whether a table holds data: rows of two or more filled cells, no picture; others are layout."""
    if table.find(".//img") is not None or table.find(".//table") is not None:
        return False
    rows = [[len(clean(str(cell.text_content()))) for cell in row] for row in _rows(table)]
    filled = sum(sum(map(bool, row)) >= 2 for row in rows)
    return filled >= 2 and all(size < 400 for row in rows for size in row)


def read_table(table: HtmlElement) -> Block:
    """A data table as a block: a row a line, its cells divided by tabs."""
    lines, html = [], []
    for row in _rows(table):
        texts = [clean(" ".join(str(cell.text_content()).split())) for cell in row]
        if not any(texts):
            continue
        lines.append("\t".join(texts))
        cells = ""
        for cell, text in zip(row, texts, strict=True):
            spans = "".join(
                f' {name}="{cell.get(name)}"'
                for name in ("colspan", "rowspan")
                if re.fullmatch(r"[2-9]|[1-9]\d{1,2}", cell.get(name) or "")
            )
            cells += f"<{cell.tag}{spans}>{escape(text, quote=False)}</{cell.tag}>"
        html.append(f"<tr>{cells}</tr>")
    return Block("table", lines, f"<table>{''.join(html)}</table>")


def is_plain_list(element: HtmlElement) -> bool:
    """Whether a list holds only text: no picture, no table."""
    if element.find(".//img") is not None or element.find(".//table") is not None:
        return False
    return element.find("./li") is not None
