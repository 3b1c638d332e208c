"""Builds messages of events and sends them by mail, webhook, or a service that apprise knows."""

from __future__ import annotations

import logging
import smtplib
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from http.client import HTTPException
from typing import Any

from scrapy.settings import BaseSettings

from zjolcrawl.messages import cause_of, counted
from zjolcrawl.run import alerts
from zjolcrawl.run.watch_file import Target

_MOST_LISTED = 100  # events in a text
_LONGEST_SUBJECT = 120
SendError = (OSError, ValueError, HTTPException, smtplib.SMTPException)


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same when a message is sent again; `repeat`: it may have arrived before."""

    id: str
    watch: str
    events: Sequence[dict[str, Any]]
    repeat: bool = False

    @property
    def subject(self) -> str:
        """One line without control characters."""
        first = self.events[0]
        what = (
            f"{first['event']}: {first['title']}"
            if len(self.events) == 1
            else counted(len(self.events), "event")
        )
        repeated = " (sent before, perhaps in vain)" if self.repeat else ""
        return plain(f"{self.watch}: {what}", _LONGEST_SUBJECT) + repeated

    @property
    def text(self) -> str:
        """The events as plain text."""
        lines: list[str] = []
        for each in self.events[:_MOST_LISTED]:
            lines += [
                f"{each['event']}: {each['title']}",
                each["url"],
                f"{each['at']}, revision {each['revision']}",
            ]
            lines += [f"+ {part}" for part in each.get("added", ())]
            lines += [f"- {part}" for part in each.get("removed", ())]
            lines.append("")
        if more := len(self.events) - _MOST_LISTED:
            lines += [f"and {counted(more, 'more event')}", ""] if more > 0 else []
        return "\n".join([*lines, f"watch {self.watch}, message {self.id}", ""])

    def content(self) -> dict[str, Any]:
        """The JSON of a webhook."""
        return {
            "id": self.id,
            "watch": self.watch,
            "repeat": self.repeat,
            "events": list(self.events),
        }


def plain(text: str, most: int) -> str:
    """A text on one line, without control, format and unassigned characters, cut to `most` characters."""
    # Cut first: a hostile text may be long.
    shown = (" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * most])
    line = " ".join("".join(shown).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def send(settings: BaseSettings, target: Target, message: Message) -> None:
    """Send a message. Blocks: call it in a thread. Raises one of SendError; its text has no secret."""
    if target.kind == "webhook":
        _post(settings, target, message)
    elif target.kind == "mail":
        _mail(settings, target.address, message)
    else:
        _notify(target.address, message)


def reason(error: BaseException) -> str:
    """Why sending failed, on one line."""
    return plain(cause_of(error), 300)


def _post(settings: BaseSettings, target: Target, message: Message) -> None:
    try:
        alerts.post(settings, target.address, message.content(), {"Idempotency-Key": message.id})
    except ValueError:  # its text may have the path of the URL, which is often the secret
        raise ValueError("the URL cannot be used") from None


def _mail(settings: BaseSettings, to: str, message: Message) -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = to, message.subject
    domain = str(settings.get("MAIL_FROM")).rpartition("@")[2].strip("> ")
    mail["Message-ID"] = f"<{message.id}.zjolcrawl@{domain}>"
    mail.set_content(message.text)
    alerts.mail(settings, mail)


@cache
def service(url: str) -> Any:
    """Apprise's notifier for a URL; None if the URL is not one of its services."""
    import apprise

    log = logging.getLogger("apprise")  # its lines name the failing URLs
    log.addHandler(logging.NullHandler())
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
    notifier = apprise.Apprise()
    with warnings.catch_warnings(action="ignore"):  # it imports what Python deprecates
        made = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    return notifier if made is not None and notifier.add(made) else None


def _notify(url: str, message: Message) -> None:
    notifier = service(url)
    try:
        done = notifier is not None and notifier.notify(title=message.subject, body=message.text)
    except Exception as error:  # of one of its many plugins; its text may hold a secret
        raise ValueError(f"the service failed: {type(error).__name__}") from None
    if not done:
        raise ValueError("the service refused the message or cannot be reached")
