"""A page of `pitfalls report` in a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


class Opened:
    """A page in the browser, and what it complained about."""

    def __init__(self, page: Any, file: Path, address: str = "") -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(file.as_uri() + address)
        page.wait_for_selector("body[data-ready]")

    def drawn(self) -> None:
        """Wait for the pictures, which come last."""
        self.page.wait_for_selector("body[data-drawn]")

    def follow(self, act: Callable[[], object]) -> None:
        """Do what leads elsewhere in the page, and wait until that is drawn.

        The browser tells the page of a new address later than the click returns.
        """
        heard = "addEventListener('hashchange', () => { window.arrived = true; }, {once: true})"
        self.page.evaluate(f"() => {{ window.arrived = false; {heard}; }}")
        act()
        self.page.wait_for_function("window.arrived")

    @property
    def address(self) -> str:
        """The part of the address behind the file's name."""
        hash: str = self.page.evaluate("location.hash")
        return hash

    def rows(self) -> list[dict[str, str]]:
        """Rows of the score table that are shown, by the names of the columns."""
        names = self.page.locator("#score-table th[data-name]").evaluate_all(
            "heads => heads.map(head => head.dataset.name)"
        )
        rows = self.page.locator("#score-table tbody tr:visible").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def listed(self) -> list[str]:
        """The ids of the cases in the list."""
        small = self.page.locator("#case-list small").all_inner_texts()
        return [text.split(" · ")[0] for text in small]
