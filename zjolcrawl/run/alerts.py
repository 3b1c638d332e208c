"""Sends alerts by webhook or mail."""

from __future__ import annotations

import json
import smtplib
import urllib.request
from base64 import b64encode
from email.message import EmailMessage
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.parse import unquote

from scrapy.settings import BaseSettings

from zjolcrawl.messages import cause_of, counted, split_login, without_password

_TIMEOUT = 20  # seconds


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: urllib would follow it with a GET, without the content."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(settings: BaseSettings, summary: str, alarms: list[str]) -> list[str]:
    """Send alarms to ALARM_WEBHOOK and ALARM_MAIL, if set; returns one line per failure.

    Blocks: call it in a thread. The mail goes through Scrapy's own MAIL_HOST, MAIL_PORT, MAIL_USER,
    MAIL_PASS, MAIL_TLS and MAIL_FROM settings (Scrapy's MailSender is deprecated).
    """
    faults = []
    for name, carry in (("ALARM_WEBHOOK", _post), ("ALARM_MAIL", _mail)):
        if target := settings.get(name):
            try:
                carry(settings, target, summary, alarms)
            except (OSError, ValueError, HTTPException, smtplib.SMTPException) as error:
                faults.append(f"{name}: {cause_of(error)}")
    return faults


def post(settings: BaseSettings, url: str, content: Any, headers: dict[str, str]) -> None:
    """POST `content` as JSON. Raises OSError, ValueError, HTTPException."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{without_password(url)} is not an http or https URL")
    login, address = split_login(url)
    data = json.dumps(content, ensure_ascii=False).encode()
    headers |= {"Content-Type": "application/json", "User-Agent": settings.get("USER_AGENT")}
    if login:
        headers["Authorization"] = f"Basic {b64encode(unquote(login).encode()).decode()}"
    request = urllib.request.Request(address, data, headers)  # noqa: S310 # checked above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT):
            pass
    except InvalidURL:  # its message quotes the URL
        raise ValueError(f"{without_password(url)} is not a usable URL") from None


def mail(settings: BaseSettings, message: EmailMessage) -> None:
    """Send a message from MAIL_FROM. Raises OSError, ValueError, SMTPException."""
    message["From"] = settings.get("MAIL_FROM")
    host, port = settings.get("MAIL_HOST"), settings.getint("MAIL_PORT")
    with smtplib.SMTP(host, port, timeout=_TIMEOUT) as server:
        if settings.getbool("MAIL_TLS"):
            server.starttls()
        if user := settings.get("MAIL_USER"):
            server.login(user, settings.get("MAIL_PASS"))
        server.send_message(message)


def _post(settings: BaseSettings, url: str, summary: str, alarms: list[str]) -> None:
    post(settings, url, {"summary": summary, "alarms": alarms}, {})


def _mail(settings: BaseSettings, to: str, summary: str, alarms: list[str]) -> None:
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = f"zjolcrawl: {counted(len(alarms), 'alarm')}"
    message.set_content("\n".join([*alarms, "", summary]))
    mail(settings, message)
