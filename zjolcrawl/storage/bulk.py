"""Bulk writes in which a document that cannot be written costs only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, NetworkTimeout

from zjolcrawl.storage.errors import REFUSED, is_outage, refusal
from zjolcrawl.storage.limits import describe

# Seconds: what takes longer will not end (a write that conflicts with itself). Not `pymongo.timeout`, which
# tries for as long where there is no server.
_LONGEST_WRITE = 120.0

Collection = AsyncCollection[dict[str, Any]]


@dataclass(slots=True)
class Written:
    """What came of a bulk write: how many documents were inserted, matched or upserted; failed
    operations by index, with the server's code (0: the driver's own error) and the reason.
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
) -> Written:
    """Write as many operations as possible. Raises PyMongoError for an outage alone.

    A batch that fails as a whole is halved until the operation that fails is alone. `bypass`: where
    the validator refuses an operation, do it all the same, for a document that is stored already.
    """
    written = Written()
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
    written: Written,
    *,
    ordered: bool,
    bypass: bool,
) -> None:
    """Write operations by their index."""
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
            raise NetworkTimeout(f"no answer to a write in {_LONGEST_WRITE:g} s") from error
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
