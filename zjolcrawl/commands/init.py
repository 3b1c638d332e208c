"""`zjolcrawl init`: writes a settings file, and lines for cron and systemd, for this installation."""

from __future__ import annotations

import argparse
import getpass
import shutil
import sys
from pathlib import Path
from string import Template

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.cli.base import BaseCommand, no_arguments
from zjolcrawl.site.own_file import NAME

_SETTINGS = """\
# Settings and columns of this archive. zjolcrawl reads this file in the folder where it is started.
# `-s NAME=VALUE` and an environment variable NAME win over it. Lines that begin with # have the defaults.

[settings]
# An e-mail address or URL in the User-Agent, so that the site can reach you.
# CONTACT = "archive@example.org"
# MongoDB; without it, a private server on DATA_DIR.
# MONGODB_URI = "mongodb://localhost"
# MONGODB_DATABASE = "zjol"
# DATA_DIR = "data"
# Seconds between two requests to one host.
# DOWNLOAD_DELAY = 1.0
# Hours without requests, China time.
# QUIET_HOURS = "01:00-05:30"
# Days after its publication on which an article is visited again.
# RECHECK_DAYS = "1,3,7,30"
# Whether images are fetched, and the largest.
# IMAGES = "on"
# IMAGES_MAX_BYTES = 20971520
# Where alarms are sent.
# ALARM_WEBHOOK = "https://hooks.example.org/zjolcrawl"
# ALARM_MAIL = "archive@example.org"

# A column of your own. `zjolcrawl columns` lists all columns.
# [[column]]
# id = "my-column"
# name = "我的栏目"
# url = "http://zjnews.zjol.com.cn/zjnews/my-column/"

# A column of the catalogue that is not crawled.
# [[column]]
# id = "zjxc"
# enabled = false
"""
_WATCHES = """\
# Who is told of which articles after a crawl: docs/how-to/watch.md. Remove the # to use it; keep the file to
# yourself (chmod 600), because URLs of receivers are secrets. `zjolcrawl watch --dry-run` shows what it would tell.

# [[watch]]
# name = "西湖"
# terms = "西湖 荷花 -广告"
# columns = ["zjxw"]
# events = ["new", "edited", "gone", "returned"]
# only_added = true
# mail = ["desk@example.org"]
# webhook = ["https://hooks.example.org/zjolcrawl"]
# apprise = ["wecombot://BOTKEY"]
"""
_CRONTAB = """\
# Append to `crontab -e`. A good run prints one line.
7 * * * *  cd $folder && mkdir -p data && $program crawl column 2>> data/cron.log
37 7 * * * cd $folder && mkdir -p data && $program health > data/health.txt || mail -s zjolcrawl $user < data/health.txt
"""
_SERVICE = """\
# Copy to /etc/systemd/system/ with zjolcrawl.timer, then: systemctl enable --now zjolcrawl.timer
[Unit]
Description=zjolcrawl: the columns of zjol.com.cn
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=$user
WorkingDirectory=$folder
ExecStart=$program crawl column
SuccessExitStatus=3 75
TimeoutStopSec=30
"""
_TIMER = """\
[Unit]
Description=zjolcrawl every hour

[Timer]
OnCalendar=*:07
Persistent=true

[Install]
WantedBy=timers.target
"""
_FILES = {
    NAME: _SETTINGS, "watch.toml": _WATCHES, "zjolcrawl.crontab": _CRONTAB, "zjolcrawl.service": _SERVICE, "zjolcrawl.timer": _TIMER,
}  # fmt: skip


class Command(BaseCommand):
    """Writes zjolcrawl.toml, watch.toml, zjolcrawl.crontab, zjolcrawl.service and zjolcrawl.timer, and replaces none."""

    summary = "Write a commented settings file, and lines for cron and systemd"
    details = (
        f"Writes {', '.join(_FILES)} into the current folder, with the paths of this installation."
        " A file that exists stays as it is."
    )

    def execute(self, args: list[str], opts: argparse.Namespace) -> None:
        no_arguments(args)
        values = {"folder": Path.cwd(), "program": _program(), "user": getpass.getuser()}
        for name, text in _FILES.items():
            try:
                with Path(name).open("x", encoding="utf-8") as file:
                    # The settings hold no values of this installation, and perhaps a $.
                    file.write(
                        text if name.endswith(".toml") else Template(text).substitute(values)
                    )
                sys.stdout.write(f"{name} written\n")
            except FileExistsError:
                sys.stdout.write(f"{name} exists and stays as it is\n")
            except OSError as error:
                raise ArgumentError(
                    f"{Path.cwd() / name} cannot be written: {error.strerror}"
                ) from error


def _program() -> str:
    """The command that runs this installation, with its absolute path."""
    beside = Path(sys.executable).with_name("zjolcrawl")
    found = str(beside) if beside.exists() else shutil.which("zjolcrawl")
    return found or f"{sys.executable} -m zjolcrawl"
