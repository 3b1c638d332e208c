"""Parses and checks values of settings; a wrong one is a ValueError whose message names the setting."""

from __future__ import annotations

import threading
from collections.abc import Collection
from importlib.util import find_spec

from scrapy.settings import BaseSettings

from zjolcrawl.archive.s3 import store_of
from zjolcrawl.storage.visit_policy import VisitPolicy

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True,
    "off": False, "false": False, "no": False, "0": False,
}  # fmt: skip
_COUNTS = (
    "MONGODB_BATCH_SIZE", "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "WARC_MAX_BYTES",
    "IMAGES_MAX_BYTES", "IMAGES_MAX_COUNT", "GIVE_UP_AFTER", "CONFIRM_VISITS", "LEASE_SECONDS",
)  # fmt: skip
_AMOUNTS = (
    "MONGODB_BATCH_SECONDS", "MONGODB_PATIENCE", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT", "FULL_SWEEP_DAYS",
    "PAGE_SECONDS",
)  # fmt: skip
_MOST_DAYS = 36_500
_PACKAGES = {"s3": "botocore", "gs": "google.cloud.storage"}


def parse_bool(value: object) -> bool:
    """The value as a bool: on, off, true, false, yes, no, 1 or 0. Raises ValueError."""
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise ValueError(f"{value} is neither on nor off")
    return _WORDS[word]


def check_settings(settings: BaseSettings, image_schemes: Collection[str]) -> None:
    """Check the settings of a crawl. Raises ValueError.

    `image_schemes` are the URL schemes that FILES_STORE may have.
    """
    for name in ("WARC", "IMAGES"):
        try:
            parse_bool(settings.get(name))
        except ValueError as error:
            raise ValueError(f"setting {name}: {error}") from None
    _check_numbers(settings)
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


def _check_amount(name: str, value: object) -> None:
    days = name.endswith("_DAYS")
    try:
        if (
            not 0 <= float(str(value)) <= (_MOST_DAYS if days else threading.TIMEOUT_MAX)
        ):  # NaN is not
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


def visit_policy(settings: BaseSettings) -> VisitPolicy:
    """The revisit policy from the settings. Raises ValueError."""
    return VisitPolicy(
        recheck_days=tuple(float(each) for each in settings.getlist("RECHECK_DAYS")),
        give_up_after=settings.getint("GIVE_UP_AFTER"),
        confirm_days=tuple(float(each) for each in settings.getlist("CONFIRM_DAYS")),
        confirm_visits=settings.getint("CONFIRM_VISITS"),
    )
