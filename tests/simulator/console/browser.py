"""Chromium without a window, as far as the machine has one. Nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DRIVER = "chromedriver"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,800",
)


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own; skips the test where none is there nor required."""
    found = (shutil.which(name) for name in _BROWSERS)
    browser, driver = next(filter(None, found), None), shutil.which(_DRIVER)
    if browser is None or driver is None:
        missing = (
            f"the console was not tried in a browser: {browser or 'no Chromium'}, "
            f"{driver or 'no chromedriver'} on the PATH "
            "(on Debian: apt install chromium chromium-driver)"
        )
        if os.environ.get("ADBPG_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    # With the paths of both, selenium looks for neither.
    chrome = webdriver.Chrome(options, Service(driver, env={"HOME": str(folder)}))
    try:
        yield chrome
    finally:
        chrome.quit()
