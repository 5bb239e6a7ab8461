"""A real browser for the tests of pages: Chromium, driven by Playwright. Left out loudly where there is none."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Nothing but the page: no updates, no accounts, no reports.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP, PHONE = (1280, 900), (390, 844)

in_browser = pytest.mark.skipif(
    # CI says that it has one: then its absence is a failure.
    CHROMIUM is None and "RYDELAB_REQUIRE_BROWSER" not in os.environ,
    reason="THE BROWSER TIER IS LEFT OUT: no chromium on the PATH (Debian: apt-get install chromium)",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
