"""`/health`: the findings of `scrapy health` and the last runs."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.display.health import USUAL, judge
from zjolcrawl.display.runs import arguments
from zjolcrawl.health_facts import collect_facts
from zjolcrawl.storage.queries.health import last_runs
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import site_of
from zjolcrawl.web.translations import counts_of, end_of, section_name, translated

_RUNS = 20
_MOST_MESSAGES = 100  # of one run


async def show(request: Request) -> Response:
    """The health page, with the default limits; it skips the slow check of WARC references."""
    site = site_of(request)
    seen = await collect_facts(site.db, site.data_dir)
    findings = judge(seen, USUAL)
    runs = await last_runs(site.db, _RUNS)
    return page(
        "health.html",
        now=seen.now, bad=sum(each.bad for each in findings),
        sections=[
            (section_name(name), [(each.bad, *translated(each)) for each in group])
            for name, group in groupby(findings, key=lambda each: each.section)
        ],
        runs=[_run(run, running=run["_id"] in seen.live) for run in runs],
    )  # fmt: skip


def _run(run: dict[str, Any], *, running: bool) -> dict[str, Any]:
    """The template variables of a run."""
    ended, ok = end_of(run, running=running)
    alarms, warnings = run.get("alarms", []), run.get("warnings", [])
    messages = [*((each, True) for each in alarms), *((each, False) for each in warnings)]
    return {
        "started": run.get("started_at"), "ended": ended, "well": ok, "arguments": arguments(run),
        "seconds": timedelta(seconds=run["seconds"]) if "seconds" in run else None,
        "counts": counts_of(run), "alarms": len(alarms), "warnings": len(warnings),
        "messages": messages[:_MOST_MESSAGES], "more": len(messages[_MOST_MESSAGES:]),
        "command": Markup("<code>scrapy runs {}</code>").format(run["_id"]),
    }  # fmt: skip
