"""`/health`: the findings of `scrapy health` and the last runs."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.display.health import USUAL, judge
from zjolcrawl.display.runs import arguments
from zjolcrawl.health_facts import collect_facts
from zjolcrawl.storage.queries.health import last_runs
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import site_of
from zjolcrawl.web.translations import SECTIONS, counts_of, end_of, translated

_RUNS = 20


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
            (SECTIONS.get(name, name), [(each.bad, *translated(each)) for each in group])
            for name, group in groupby(findings, key=lambda each: each.section)
        ],
        runs=[_run(run, running=run["_id"] in seen.live) for run in runs],
    )  # fmt: skip


def _run(run: dict[str, Any], *, running: bool) -> dict[str, Any]:
    """The template variables of a run."""
    ended, ok = end_of(run, running=running)
    return {
        "started": run.get("started_at"), "ended": ended, "well": ok, "arguments": arguments(run),
        "seconds": timedelta(seconds=run["seconds"]) if "seconds" in run else None,
        "counts": counts_of(run), "alarms": run.get("alarms", [])[:20],
        "warnings": run.get("warnings", [])[:20], "id": str(run["_id"]),
    }  # fmt: skip
