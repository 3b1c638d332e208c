"""Decides whether a visit without an article is believed: only after several visits agree, days apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zjolcrawl.clock import utc_now
from zjolcrawl.items import Outcome

FINDINGS = frozenset({"gone", "rejected"})
"""The states of a link whose page is not, or no longer, an article."""


@dataclass(frozen=True, slots=True)
class VisitPolicy:
    """When a link is visited again.

    `recheck_days`: days after publication of the visits that look for edits and takedowns. After
    `give_up_after` consecutive failures a link is not retried. After a visit that finds no article the
    next one follows `confirm_days[0]` days later, after a second one `confirm_days[1]`, and so on; the
    finding is believed once `confirm_visits` agree.
    """

    recheck_days: tuple[float, ...] = (1, 3, 7, 30)
    give_up_after: int = 12
    confirm_days: tuple[float, ...] = (1, 2, 4, 8, 16)
    confirm_visits: int = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a visit without an article changes its link's row.

    `doubt`: {state, reason, since, count} of the consecutive visits that agree. `next_visit_at`: None once
    `confirm_days` is used up. `waits`: the time of the next visit does not change. `believed`: enough
    visits agree. `repeats`: the previous visit gave the same reason. `was_stored`: the link had an article.
    """

    doubt: dict[str, Any]
    next_visit_at: datetime | None
    waits: bool
    believed: bool
    repeats: bool
    was_stored: bool

    @property
    def takes_down(self) -> bool:
        """Whether the link's article counts as gone."""
        return self.believed and self.doubt["state"] == "gone"


def judge(row: Mapping[str, Any], outcome: Outcome, policy: VisitPolicy) -> Verdict | None:
    """The verdict on an outcome, given the link's row before it ({} if there is none).

    None if nothing needs confirmation: failures, and links that our own rules exclude. A visit counts only
    if it was due, so several within an hour count once. If this visit or a later one is already recorded,
    the row stays.
    """
    stored = row.get("state") == "stored"
    if outcome.state not in FINDINGS or (outcome.skipped and not stored):
        return None
    at = outcome.seen_at or utc_now()
    last, due = row.get("last_attempt_at"), row.get("next_visit_at")
    doubt = row.get("doubt") or {}
    agrees = doubt.get("state") == outcome.state
    waits = agrees and ((last is not None and last >= at) or (due is not None and due > at))
    repeats = agrees and doubt["reason"] == outcome.reason
    since, count = (doubt["since"], doubt["count"]) if agrees else (at, 0)
    count += not waits
    delays = policy.confirm_days
    following = at + timedelta(days=delays[count - 1]) if count <= len(delays) else None
    doubt_now = {"state": outcome.state, "reason": outcome.reason, "since": since, "count": count}
    return Verdict(doubt_now, following, waits, count >= policy.confirm_visits, repeats, stored)
