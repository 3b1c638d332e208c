"""Describes the machine of a benchmark in one line."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

from bench.nginx import program
from zjolcrawl.storage.embedded import find_mongod


def machine() -> str:
    """Date, processor, system, versions of non-Python programs, and the load before the run."""
    nginx = program()  # only bench.crawl_rate needs it
    served = f"nginx {_version(nginx, '-v')}, " if nginx else ""
    return (
        f"{date.today()}, {os.cpu_count()} cores ({_processor()}), {_system()}, Linux "
        f"{platform.release()}, MongoDB {_version(str(find_mongod()), '--version')}, "
        f"{served}load before {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def _version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "?"
