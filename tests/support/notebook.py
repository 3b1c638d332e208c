"""Runs the cells of a notebook and compares or stores their outputs, without Jupyter.

`DATA_DIR=data/demo python -m tests.support.notebook examples/august-2017.ipynb` stores them anew. Only what
these notebooks need: Python cells, printed text, and the value of a cell's last line.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

# The methods by which a value shows itself in a notebook; only the text must be the same everywhere.
_SHOWN = {"text/html": "_repr_html_", "image/png": "_repr_png_"}
Output = dict[str, Any]


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The code cells of a parsed notebook."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(notebook: dict[str, Any]) -> list[list[Output]]:
    """The outputs of each code cell, in the notebook's own form. Raises what a cell raises."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [
        _run_cell("".join(cell["source"]), names, number)
        for number, cell in enumerate(code_cells(notebook), 1)
    ]


def _run_cell(source: str, names: dict[str, Any], number: int) -> list[Output]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        if last:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    outputs: list[Output] = []
    if text := printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(text)})
    if value is not None:
        shown = {"data": _data(value), "execution_count": number, "metadata": {}}
        outputs.append({**shown, "output_type": "execute_result"})
    return outputs


def _data(value: object) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for mime, method in _SHOWN.items():
        shown = getattr(value, method, lambda: None)()
        if isinstance(shown, bytes):
            data[mime] = base64.b64encode(shown).decode()
        elif shown is not None:
            data[mime] = _lines(shown)
    # The default representation of an object has its address.
    text = f"<{type(value).__name__}>" if "image/png" in data else repr(value)
    return data | {"text/plain": _lines(text)}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def texts(outputs: list[Output]) -> list[Any]:
    """What must be the same on every machine: printed text, values as text, and the types of pictures."""
    return [
        each["text"]
        if "text" in each
        else (each["data"]["text/plain"], "image/png" in each["data"])
        for each in outputs
    ]


def main() -> None:
    """Run a notebook and store its outputs in it."""
    path = Path(sys.argv[1])
    notebook = json.loads(path.read_text("utf-8"))
    cells = code_cells(notebook)
    for number, (cell, outputs) in enumerate(zip(cells, run(notebook), strict=True), 1):
        cell["outputs"], cell["execution_count"] = outputs, number
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
