"""Query plans from MongoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, monitoring
from pymongo.database import Database

Document = dict[str, Any]


class Sent(monitoring.CommandListener):
    """The last query that a client sent to the server."""

    def __init__(self) -> None:
        self.command: Document = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in {"find", "aggregate"}:
            of_the_session = {"lsid", "$db", "$clusterTime"}
            self.command = {k: v for k, v in event.command.items() if k not in of_the_session}

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@contextmanager
def listened(uri: str, database: str) -> Iterator[tuple[Database[Document], Sent]]:
    """A database and the queries sent to it."""
    sent = Sent()
    with MongoClient[Document](uri, tz_aware=True, event_listeners=[sent]) as client:
        yield client[database], sent


def explained(db: Database[Document], command: Document) -> tuple[Document, Document]:
    """The winning plan of a find or aggregate, and the numbers of keys and documents examined."""
    told = db.command({"explain": command, "verbosity": "executionStats"})
    # Stages of an aggregate outside the query engine follow the first.
    told = told["stages"][0]["$cursor"] if "stages" in told else told
    return told["queryPlanner"]["winningPlan"], told["executionStats"]


def parts(plan: Any) -> Iterator[Document]:
    """All stages of a plan, nested ones too."""
    if isinstance(plan, Mapping):
        if "stage" in plan:
            yield dict(plan)
        for value in plan.values():
            yield from parts(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from parts(value)
