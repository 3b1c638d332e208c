"""Headless Chromium from Debian, with its driver."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "no chromium: apt-get install chromium chromium-driver"
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--lang=zh-CN", "--no-proxy-server",
)  # fmt: skip


@contextmanager
def chromium(
    profile: Path, *flags: str, scheme: str = "light", script: bool = True
) -> Iterator[Chrome]:
    """A browser with a new profile; `script=False`: JavaScript is disabled in its settings."""
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for flag in (*_FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    prefs: dict[str, object] = {"intl.accept_languages": "zh-CN,zh"}
    if not script:
        prefs["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", prefs)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options, ChromeService(DRIVER or "", env={**os.environ, "LANGUAGE": "zh_CN"}))
    try:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.set_page_load_timeout(30)
        yield driver
    finally:
        driver.quit()


def resize(driver: Chrome, width: int, height: int) -> None:
    """Sets the size of the viewport in CSS pixels, also below the minimum of a window."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def full_picture(driver: Chrome, width: int, height: int, *, most: int = 2600) -> bytes:
    """A PNG of the page with the given width, from its top, at most `most` pixels high."""
    resize(driver, width, height)
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    resize(driver, width, int(min(most, max(height, size["height"]))))
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return base64.b64decode(shot["data"])
