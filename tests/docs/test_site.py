"""The site of docs/: it builds without a warning, and every link on its pages leads somewhere."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import REPOSITORY

CONFIG = REPOSITORY / "zensical.toml"
WIDEST = 76
"""Characters of a line of code that the start page shows whole in a window of 1,400 pixels."""
FETCHED = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src"}
"""Element → the attribute that makes a browser fetch something."""


class Links(HTMLParser):
    """Links of a page, its fetches, and the names of its parts."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.to: list[str] = []
        self.fetched: list[str] = []
        self.names: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.names |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.to.append(values["href"])
        if FETCHED.get(tag) in values and values.get("rel") != "canonical":
            self.fetched.append(values[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built outside of the repository, so that nothing is left behind in it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(REPOSITORY / "docs", folder / "docs")
    shutil.copy(CONFIG, folder)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


def pages_of(site: Path) -> Iterator[tuple[Path, Links]]:
    pages = [page for page in site.rglob("*.html") if page.name != "404.html"]
    assert len(pages) == len(list((REPOSITORY / "docs").glob("*.md")))
    for page in pages:
        yield page, Links(page)


def target(page: Path, link: str) -> Path:
    """The file that a browser opens."""
    path = unquote(urlsplit(link).path)
    found = (page.parent / path).resolve() if path else page
    return found / "index.html" if found.is_dir() else found


def test_every_link_leads_to_a_page_and_a_part_of_it(site: Path) -> None:
    names = {page: links.names for page, links in pages_of(site)}
    dead = []
    for page, links in pages_of(site):
        for link in links.to + links.fetched:
            if not urlsplit(link).scheme and not link.startswith("//"):
                found, part = target(page, link), unquote(urlsplit(link).fragment)
                missing = part and part not in names.get(found, {part})
                if missing or not found.is_file() or site not in found.parents:
                    dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page, links in pages_of(site):
        assert [one for one in links.fetched if urlsplit(one).netloc] == [], page


def test_every_page_is_in_the_navigation_and_on_the_start_page() -> None:
    navigation = tomllib.loads(CONFIG.read_text("utf-8"))["project"]["nav"]
    listed = [page for entry in navigation for page in entry.values()]
    pages = sorted(page.name for page in (REPOSITORY / "docs").glob("*.md"))
    assert sorted(listed) == pages
    start = (REPOSITORY / "docs" / "index.md").read_text("utf-8")
    assert [page for page in pages if page != "index.md" and f"]({page})" not in start] == []


def test_the_start_page_has_no_line_that_a_window_cuts_off() -> None:
    lines = (REPOSITORY / "docs" / "index.md").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("    ") and len(line) > WIDEST] == []
