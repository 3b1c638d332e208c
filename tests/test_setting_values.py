"""Misspelt settings and values of a wrong type are refused in one line that names the next step."""

from __future__ import annotations

import pytest

from tests.support.crawling import Crawl
from zjolcrawl.setting_values import check_names


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("MONGODB_URL=x", "unknown setting MONGODB_URL: did you mean MONGODB_URI?"),
        ("RECHEK_DAYS=1", "unknown setting RECHEK_DAYS: did you mean RECHECK_DAYS?"),
        ("DOWNLOAD_DELY=1", "unknown setting DOWNLOAD_DELY: did you mean DOWNLOAD_DELAY?"),
        ("MONGODB_HOST=x", "unknown setting MONGODB_HOST: did you mean MONGODB_"),
        ("WARC_SIZE=1", "unknown setting WARC_SIZE: did you mean WARC_"),
        ("data_dir=x", "unknown setting data_dir: did you mean DATA_DIR?"),
        ("AUTOTHROTLE_ENABLED=0", "did you mean AUTOTHROTTLE_ENABLED?"),
        ("LOG_LEVEL=chatty", "LOG_LEVEL=chatty: expected CRITICAL, ERROR, WARNING, INFO or DEBUG"),
        ("DOWNLOAD_DELAY=fast", "setting DOWNLOAD_DELAY=fast is not a number"),
        ("CONCURRENT_REQUESTS=many", "setting CONCURRENT_REQUESTS=many is not a whole number"),
        ("RETRY_TIMES=nan", "setting RETRY_TIMES=nan is not a whole number"),
        (
            "AUTOTHROTTLE_ENABLED=perhaps",
            "setting AUTOTHROTTLE_ENABLED=perhaps is not True or False",
        ),
        ("ROBOTSTXT_OBEY=sometimes", "setting ROBOTSTXT_OBEY=sometimes is not True or False"),
        ("MONGODB_BATCH_SIZE=x", "setting MONGODB_BATCH_SIZE=x is not a whole number"),
        ("ROBOTSTXT_MAX_AGE=-1", "setting ROBOTSTXT_MAX_AGE=-1 is not a number of seconds"),
        ("COLUMN_MAX_PAGES=0", "setting COLUMN_MAX_PAGES=0 is not a positive whole number"),
        ("LEASE_SECONDS=5", "LEASE_SECONDS=5 must be more than PAGE_SECONDS=10"),
        (
            "ALARM_WEBHOOK=hooks.example.org",
            "ALARM_WEBHOOK=hooks.example.org is not an http or https URL",
        ),
        ("ALARM_WEBHOOK=ftp://example.org/", "is not an http or https URL"),
        ("ALARM_MAIL=notmail", "setting ALARM_MAIL=notmail is not an e-mail address"),
        ("ALARM_MAIL=a@b", "setting ALARM_MAIL=a@b is not an e-mail address"),
        ("CONTACT=me", "setting CONTACT=me: expected an e-mail address"),
        ("DATA_DIR=", "setting DATA_DIR is empty: expected a folder"),
        ("DATA_DIR=  ", "setting DATA_DIR is empty: expected a folder"),
    ],
)
def test_refused_by_name(setting: str, message: str, command: Crawl) -> None:
    done = command("crawl", "column", "-a", "column=zjxc", "-s", setting)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_command_refuses_a_misspelt_setting(command: Crawl) -> None:
    for name in ("columns", "health", "search", "mongo", "export"):
        done = command(name, "-s", "MONGODB_URL=x")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), name


@pytest.mark.parametrize(
    "name",
    [
        "MONGODB_URL", "RECHEK_DAYS", "RECHECK_DAY", "MONGODB_DATABASES", "QUIET_HOUR", "ALARM_WEBHOOKS",
    ],
)  # fmt: skip
def test_misspelt_variable_is_refused(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"unknown setting {name} in the environment: did you mean"
    ):
        check_names([], {name: "x", "HOME": "/"})


def test_names_of_others_are_left_alone() -> None:
    # Variables of MongoDB's images, of systemd, of desktops and of other programs.
    variables = [
        "MONGODB_VERSION", "MONGO_INITDB_DATABASE", "LOG_DIR", "LOGS_DIRECTORY", "DATA_HOME", "XDG_DATA_DIRS",
        "DATABASE_URL", "DATADIR", "CONTACTS", "IMAGES", "WARC", "PAGER", "STATE_DIRECTORY", "MONGODB_URI",
        "SCRAPY_PROJECT", "USER_AGENT", "MAIL", "SITE_PACKAGES",
    ]  # fmt: skip
    check_names([], dict.fromkeys(variables, "x"))
    # One who has set ours too knows the difference.
    check_names([], {"MONGODB_URL": "x", "MONGODB_URI": "y"})
    # Settings of Scrapy and of other add-ons.
    check_names(
        [
            "CLOSESPIDER_ITEMCOUNT",
            "MY_ADDON",
            "ZYTE_API_KEY",
            "DELTAFETCH_ENABLED",
            "AWS_REGION_NAME",
        ],
        {},
    )


def test_own_settings_have_variables(command: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECHECK_DAYS", "soon")
    done = command("crawl", "column", "-a", "column=zjxc")
    assert (done.returncode, done.stderr) == (
        2, "zjolcrawl: setting RECHECK_DAYS=soon is not a number of days\n",
    )  # fmt: skip
