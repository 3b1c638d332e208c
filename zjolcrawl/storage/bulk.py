"""Bulk writes in which an operation that fails does not affect the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, NetworkTimeout

from zjolcrawl.storage.documents import describe
from zjolcrawl.storage.errors import REFUSED, refusal
from zjolcrawl.storage.outage import is_outage

# Seconds; a longer write never ends (it conflicts with itself). `pymongo.timeout` would not do: it retries
# for that long when there is no server.
_LONGEST_WRITE = 120.0

Collection = AsyncCollection[dict[str, Any]]


@dataclass(slots=True)
class BulkResult:
    """The result of a bulk write.

    `done`: number of documents inserted, matched or upserted; `upserted`: those upserted. `errors`: failed
    operations by index, with the server's code (0: an error of the driver) and the reason.
    """

    done: int = 0
    upserted: int = 0
    errors: dict[int, tuple[int, str]] = field(default_factory=dict)


async def write_each(
    collection: Collection,
    operations: Sequence[Any],
    *,
    ordered: bool = False,
    bypass: bool = False,
) -> BulkResult:
    """Execute as many operations as possible. Raises PyMongoError only for an outage.

    A batch that fails as a whole is split in halves until the failing operation is alone. `bypass`: repeat
    operations that the validator refuses without validation, for documents that are stored already.
    """
    written = BulkResult()
    await _write(collection, dict(enumerate(operations)), written, ordered=ordered, bypass=False)
    refused = {
        index: operations[index]
        for index, (code, _) in written.errors.items()
        if code == REFUSED and bypass
    }
    for index in refused:
        del written.errors[index]
    await _write(collection, refused, written, ordered=ordered, bypass=True)
    return written


async def _write(
    collection: Collection,
    operations: dict[int, Any],
    written: BulkResult,
    *,
    ordered: bool,
    bypass: bool,
) -> None:
    """Execute operations, given by index."""
    parts = [list(operations)]
    while parts:
        part = parts.pop()
        if not part:
            continue
        details: dict[str, Any] = {}
        try:
            async with asyncio.timeout(_LONGEST_WRITE):
                result = await collection.bulk_write(
                    [operations[index] for index in part],
                    ordered=ordered,
                    bypass_document_validation=bypass or None,
                )
            details = result.bulk_api_result
        except BulkWriteError as error:
            if is_outage(error):
                raise
            details = dict(error.details or {})
            failed = details["writeErrors"]
            written.errors |= {part[e["index"]]: (e["code"], refusal(e)) for e in failed}
            if ordered:  # the server stopped at the first one
                parts.append(part[failed[-1]["index"] + 1 :])
        except TimeoutError as error:
            raise NetworkTimeout(f"a write took longer than {_LONGEST_WRITE:g} s") from error
        except Exception as error:
            if is_outage(error):
                raise
            if len(part) == 1:
                written.errors[part[0]] = (getattr(error, "code", None) or 0, describe(error))
            else:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
        written.done += sum(details.get(n, 0) for n in ("nInserted", "nMatched", "nUpserted"))
        written.upserted += details.get("nUpserted", 0)
