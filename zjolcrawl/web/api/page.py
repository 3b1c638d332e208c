"""`/api/v1/`: a page that shows the paths, parameters and errors of the API to a person."""

from __future__ import annotations

from functools import cache

from zjolcrawl.fields import FIELDS
from zjolcrawl.web.api.operations import OPERATIONS, ROOT
from zjolcrawl.web.api.parameters import LIMIT, MOST
from zjolcrawl.web.api.problems import TYPES
from zjolcrawl.web.language import current
from zjolcrawl.web.rendering import part


def page() -> bytes:
    """The page in the language of the request; it is the same for all archives."""
    return _page(current().tag)


@cache
def _page(_language: str) -> bytes:
    parameters = {each.name: each for one in OPERATIONS for each in one.parameters}
    made = part(
        "api.html", root=ROOT, operations=OPERATIONS, parameters=parameters.values(), problems=TYPES,
        fields=FIELDS, limit=LIMIT, most=MOST,
    )  # fmt: skip
    return made.encode()
