"""Two small runs, and the page of both in a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, Opened
from runs_on_disk import make_run

from pitfalls.report.html import html_report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    first = make_run(folder / "a", cases=6)
    return [first, make_run(folder / "b", cases=6, seed=1, planned=10)]


@pytest.fixture(scope="session")
def file(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "report.html"
    made.write_text(html_report(runs, base=str(runs[1])), "utf-8")
    return made


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A window without a network."""
    made = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def opened(context: Any, file: Path) -> Opened:
    return Opened(context.new_page(), file)
