"""What keeps the package importable on Windows: no module that only Unix has is imported at the top."""

from __future__ import annotations

import ast
from pathlib import Path

import zjolcrawl

UNIX_ONLY = {
    "curses",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
}


def test_no_module_of_unix_is_imported_at_the_top() -> None:
    for path in Path(zjolcrawl.__file__).parent.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not UNIX_ONLY & {name.partition(".")[0] for name in names}, path
