"""A real Chromium for the tests in this folder, headless and without a network; scripts/browser.sh installs it.

Where it cannot be installed the tests are skipped with the reason; in CI that is a failure.
"""

import os
import subprocess
from pathlib import Path

import pytest

from browsing import sized

HERE = Path(__file__).parent
INSTALL = HERE.parents[1] / "scripts" / "browser.sh"
CANNOT_RUN_HERE = 2  # exit code of browser.sh
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1280,900"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # the hook sees the whole session's items
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """One window for the session."""
    installed = subprocess.run([INSTALL], capture_output=True, text=True, check=False)
    if installed.returncode == CANNOT_RUN_HERE and os.environ.get("CI") != "true":
        pytest.skip(installed.stderr.strip())
    if installed.returncode != 0:
        pytest.fail(installed.stderr.strip(), pytrace=False)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def window(chromium):
    """At 1280 px and light; whatever a test does, no message of the console may be left by it."""
    sized(chromium, 1280)
    chromium.get_log("browser")
    yield chromium
    assert chromium.get_log("browser") == []
