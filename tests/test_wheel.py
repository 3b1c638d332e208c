"""The wheel in an environment of its own: `zjolcrawl` works in an empty folder, without a checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.crawling import LONG, QUICK, ROOT, ended
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import Answer, SiteProxy
from tests.support.warm import Warm
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.storage.embedded import EmbeddedServer

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment with the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, check=True, capture_output=True, timeout=LONG,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", symlinks=True)
    programs = folder / "env/bin"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-deps", "--no-index",
            "--quiet", wheel,
        ],
        check=True, capture_output=True, timeout=LONG,
    )  # fmt: skip
    (packages,) = folder.glob("env/lib/*/site-packages")
    # Its own .pth files, such as that of an editable installation, are not read.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return programs


# Forks for each line of stdin a process that is `zjolcrawl ARGUMENTS`, and prints its exit status. Only the
# imports are done once for all: most of the time of a short command.
FORKS = """
import gc, json, os, signal, sys
from importlib import import_module
from pkgutil import walk_packages
import zjolcrawl
for module in walk_packages(zjolcrawl.__path__, "zjolcrawl."):
    if module.name != "zjolcrawl.settings":  # which read the environment
        import_module(module.name)
from zjolcrawl.__main__ import main
gc.freeze()
while line := sys.stdin.readline():
    arguments, folder, environment, streams = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(300)  # only a hanging process takes longer
        for number, path in enumerate([os.devnull, *streams]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["zjolcrawl", *arguments]
        sys.exit(main())
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
Forks = Callable[[list[str], Path, dict[str, str]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def forks(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Runs the program `zjolcrawl` of the environment in a forked process."""
    elsewhere = tmp_path_factory.mktemp("forks")
    streams = [elsewhere / "stdout", elsewhere / "stderr"]
    with subprocess.Popen(
        [installed / "python", "-c", FORKS], cwd=elsewhere, env=_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip

        def once(
            arguments: list[str], folder: Path, environment: dict[str, str]
        ) -> subprocess.CompletedProcess[str]:
            assert server.stdin
            assert server.stdout
            order = [arguments, str(folder), environment, list(map(str, streams))]
            server.stdin.write(f"{json.dumps(order)}\n")
            server.stdin.flush()
            status = int(server.stdout.readline())
            out, err = (each.read_text() for each in streams)
            return subprocess.CompletedProcess(arguments, status, out, err)

        yield once


@pytest.fixture
def zjolcrawl(forks: Forks, site: SiteProxy, tmp_path: Path) -> Run:
    """`zjolcrawl("health")`: as `run("zjolcrawl", "health")`, but forked."""
    return lambda *arguments: forks(list(arguments), tmp_path, _environment(site))


@pytest.fixture
def run(installed: Path, site: SiteProxy, tmp_path: Path) -> Run:
    """Runs a program of the environment in an empty folder, in the web of the test site."""

    def once(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed / program, *arguments], cwd=tmp_path, env=_environment(site), timeout=LONG,
            capture_output=True, text=True,
        )  # fmt: skip

    return once


def _environment(site: SiteProxy | None = None) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    given = {name: os.environ[name] for name in names if name in os.environ}
    return given | (site.environ if site else {})


def test_crawl_search_export_browse(
    run: Run, zjolcrawl: Run, installed: Path, site: SiteProxy, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, 4774001), (DAY, 4774002)]])
    done = run("zjolcrawl", "crawl", "column", *QUICK, "-a", f"url={COLUMN}")
    assert done.returncode == 0, done.stderr
    assert "2 new" in done.stderr
    assert (tmp_path / "data/warc").is_dir()
    done = run("zjolcrawl", "search", "文")
    assert (done.returncode, done.stdout.count("http://")) == (0, 2), done.stderr
    done = zjolcrawl("export", "a.jsonl")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2
    browse = subprocess.Popen(
        [installed / "zjolcrawl", "browse", "--port", "0"], cwd=tmp_path, env=_environment(site),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with browse:
        assert browse.stdout
        address = re.search(r"http://\S+", browse.stdout.readline())
        assert address
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address[0]) as page:
            assert page.status == 200
            assert (
                str(installed.parent)
                in run("python", "-c", "import zjolcrawl; print(zjolcrawl.__file__)").stdout
            )
        browse.terminate()
        assert browse.wait(LONG) == 0


def test_python_module_and_versions(run: Run) -> None:
    for done in (run("python", "-m", "zjolcrawl", "--version"), run("zjolcrawl", "version")):
        assert done.returncode == 0
        names = [line.split()[0] for line in done.stdout.splitlines()]
        assert names == ["zjolcrawl", "Scrapy", "Python", "MongoDB"]
        assert re.search(r"^MongoDB \d+\.\d+\.\d+ ", done.stdout, re.MULTILINE)


def test_init_writes_what_works_here_and_replaces_nothing(
    zjolcrawl: Run, installed: Path, tmp_path: Path
) -> None:
    done = zjolcrawl("init")
    assert done.returncode == 0
    names = [
        "zjolcrawl.toml",
        "watch.toml",
        "zjolcrawl.crontab",
        "zjolcrawl.service",
        "zjolcrawl.timer",
    ]
    assert done.stdout.splitlines() == [f"{name} written" for name in names]
    assert zjolcrawl("columns").stdout.startswith("zjxc\t")
    own = tmp_path / "zjolcrawl.toml"
    # Each commented setting and column is one that the file may have.
    shown = re.sub(r"(?m)^# (?=[A-Z_]+ = |\[\[|id|name|url|enabled)", "", own.read_text())
    own.write_text(shown)
    listed = zjolcrawl("columns")
    assert listed.returncode == 0, listed.stderr
    assert "\tmy-column\t" in f"\t{listed.stdout.splitlines()[-1]}"
    assert listed.stdout.splitlines()[0].split("\t")[3] == "off"
    again = zjolcrawl("init")
    assert again.stdout.splitlines() == [f"{name} exists and stays as it is" for name in names]
    assert own.read_text() == shown
    crontab = (tmp_path / "zjolcrawl.crontab").read_text()
    assert f"cd {tmp_path} && mkdir -p data && {installed / 'zjolcrawl'} crawl column" in crontab


def test_overview_and_completion(zjolcrawl: Run) -> None:
    overview = zjolcrawl()
    assert "  crawl  " in overview.stdout
    script = zjolcrawl("completion", "bash").stdout
    use = f"{script}\nCOMP_WORDS=(zjolcrawl crawl col); COMP_CWORD=2; _zjolcrawl; echo ${{COMPREPLY[@]}}"
    assert subprocess.run(["bash", "-c", use], capture_output=True, text=True).stdout == "column\n"
    assert "complete -c zjolcrawl" in zjolcrawl("completion", "fish").stdout
    assert zjolcrawl("completion", "tcsh").returncode == 2
    assert zjolcrawl("serach").returncode == 2


def test_every_file_of_the_package_is_in_the_wheel(installed: Path) -> None:
    (wheel,) = installed.parents[1].glob("*.whl")
    listed = subprocess.run(
        ["git", "ls-files", "zjolcrawl"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(listed.split()) <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[settings]\nDOWNLOAD_DELY = 2", "unknown setting DOWNLOAD_DELY: DOWNLOAD_DELAY?"),
        ("[settings]\ndata_dir = 'x'", "unknown setting data_dir: DATA_DIR?"),
        ("[settings]\nX = 1", "unknown setting X"),
        ("[[columns]]\nid = 'a'", "unknown key columns: expected [settings] or [[column]]"),
        ("settings = 1", "settings has the wrong type: write it as [settings]"),
        ("[column]\nid = 'a'", "column has the wrong type: write it as [[column]]"),
        ("[[column]]\nname = 'a'", "each [[column]] needs an id"),
        ("[[column]]\nid = 'zjxcc'\nenabled = false", "no column zjxcc: did you mean zjxc?"),
        ("[[column]]\nid = 'mine'\nenabled = true", "no column mine: a new column needs name and url"),
        ("[[column]]\nid = 'mine'\nurl = 'http://zjnews.zjol.com.cn/x/'", "column mine: name is missing"),
        ("[[column]]\nid = 'zjxc'\nenabled = 'no'", "column zjxc: enabled has the wrong type"),
        ("[[column]]\nid = 'a'\nname = 'a'\nurl = 'http://example.org/x/'", "url must be on"),
        ("[settings", "zjolcrawl.toml: "),
        ("[[column]]\nid = 'zjxc'\n[[column]]\nid = 'zjxc'\nenabled = false", "column zjxc: duplicate id"),
    ],
)  # fmt: skip
def test_bad_own_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "zjolcrawl.toml").write_text(text)
    settings = {"SCRAPY_SETTINGS_MODULE": "zjolcrawl.settings", "PATH": os.environ["PATH"]}
    running = Warm(["columns"], settings, folder=tmp_path)
    out, err = ended(running)
    assert running.returncode == 2
    assert out == ""
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_settings_of_the_own_file_are_used(zjolcrawl: Run, site: SiteProxy, tmp_path: Path) -> None:
    (tmp_path / "zjolcrawl.toml").write_text(
        '[settings]\nDATA_DIR = "elsewhere"\nUSER_AGENT = "me"\n'
    )
    serve_column(site, [[(DAY, 4774001)]])
    assert zjolcrawl("crawl", "column", *QUICK, "-a", f"url={COLUMN}").returncode == 0
    assert (tmp_path / "elsewhere/warc").is_dir()
    assert not (tmp_path / "data").exists()
    agents = {v for r in site.requests for k, v in r.headers.items() if k.lower() == "user-agent"}
    assert agents == {"me"}


def test_dead_column_that_is_switched_off(zjolcrawl: Run, site: SiteProxy, tmp_path: Path) -> None:
    """A run of one shipped column, which is dead, and one of the user's; the others are switched off."""
    enabled = [key for key, column in load_catalogue().items() if column.enabled]
    dead = enabled[0]
    serve_column(site, [[(DAY, 4774001)]])
    site.set(load_catalogue()[dead].url, Answer(status=404))
    own = f'[[column]]\nid = "mine"\nname = "测试"\nurl = "{COLUMN}"\n'

    def switch_off(keys: list[str]) -> None:
        off = "".join(f'[[column]]\nid = "{key}"\nenabled = false\n' for key in keys)
        (tmp_path / "zjolcrawl.toml").write_text(own + off)

    with EmbeddedServer.acquire(tmp_path / "data"):  # one for all commands
        switch_off(enabled[1:])
        assert zjolcrawl("crawl", "column", *QUICK).returncode == 1
        assert dead in zjolcrawl("audit").stdout
        switch_off(enabled)
        done = zjolcrawl("crawl", "column", *QUICK)
        assert done.returncode == 0, done.stderr
        assert f"1 column ({len(enabled)} switched off), 1 page" in done.stderr
        assert (
            "switched off" not in zjolcrawl("crawl", "column", "-a", "column=mine", *QUICK).stderr
        )
        assert dead not in zjolcrawl("audit").stdout
        assert " of 1 are well" in zjolcrawl("health").stdout
