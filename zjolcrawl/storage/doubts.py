"""Whether a visit that found no article is believed: once several visits agree, spread over days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zjolcrawl.items import Outcome
from zjolcrawl.storage.operations import utc_now

FINDINGS = frozenset({"gone", "rejected"})
"""The states of a link whose page is no article (any more)."""


@dataclass(frozen=True, slots=True)
class VisitPolicy:
    """When a link is visited again.

    `recheck_days`: so many days after publication, for edits and takedowns; `give_up_after` so many
    failures in a row a link is not tried again. After a visit that finds no article the next one comes
    `confirm_days[0]` days later, after a second in a row `confirm_days[1]`, and so on; the finding is
    believed once `confirm_visits` agree.
    """

    recheck_days: tuple[float, ...] = (1, 3, 7, 30)
    give_up_after: int = 12
    confirm_days: tuple[float, ...] = (1, 2, 4, 8, 16)
    confirm_visits: int = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a visit without an article makes of its link's row.

    `doubt`: {state, reason, since, count}, the visits in a row that agree; `next_visit_at`: None where
    the schedule of doubts has ended; `waits`: the time of the next visit stays as it is; `repeats`: the
    visit before said the same; `was_stored`: the link had an article.
    """

    doubt: dict[str, Any]
    next_visit_at: datetime | None
    waits: bool
    believed: bool
    repeats: bool
    was_stored: bool

    @property
    def takes_down(self) -> bool:
        """Whether the link's article is gone from now on, or was already."""
        return self.believed and self.doubt["state"] == "gone"


def weigh(row: Mapping[str, Any], outcome: Outcome, policy: VisitPolicy) -> Verdict | None:
    """The verdict on an outcome, given the link's row before it ({} if it has none).

    None where nothing is to be confirmed: failures, and a link that by a rule of ours is none to be
    read. A visit counts if it was due: several within an hour are one. What is on record of this
    very visit, or of a later one, stays.
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
    found = {"state": outcome.state, "reason": outcome.reason, "since": since, "count": count}
    return Verdict(found, following, waits, count >= policy.confirm_visits, repeats, stored)
