"""The OpenAPI description: answers keep to it, and a generated client works."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.web.api.asking import ROOT, ask, get, problem
from tests.web.conftest import Archive
from tests.web.sample import FOE, REFERENCE, SOWN
from tests.web.serving import Web
from zjolcrawl.fields import FIELDS
from zjolcrawl.web.api.openapi import description
from zjolcrawl.web.api.operations import OPERATIONS
from zjolcrawl.web.api.parameters import read_parameters


def valid(name: str, answer: Any) -> None:
    """Fails unless an answer keeps to a schema of the description."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": description()["components"]}
    Draft202012Validator.check_schema(whole)
    Draft202012Validator(whole).validate(answer)


def test_answers_keep_to_the_description(web: Web) -> None:
    described = description()["paths"]
    asked: dict[str, dict[str, Any]] = {
        "search": {"words": "督察"}, "articles": {"limit": 100}, "article": {"url": REFERENCE},
        "revisions": {"url": REFERENCE}, "counts": {"column": SOWN},
    }  # fmt: skip
    for operation in OPERATIONS:
        content = described[operation.path]["get"]["responses"]["200"]["content"]
        assert content["application/json"]["schema"] == {
            "$ref": f"#/components/schemas/{operation.schema}"
        }
        valid(operation.schema, ask(web, operation.name, **asked.get(operation.name, {})))
    valid("Problem", problem(web, "articles", column="zjxv"))
    valid("Problem", problem(web, "articles", colum="zjxw"))
    with pytest.raises(Exception, match="required"):
        valid("Article", {})


def test_served_as_made(web: Web) -> None:
    got = get(web, "openapi.json")
    assert json.loads(got.body) == description()
    assert got.headers["content-type"] == "application/json"


def test_every_parameter_and_field_is_described() -> None:
    for operation in OPERATIONS:
        described = description()["paths"][operation.path]["get"]["parameters"]
        assert [each["name"] for each in described] == [each.name for each in operation.parameters]
        assert all(each["description"] for each in described)
    article = description()["components"]["schemas"]["Article"]
    assert list(article["properties"]) == [field.name for field in FIELDS]
    assert article["required"] == [field.name for field in FIELDS if field.required]


def test_examples_and_defaults_are_accepted() -> None:
    from starlette.datastructures import QueryParams

    for operation in OPERATIONS:
        read_parameters(QueryParams(operation.example), operation.parameters)
        for each in operation.parameters:
            if each.example:
                assert read_parameters(QueryParams({each.name: each.example}), (each,))[each.name]
            if each.default is not None:
                given = str(each.default)
                assert (
                    read_parameters(QueryParams({each.name: given}), (each,))[each.name]
                    == each.default
                )


@pytest.fixture(scope="module")
def client(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package `archive_client`, made from the description by openapi-python-client."""
    pytest.importorskip("openapi_python_client")
    folder: Path = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(get(web, "openapi.json").body)
    (folder / "config.yml").write_text("post_hooks: []\npackage_name_override: archive_client\n")
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--config", "config.yml",
         "--meta", "none", "--output-path", "archive_client", "--fail-on-warning"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("archive_client")
    finally:
        sys.path.remove(str(folder))


def test_a_generated_client_works(client: Any, web: Web, archive: Archive) -> None:
    def api(name: str) -> Any:
        return importlib.import_module(f"archive_client.api.default.{name}")

    models = importlib.import_module("archive_client.models")
    with client.Client(base_url=web.url) as connection:
        found = api("search").sync(client=connection, words="环保督察", since=date(2017, 8, 1))
        assert [each.field_id for each in found.articles] == [REFERENCE]
        article = api("article").sync(client=connection, url_query=REFERENCE)
        stored = archive.db.articles.find_one({"_id": REFERENCE}) or {}
        assert (article.title, article.published_at) == (stored["title"], stored["published_at"])
        assert [each.name for each in article.authors] == ["江帆"]
        seen, cursor = [], client.types.UNSET
        while True:
            page = api("articles").sync(
                client=connection, column=["zjxw", SOWN], limit=100, cursor=cursor
            )
            seen += page.articles
            if not (cursor := page.next_):
                break
        assert len(seen) == archive.db.articles.count_documents(
            {"columns": {"$in": ["zjxw", SOWN]}}
        )
        versions = api("revisions").sync(client=connection, url_query=REFERENCE).revisions
        assert [each.article.revision for each in versions] == [1, 2, 3]
        assert versions[1].changes[0].operations[0].at == 7
        assert api("articles").sync(client=connection, edited=True, images=False).articles
        assert {each.id for each in api("columns").sync(client=connection).columns} >= {"zjxw"}
        counts = api("counts").sync(client=connection, column=["zjxw"], by=models.CountsBy("year"))
        assert counts.counts["2017"] > 0
        assert api("health").sync(client=connection).findings
        told = api("articles").sync(client=connection, column=["zjxv"])
        assert (told.status, told.near) == (400, "zjxw")
        assert (
            api("article")
            .sync(client=connection, url_query=FOE)
            .title.startswith("恶意标题<script>")
        )
    assert f"{ROOT}/search" in description()["paths"]
