"""Reads watch.toml: what people want to be told of, and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings

from zjolcrawl.contact import is_mail
from zjolcrawl.search.query import QueryError, Wanted, parse
from zjolcrawl.setting_values import is_http_url, watch_path
from zjolcrawl.site.description import SiteError, made, read_toml
from zjolcrawl.site.names import COLUMNS_HINT, UnknownName, column_names, find, find_hosts
from zjolcrawl.storage.queries.selection import Selection

EVENTS = ("new", "edited", "gone", "returned")
_LONGEST_NAME = 100
_NO_SENDER = "scrapy@localhost"  # Scrapy's default of MAIL_FROM, which no mail server takes
_MOST = 1_000_000  # of a number in the file


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver: `kind` is mail, webhook or apprise. An `address` may be a secret; `label` has none."""

    kind: str
    address: str = field(repr=False)

    @property
    def id(self) -> str:
        """Its name in the outbox: it changes with the address and does not show it."""
        return f"{self.kind}:{hashlib.sha256(self.address.encode()).hexdigest()[:16]}"

    @property
    def label(self) -> str:
        """Its name in messages to people."""
        if self.kind == "mail":
            return f"mail {self.address}"
        parts = urlsplit(self.address)
        return (
            f"webhook {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            if self.kind == "webhook"
            else f"{parts.scheme}://"
        )


@dataclass(frozen=True)
class Watch:
    """One [[watch]] of the file. Raises SiteError for an invalid value.

    `terms` are in the language of `scrapy search`; of several columns, persons, tags or hosts one must match.
    `only_added`: the terms must be in what an edit added. `min_change`: least characters that an edit adds
    and removes. More than `digest` events are one message.
    """

    name: str
    terms: str = ""
    columns: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    events: tuple[str, ...] = EVENTS
    only_added: bool = False
    min_change: int = 0
    digest: int = 20
    mail: tuple[str, ...] = ()
    webhook: tuple[str, ...] = field(default=(), repr=False)
    apprise: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > _LONGEST_NAME or not self.name.isprintable():
            raise SiteError(f"name: expected 1 to {_LONGEST_NAME} printable characters")
        if not self.events:
            raise SiteError(f"events: expected {', '.join(EVENTS)}")
        for each in self.events:
            if each not in EVENTS:
                raise SiteError(f"events: unknown event {each!r}: expected {', '.join(EVENTS)}")
        for name, least in (("min_change", 0), ("digest", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not least <= value <= _MOST:
                raise SiteError(f"{name}: expected a whole number, {least} to {_MOST}")
        if not self.targets:
            raise SiteError("give a receiver: mail, webhook or apprise")
        for target in self.targets:
            _check_target(target)
        try:
            _ = self.wanted, self.selection
        except QueryError as error:
            raise SiteError(f"terms: {error}") from None
        except UnknownName as error:
            raise SiteError(str(error)) from None

    @cached_property
    def wanted(self) -> Wanted:
        """The terms, parsed. Raises QueryError."""
        return parse(self.terms) if self.terms.strip() else Wanted()

    @cached_property
    def selection(self) -> Selection:
        """The filters, with ids of columns and full names of hosts. Raises UnknownName.

        Persons and tags may be unknown: they may appear later.
        """
        columns = find("column", self.columns, column_names(), COLUMNS_HINT)
        hosts = find_hosts(self.hosts)
        return Selection(columns=columns, sites=hosts, people=self.persons, tags=self.tags)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The receivers, each once."""
        kinds = ("mail", "webhook", "apprise")
        return tuple(
            dict.fromkeys(Target(kind, each) for kind in kinds for each in getattr(self, kind))
        )


def read_watches(settings: BaseSettings) -> list[Watch]:
    """The watches in the file of `watch_path`. Raises SiteError."""
    if not (path := watch_path(settings)):
        return []
    table = read_toml(path)
    for key in table:
        if key != "watch":
            raise SiteError(f"{path.name}: unknown key {key}: expected [[watch]]")
    rows: Any = table.get("watch", [])
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise SiteError(f"{path.name}: watch has the wrong type: write it as [[watch]]")
    watches = [
        made(Watch, row, f"{path.name}: {_place(number, row)}")
        for number, row in enumerate(rows, 1)
    ]
    names = [each.name for each in watches]
    for name in names:
        if names.count(name) > 1:
            raise SiteError(f"{path.name}: two watches have the name {name}")
    if any(each.mail for each in watches) and settings.get("MAIL_FROM") in {None, "", _NO_SENDER}:
        raise SiteError(f"{path.name}: mail needs the setting MAIL_FROM")
    return watches


def _place(number: int, row: dict[str, Any]) -> str:
    name = row.get("name")
    return (
        f"watch {name}"
        if isinstance(name, str) and name.isprintable() and name
        else f"watch {number}"
    )


def _check_target(target: Target) -> None:
    """Raises SiteError; its message does not have the address of a service, which holds a secret."""
    if target.kind == "mail" and not is_mail(target.address):
        raise SiteError(f"mail: {target.address!r} is not an e-mail address")
    if target.kind == "webhook" and not is_http_url(target.address):
        raise SiteError("webhook: expected http or https URLs")
    if target.kind == "apprise":
        scheme = target.address.partition("://")[0][:30]
        if find_spec("apprise") is None:
            raise SiteError(f"apprise: {scheme}:// needs pip install 'zjolcrawl[watch]'")
        from zjolcrawl.run.watch_send import service  # imported late: it is slow, and few need it

        if service(target.address) is None:
            raise SiteError(
                f"apprise: the URL that begins with {scheme!r} is not one of apprise's services, or a part is missing"
            )
