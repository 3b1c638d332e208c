"""The OpenAPI 3.1 description, made from the tables of paths, parameters, problems and fields."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from zjolcrawl import __version__
from zjolcrawl.fields import FIELDS, Field
from zjolcrawl.web.api.operations import OPERATIONS, Operation
from zjolcrawl.web.api.parameters import Parameter
from zjolcrawl.web.api.problems import MEDIA_TYPE, TYPES

Schema = dict[str, Any]
_TYPES: dict[str, Schema] = {
    "string": {"type": "string"}, "int": {"type": "integer"}, "long": {"type": "integer"},
    "timestamp": {"type": "string", "format": "date-time"},
    "objectid": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
}  # fmt: skip
_TEXT, _NUMBER, _FLAG = _TYPES["string"], _TYPES["int"], {"type": "boolean"}
_NEXT = {**_TEXT, "description": "cursor of the next page; absent on the last one"}
_EVERYWHERE = ("wrong-host", "unauthorized", "internal", "unavailable")


@cache
def document() -> bytes:
    """The description as JSON."""
    return json.dumps(description(), ensure_ascii=False, separators=(",", ":")).encode()


def description() -> Schema:
    """The description as a dict."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "zjolcrawl", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"},
            "description": "Read-only access to an archive of news. Times are in UTC, days are China's (UTC+8).",
        },
        "servers": [{"url": "/"}],
        # Needed if the server has an API_TOKEN. The password of `basic` is the token; any user name is accepted.
        "security": [{}, {"bearer": []}, {"basic": []}],
        "paths": {each.path: {"get": _operation(each)} for each in OPERATIONS},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }  # fmt: skip


def _operation(operation: Operation) -> Schema:
    kinds = (*operation.problems, *_EVERYWHERE)
    failures: dict[int, list[str]] = {}
    for kind in kinds:
        failures.setdefault(TYPES[kind].status, []).append(TYPES[kind].title)
    return {
        "operationId": operation.name,
        "summary": operation.meaning,
        "parameters": [_parameter(each) for each in operation.parameters],
        "responses": {
            "200": {
                "description": "OK",
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "for If-None-Match"}},
                "content": {"application/json": {"schema": _of(operation.schema)}},
            },
            "304": {"description": "unchanged since the answer with the ETag of If-None-Match"},
            **{
                str(status): {
                    "description": " or ".join(titles),
                    "content": {MEDIA_TYPE: {"schema": _of("Problem")}},
                }
                for status, titles in sorted(failures.items())
            },
        },
    }  # fmt: skip


def _parameter(parameter: Parameter) -> Schema:
    schema = dict(parameter.schema)
    if parameter.default is not None:
        schema["default"] = parameter.default
    if parameter.schema["type"] == "string" and "enum" not in schema:
        schema["maxLength"] = parameter.longest
    return {
        "name": parameter.name, "in": "query", "required": parameter.required,
        "description": parameter.meaning, "schema": schema,
    }  # fmt: skip


def schemas() -> dict[str, Schema]:
    """The schemas of all answers, by name."""
    return {**_of_articles(), **_of_changes(), **_of_others()}


def _of_articles() -> dict[str, Schema]:
    fields = {field.name: _field(field) for field in FIELDS}
    required = [field.name for field in FIELDS if field.required]
    key = _object({"url": _TEXT, "revision": _NUMBER}, ["url", "revision"])
    former = {"oneOf": [_TEXT, key], "description": "URL; of a former version {url, revision}"}
    total = {**_NUMBER, "description": "only of a search: all hits"}
    return {
        "Article": _object(fields, required),
        "Version": _object({**fields, "_id": former}, required),
        "ArticlePage": _object(
            {"articles": _list("Article"), "total": total, "next": _NEXT}, ["articles"]
        ),
    }


def _of_changes() -> dict[str, Schema]:
    compared = [field.name for field in FIELDS if field.editorial]
    changes = {**_list("Change"), "description": "since the version before; absent in the first"}
    operations = {**_list("Operation"), "description": "of texts: they turn `before` into `after`"}
    return {
        "RevisionPage": _object(
            {"url": _TEXT, "revisions": _list("Revision"), "next": _NEXT}, ["url", "revisions"]
        ),
        "Revision": _object({"article": _of("Version"), "changes": changes}, ["article"]),
        "Change": _object(
            {
                "field": {"type": "string", "enum": compared},
                "before": {"description": "value in the version before; absent if it had none"},
                "after": {"description": "value in this version; absent if it has none"},
                "operations": operations,
            },
            ["field"],
        ),
        "Operation": _object(
            {
                "at": {**_NUMBER, "description": "position in `before`, in Unicode characters"},
                "remove": {**_TEXT, "description": "what is removed there"},
                "insert": {**_TEXT, "description": "what is put there"},
            },
            ["at", "remove", "insert"],
        ),
    }


def _of_others() -> dict[str, Schema]:
    counts = {"type": "object", "additionalProperties": _NUMBER}
    column = {"id": _TEXT, "name": _TEXT, "articles": _NUMBER, "newest": _TYPES["timestamp"]}
    bad = {**_FLAG, "description": "a person is needed"}
    return {
        "Columns": _object({"columns": _list("Column")}, ["columns"]),
        "Column": _object(column, ["id", "name", "articles"]),
        "Counts": _object(
            {
                "by": _TEXT,
                "counts": {**counts, "description": 'such as {"2017-08": 12}; without zeros'},
                "total": {**_NUMBER, "description": "also articles without a day of publication"},
            },
            ["by", "counts", "total"],
        ),
        "Health": _object({"well": _FLAG, "findings": _list("Finding")}, ["well", "findings"]),
        "Finding": _object(
            {"section": _TEXT, "text": _TEXT, "bad": bad, "values": {"type": "object"}},
            ["section", "text", "bad", "values"],
        ),
        "Problem": _object(
            {
                "type": _TEXT, "title": _TEXT, "status": _NUMBER, "detail": _TEXT, "parameter": _TEXT,
                "name": _TEXT, "near": _TEXT, "meanings": {"type": "array", "items": _TEXT},
            },
            ["type", "title", "status", "detail"],
        ),
    }  # fmt: skip


def _field(field: Field) -> Schema:
    """The JSON Schema of a field as files have it."""
    if field.parts:
        required = [part.name for part in field.parts if part.required]
        one = _object({part.name: _field(part) for part in field.parts}, required)
    else:
        one = dict(_TYPES[field.type])
    one |= {"enum": list(field.choices)} if field.choices else {}
    one |= {"minimum": field.least} if field.least is not None else {}
    one |= {"pattern": field.pattern} if field.pattern else {}
    made = {"type": "array", "items": one} if field.many else one
    return {**made, "description": field.meaning} if field.meaning else made


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _of(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Schema:
    return {"type": "array", "items": _of(name)}
