"""compose.yaml as text, and the scripts that its containers run. No container is started."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from pymongo.uri_parser import parse_uri

from tests.support.crawling import LONG, ROOT, ended
from zjolcrawl import settings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("crawler", "scheduler", "browse")
DEPLOY = ROOT / "deploy"
MEMBERS = {"mongo1", "mongo2", "mongo3"}


def test_what_the_address_names_is_one_replica_set_of_services() -> None:
    parsed = parse_uri(SERVICES["crawler"]["environment"]["MONGODB_URI"])
    hosts = {host for host, _ in parsed["nodelist"]}
    initiated = SERVICES["mongo-init"]["command"][-1]
    assert hosts == MEMBERS <= SERVICES.keys()
    assert set(re.findall(r'host: "(\w+)"', initiated)) == MEMBERS
    assert set(SERVICES["mongo-init"]["depends_on"]) == MEMBERS
    for member in MEMBERS:
        name = SERVICES[member]["command"][SERVICES[member]["command"].index("--replSet") + 1]
        assert name == parsed["options"]["replicaSet"]
        assert f'_id: "{name}"' in initiated
    assert (parsed["options"]["w"], parsed["options"]["retryWrites"]) == ("majority", True)
    volumes = [SERVICES[member]["volumes"][0].partition(":")[0] for member in sorted(MEMBERS)]
    assert len(set(volumes)) == 3
    assert {*volumes, "data"} == COMPOSE["volumes"].keys()


def test_services_wait_for_the_replica_set_and_only_the_page_is_reachable() -> None:
    for name in OURS:
        assert SERVICES[name]["depends_on"].keys() == {"mongo-init"}
        assert SERVICES[name]["init"]
    reachable = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert reachable == {"browse": ["127.0.0.1:8017:8017"]}


def test_each_variable_is_a_setting_or_known_to_who_reads_it() -> None:
    known = {"DATA_ROOT", "DATA_DIR"} | {n for n in vars(settings) if n.isupper()}
    for name in OURS:
        for variable in SERVICES[name]["environment"]:
            assert variable in known or variable.startswith("AWS_"), variable


def test_commands_are_there() -> None:
    for name in OURS:
        for part in SERVICES[name]["command"]:
            if part.startswith("deploy/"):
                assert os.access(ROOT / part, os.X_OK), part
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for part in " ".join(copied).split():
        assert (ROOT / part).exists(), part
        assert f"!{part}" in (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not here")
def test_compose_itself_reads_it() -> None:
    done = subprocess.run(
        ["docker-compose", "-f", str(ROOT / "compose.yaml"), "config", "--quiet"],
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def in_slot(root: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(DEPLOY / "in-slot"), *command], env={**os.environ, "DATA_ROOT": str(root)},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def folder_of(running: subprocess.Popen[str]) -> str:
    assert running.stdout
    return Path(running.stdout.readline().strip()).name


def test_each_container_has_a_folder_and_the_next_takes_up_a_dead_ones(tmp_path: Path) -> None:
    stay = ("sh", "-c", "echo $DATA_DIR; exec sleep 600")
    first, second = in_slot(tmp_path, *stay), in_slot(tmp_path, *stay)
    try:
        number = folder_of(first)
        assert {number, folder_of(second)} == {"1", "2"}
        first.kill()
        first.wait()
        third = in_slot(tmp_path, "sh", "-c", "echo $DATA_DIR; touch $DATA_DIR/warc/file")
        assert folder_of(third) == number
        third.wait()
        assert (tmp_path / "warc" / "file").exists()  # all share one archive
    finally:
        for each in (first, second):
            each.kill()
            each.communicate()
    third.communicate()


_SAYS = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended well'));"
    "print('begun', flush=True); time.sleep(600)"
)


@pytest.mark.parametrize("script", ["hourly", "scheduled"])
def test_sigterm_ends_the_run_and_waits_for_it(script: str, tmp_path: Path) -> None:
    """As `docker stop` does; a stub replaces `scrapy`."""
    scrapy = tmp_path / "scrapy"
    scrapy.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{_SAYS}"\n')
    scrapy.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "WARC_STORE": "s3://x/y",
    }
    command = [str(DEPLOY / script), *(["scrapy"] if script == "hourly" else [])]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "begun\n"
        running.send_signal(signal.SIGTERM)
        out, err = ended(running)
    assert out == ""  # no further command was started
    assert err == "ended well\n"


def test_hourly_runs_at_once_and_then_waits_for_its_minute(tmp_path: Path) -> None:
    for name, does in (("sleep", 'echo "sleeps $1"; exec /bin/sleep 600'), ("date", "echo 3599")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "MINUTE": "7"}
    with subprocess.Popen(
        [str(DEPLOY / "hourly"), "echo", "runs"], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdout
        assert running.stdout.readline() == "runs\n"
        seconds = int(running.stdout.readline().split()[1])
        running.send_signal(signal.SIGTERM)
        ended(running)
    assert seconds == 1 + 7 * 60
