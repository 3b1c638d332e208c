"""Timeouts of connections."""

from __future__ import annotations

import asyncio

import pytest

from zjolcrawl.storage.connection import connect


@pytest.mark.parametrize(
    "options, selection, opening",
    [
        ("retryReads=true", 5, 5),
        ("serverSelectionTimeoutMS=700", 0.7, 5),
        ("connecttimeoutms=900", 5, 0.9),
        ("connectTimeoutMS=900&serverSelectionTimeoutMS=40000", 40, 0.9),
    ],
)
def test_those_of_the_uri_come_first(
    options: str, selection: float, opening: float, mongodb_uri: str
) -> None:
    async def main() -> tuple[float, float | None]:
        mark = "&" if "?" in mongodb_uri else "?"
        client = await connect(f"{mongodb_uri}{mark}{options}")
        try:
            known = client.options
            return known.server_selection_timeout, known.pool_options.connect_timeout
        finally:
            await client.close()

    assert asyncio.run(main()) == (selection, opening)
