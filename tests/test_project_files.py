"""The files around the code: workflows, issue forms, container, versions, what the wheel holds."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from hatchling.builders.wheel import WheelBuilder

from tests.support.crawling import ROOT
from zjolcrawl import __version__

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]
FORMS = [
    path
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    if path.stem != "config"
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def pins(path: Path) -> set[tuple[str, str]]:
    """The actions of a workflow with their pins; fails if one is not a commit with its version beside it."""
    used = re.findall(r"uses: (.*)", path.read_text())
    pinned = [
        re.fullmatch(r"([\w-]+/[\w/-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", each) for each in used
    ]
    assert all(pinned), used
    return {(each[1], each[2]) for each in pinned if each}


def test_actions_are_pinned_to_one_commit_each() -> None:
    actions = set[tuple[str, str]]().union(*map(pins, WORKFLOWS))
    assert len({name for name, _ in actions}) == len(actions) > 3


def test_workflows_may_write_nothing() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] in ({}, {"contents": "read"})
        for name, job in workflow["jobs"].items():
            granted = job.get("permissions", {})
            assert granted in ({}, {"contents": "read"}, {"id-token": "write"}), name
            assert "id-token" not in granted or "environment" in job
            assert "secrets." not in path.read_text()


@pytest.mark.parametrize("job", JOBS)
def test_a_job_ends_and_keeps_no_credentials_and_makes_what_there_is(job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 60
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        for target in re.findall(r"^make (\S+)", step.get("run", ""), re.MULTILINE):
            assert target in TARGETS


def test_python_versions_are_those_of_the_package() -> None:
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if " Python :: 3." in each]
    (checks,) = (path for path in WORKFLOWS if path.stem == "checks")
    tested = yaml.safe_load(checks.read_text())["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert tested == named
    assert PROJECT["requires-python"] == f">={tested[0]}"


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_form(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= form.keys()
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert {each["type"] for each in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({each["id"] for each in fields}) == len(fields)
    assert all(each["attributes"]["label"] for each in fields)
    assert any(each.get("validations", {}).get("required") for each in fields)


def test_the_version_is_the_same_everywhere() -> None:
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]) == __version__
    newest = re.search(
        r"^## \[(\d.*?)\] - (?:Unreleased|\d{4}-\d\d-\d\d)$", changelog(), re.MULTILINE
    )
    assert newest
    assert newest[1] == __version__


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text()


def test_changelog_has_the_sections_of_keep_a_changelog() -> None:
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changelog(), re.MULTILINE)) <= known


def test_the_container_has_the_locked_versions() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^COPY .*\brequirements\.lock\b", dockerfile, re.MULTILINE)
    extras = re.search(
        r"pip install .*--constraint requirements\.lock '\.\[([\w,]+)\]'", dockerfile
    )
    assert extras
    locked = set(
        re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text().lower(), re.MULTILINE)
    )
    wanted = PROJECT["dependencies"] + [
        each for extra in extras[1].split(",") for each in PROJECT["optional-dependencies"][extra]
    ]
    assert {re.split(r"[^\w.-]", each.lower())[0] for each in wanted} <= locked


def test_the_wheel_holds_types_and_data(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "zjolcrawl/py.typed" in names
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "zjolcrawl").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert data <= names
    assert {name.partition("/")[0] for name in names} == {
        "zjolcrawl", f"zjolcrawl-{__version__}.dist-info",
    }  # fmt: skip
