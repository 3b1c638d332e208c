"""Parses and checks values of settings; a wrong one is a ValueError whose message names the setting."""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings, default_settings

from zjolcrawl.archive.s3 import store_of
from zjolcrawl.contact import check_contact, is_mail
from zjolcrawl.messages import nearest
from zjolcrawl.storage.visit_policy import VisitPolicy

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True,
    "off": False, "false": False, "no": False, "0": False,
}  # fmt: skip
# Whatever begins so is meant for zjolcrawl.
_PREFIXES = (
    "MONGODB_",
    "WARC_",
    "RECHECK_",
    "ALARM_",
    "LEASE_",
    "QUIET_",
    "FLIP_",
    "CONFIRM_",
    "BACKFILL_",
    "BROWSE_",
    "API_",
    "WATCH_",
)
_KINDS = {bool: "True or False", int: "a whole number", float: "a number"}
_COUNTS = (
    "MONGODB_BATCH_SIZE", "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "WARC_MAX_BYTES",
    "IMAGES_MAX_BYTES", "IMAGES_MAX_COUNT", "GIVE_UP_AFTER", "CONFIRM_VISITS", "LEASE_SECONDS",
    "COLUMN_MAX_PAGES",
)  # fmt: skip
_AMOUNTS = (
    "MONGODB_BATCH_SECONDS", "MONGODB_PATIENCE", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT", "FULL_SWEEP_DAYS",
    "PAGE_SECONDS", "ROBOTSTXT_MAX_AGE", "AUTOTHROTTLE_MAX_DELAY", "BACKFILL_DELAY", "BACKFILL_CDX_DELAY",
    "BACKFILL_WAIT",
)  # fmt: skip
_MOST_DAYS = 36_500
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,20}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,1000}=*", re.ASCII)  # RFC 6750, 2.1
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.ASCII)
_PACKAGES = {"s3": "botocore", "gs": "google.cloud.storage"}


def parse_bool(value: object) -> bool:
    """The value as a bool: on, off, true, false, yes, no, 1 or 0. Raises ValueError."""
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise ValueError(f"{value} is neither on nor off")
    return _WORDS[word]


@cache
def _defaults() -> dict[str, Any]:
    """The settings of Scrapy and of this package, by name."""
    from zjolcrawl import settings  # it reads the environment, so not before it is needed

    known = vars(default_settings) | vars(settings)
    return {name: value for name, value in known.items() if name.isupper()}


def check_names(given: Iterable[str], environment: Mapping[str, str]) -> None:
    """Refuse misspelt settings. Raises ValueError.

    A name `given` by -s is refused if it is unknown and resembles a known one, or has a prefix of ours:
    other parts of Scrapy may have settings of their own. An environment variable is refused if it nearly
    is a setting of ours that has no variable: those of other programs seldom are.
    """
    known = _defaults()
    own = [name for name in known if not hasattr(default_settings, name)]
    for name in given:
        if name in known:
            continue
        near = nearest(name.upper(), known, 0.8)
        if not (near or name.startswith(_PREFIXES)):
            continue
        near = near or nearest(name, own, 0.5)
        raise ValueError(f"unknown setting {name}" + (f": did you mean {near}?" if near else ""))
    for name in environment:
        near = nearest(name, own, 0.88) if "_" in name and name not in known else None
        if near and near not in environment:
            raise ValueError(f"unknown setting {name} in the environment: did you mean {near}?")


def check_types(settings: BaseSettings) -> None:
    """Check each setting whose default is a number or truth value, and LOG_LEVEL. Raises ValueError."""
    for name, default in _defaults().items():
        if (kind := type(default)) not in _KINDS or name in _AMOUNTS:
            continue
        value = settings.get(name)
        read = {bool: settings.getbool, int: settings.getint, float: settings.getfloat}[kind]
        try:
            if value is not None and not math.isfinite(read(name)):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"setting {name}={value} is not {_KINDS[kind]}") from None
    level = settings.get("LOG_LEVEL")
    if not isinstance(level, int) and str(level).upper() not in logging.getLevelNamesMapping():
        names = "CRITICAL, ERROR, WARNING, INFO or DEBUG"
        raise ValueError(f"setting LOG_LEVEL={level}: expected {names}")


def check_settings(settings: BaseSettings, image_schemes: Collection[str]) -> None:
    """Check the settings of a crawl. Raises ValueError.

    `image_schemes` are the URL schemes that FILES_STORE may have.
    """
    for name in ("WARC", "IMAGES"):
        try:
            parse_bool(settings.get(name))
        except ValueError as error:
            raise ValueError(f"setting {name}: {error}") from None
    check_contact(str(settings.get("CONTACT") or ""))
    _check_numbers(settings)
    _check_addresses(settings)
    if not settings.get("DATA_DIR") or not str(settings.get("DATA_DIR")).strip():
        raise ValueError("setting DATA_DIR is empty: expected a folder")
    _check_image_store(settings.get("FILES_STORE") or "", image_schemes)
    try:
        store_of(settings.get)
    except ValueError as error:
        raise ValueError(f"setting {error}") from None
    database = settings.get("MONGODB_DATABASE") or ""
    if not database or any(sign in database for sign in '/\\. "$*<>:|?\0') or len(database) > 63:
        raise ValueError(f"setting MONGODB_DATABASE={database} is not a database name")


def _check_numbers(settings: BaseSettings) -> None:
    for name in _COUNTS:
        value = settings.get(name)
        try:
            if int(value) < 1:
                raise ValueError
        except (TypeError, ValueError):
            raise ValueError(f"setting {name}={value} is not a positive whole number") from None
    for name in _AMOUNTS:
        _check_amount(name, settings.get(name))
    for name in ("RECHECK_DAYS", "CONFIRM_DAYS"):
        for days in settings.getlist(name):
            _check_amount(name, days)
    if not str(settings.get("FLIP_ALARM")).isdecimal():
        raise ValueError(f"setting FLIP_ALARM={settings.get('FLIP_ALARM')} is not a whole number")
    lease, page = settings.getfloat("LEASE_SECONDS"), settings.getfloat("PAGE_SECONDS")
    if page and lease <= page:  # while a page is read, no lease is renewed
        raise ValueError(f"setting LEASE_SECONDS={lease:g} must be more than PAGE_SECONDS={page:g}")


def _check_addresses(settings: BaseSettings) -> None:
    hook, mail = (settings.get(name) or "" for name in ("ALARM_WEBHOOK", "ALARM_MAIL"))
    if hook and not is_http_url(hook):
        raise ValueError(f"setting ALARM_WEBHOOK={hook} is not an http or https URL")
    if mail and not is_mail(mail):
        raise ValueError(f"setting ALARM_MAIL={mail} is not an e-mail address")


def is_http_url(text: str) -> bool:
    """Whether it is an http(s) URL; it may have a user and a host without a dot."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and text.isprintable()
    except ValueError:
        return False


def _check_amount(name: str, value: object) -> None:
    days = name.endswith("_DAYS")
    try:
        most = _MOST_DAYS if days else threading.TIMEOUT_MAX
        if not 0 <= float(str(value)) <= most:  # NaN is not
            raise ValueError
    except ValueError:
        unit = "days" if days else "seconds"
        raise ValueError(f"setting {name}={value} is not a number of {unit}") from None


def _check_image_store(uri: str, schemes: Collection[str]) -> None:
    scheme = uri.partition("://")[0] if "://" in uri else ""
    if scheme not in schemes:
        raise ValueError(f"setting FILES_STORE: {scheme}:// is not a supported image store")
    # Without these packages Scrapy disables the image pipeline and only logs it.
    package = _PACKAGES.get(scheme)
    if package and not _is_installed(package):
        raise ValueError(f"setting FILES_STORE: {scheme}:// needs the package {package}")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False


def browse_hosts(value: str) -> tuple[str, ...]:
    """The host names of BROWSE_HOSTS, in lower case. Raises ValueError."""
    names = tuple(name for each in value.split(",") if (name := each.strip().lower()))
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(
                f"setting BROWSE_HOSTS={name} is not a host name, such as news.example.org"
            )
    return names


def api_token(settings: BaseSettings) -> str | None:
    """API_TOKEN: the token, empty if it is off, None if it is not set. Raises ValueError without the value."""
    token = str(settings.get("API_TOKEN") or "").strip()
    if token.lower() in _WORDS:
        if _WORDS[token.lower()]:
            raise ValueError("setting API_TOKEN: expected a token, or off")
        return ""
    if token and not _TOKEN.fullmatch(token):
        form = "expected 16 characters or more of A-Z a-z 0-9 . _ ~ + / -, or off"
        raise ValueError(f"setting API_TOKEN: {form}")
    return token or None


def api_origins(settings: BaseSettings) -> tuple[str, ...]:
    """API_ORIGINS: the origins of web pages that may call the API. Raises ValueError."""
    origins = tuple(part for each in settings.getlist("API_ORIGINS") if (part := each.strip()))
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            form = "an origin such as https://news.example.org, in lower case and without a path"
            raise ValueError(f"setting API_ORIGINS={origin}: expected {form}, or *")
    return origins


def watch_path(settings: BaseSettings) -> Path | None:
    """The file with watches: WATCH_FILE, or watch.toml if there is one."""
    named = str(settings.get("WATCH_FILE") or "")
    path = Path(named or "watch.toml")
    return path if named or path.exists() else None


def visit_policy(settings: BaseSettings) -> VisitPolicy:
    """The revisit policy from the settings. Raises ValueError."""
    return VisitPolicy(
        recheck_days=tuple(float(each) for each in settings.getlist("RECHECK_DAYS")),
        give_up_after=settings.getint("GIVE_UP_AFTER"),
        confirm_days=tuple(float(each) for each in settings.getlist("CONFIRM_DAYS")),
        confirm_visits=settings.getint("CONFIRM_VISITS"),
    )
