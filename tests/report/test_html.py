"""The page, in a real browser without a network."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runs_on_disk import make_run

from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import breakdown
from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import score
from pitfalls.metrics.table import METRICS
from pitfalls.report.gather import gather
from pitfalls.report.html import html_report
from pitfalls.report.tidy import as_csv, score_table

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")


class Opened:
    """A page in the browser, and what it complained about."""

    def __init__(self, page: Any, file: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-ready]")

    def rows(self) -> list[list[str]]:
        """Cells of the score table that are shown."""
        shown = self.page.locator("#scores tbody tr:visible")
        return [row.locator("th,td").all_inner_texts() for row in shown.all()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    first = make_run(folder / "a", cases=6)
    return [first, make_run(folder / "b", cases=6, seed=1, planned=10)]


@pytest.fixture(scope="module")
def file(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "report.html"
    made.write_text(html_report(runs, base=str(runs[1])), "utf-8")
    return made


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Opened]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    yield Opened(context.new_page(), file)
    context.close()


@needs_browser
def test_it_opens_offline_without_a_complaint(opened: Opened) -> None:
    assert opened.complaints == []
    plots = opened.page.locator(".plot svg")
    assert plots.count() == opened.page.locator(".plot").count() > 5
    assert opened.page.locator(".plot[aria-label]").count() == plots.count()


@needs_browser
def test_its_figures_are_those_of_score(opened: Opened, runs: list[Path]) -> None:
    scores = score(gather(runs).observations)
    expected = {
        (s.run, s.editor, s.data, METRICS[s.metric].title, str(s.n), f"{100 * s.value:.2f}")
        for s in scores
    }
    rows = [[*cells[:1], *cells[2:4], cells[4][:-2], cells[5], cells[7]] for cells in opened.rows()]
    assert {tuple(row) for row in rows} == expected and len(rows) == len(scores)


@needs_browser
def test_the_filters_filter_and_the_heads_sort(opened: Opened) -> None:
    edited = [row for row in opened.rows() if row[2] != "undo"]
    opened.page.select_option("#score-filters-editor", "ft")
    assert {row[2] for row in opened.rows()} == {"ft"} and len(opened.rows()) == len(edited) / 2
    opened.page.fill("#score-filters-search", "round/easy IR")
    assert {row[3:5] == ["round/easy", "IR ↓"] for row in opened.rows()} == {True}
    opened.page.fill("#score-filters-search", "")
    opened.page.get_by_role("button", name="value", exact=True).press("Enter")
    values = [float(row[7]) for row in opened.rows()]
    assert values == sorted(values)
    opened.page.get_by_role("button", name="value", exact=True).press("Enter")
    assert [float(row[7]) for row in opened.rows()] == sorted(values, reverse=True)
    head = opened.page.locator("#scores th[aria-sort]")
    assert head.get_attribute("aria-sort") == "descending"


@needs_browser
def test_the_explorer_opens_a_case_from_the_keyboard(opened: Opened) -> None:
    page = opened.page
    page.select_option("#case-filters-rule", "P40&P25>P26")
    assert page.locator("#case-list li").count() == 6
    page.fill("#case-filters-search", "ada <3>")
    page.locator("#case-list button").press("Enter")
    text = page.locator("#case").inner_text()
    assert text.startswith("Bob <3> & Söhne (composite-00003, rule P40&P25>P26)")
    assert "e1: Bob <3> & Söhne's mother is Cleo <3> & Söhne → Dan <3> & Söhne" in text
    assert text.count("TFD:") == 4 and "after both (θ')" in text
    told = page.locator("#case svg").get_attribute("aria-label")
    assert told.startswith("Ada <3> & Söhne, child: Bob <3> & Söhne; ")
    assert page.evaluate("document.activeElement.id") == "case"
    assert opened.complaints == []


@needs_browser
@pytest.mark.parametrize("kind", ["coverage", "reverse", "composite", "round-easy", "round-hard"])
def test_every_kind_of_case_can_be_opened(opened: Opened, kind: str) -> None:
    opened.page.fill("#case-filters-search", f"{kind}-00001")
    opened.page.locator("#case-list button").first.click()
    assert opened.page.locator("#case .bar").count() >= 4 * 6
    words = opened.page.locator("#case .verdicts strong").all_inner_texts()
    assert words and {word.split(": ")[1] for word in words} <= {"passed", "failed", "in part"}
    assert opened.complaints == []


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_scrolls_only_inside_of_its_tables(
    browser: Any, file: Path, scheme: str
) -> None:
    context = browser.new_context(
        offline=True, viewport={"width": 390, "height": 800}, color_scheme=scheme
    )
    page = Opened(context.new_page(), file).page
    page.locator("#case-list button").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    context.close()


@needs_browser
def test_a_run_without_a_case_makes_a_whole_page(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text(html_report([make_run(tmp_path / "a", cases=0, planned=4)]), "utf-8")
    context = browser.new_context(offline=True)
    opened = Opened(context.new_page(), file)
    text = opened.page.inner_text("body")
    assert opened.complaints == []
    assert "No records yet" in text and "There is nothing to score yet" in text
    assert "0 of 0 cases" in text
    context.close()


def test_it_asks_for_nothing_from_outside(file: Path) -> None:
    page = file.read_text("utf-8")
    head = page[: page.index('<script type="text/plain"')]
    assert (
        "http" not in head
        and "src=" not in head
        and "<link" not in head.replace('<link rel="icon" href="data:,">', "")
    )


def test_what_changed_is_against_the_named_run(file: Path, runs: list[Path]) -> None:
    page = file.read_text("utf-8")
    assert f"What changed against the run {runs[1]}" in page
    assert "Editors, against ft" in page


def test_a_run_in_progress_and_a_damaged_part_are_told(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", planned=9)
    part = sorted((run / "records").glob("*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:100])
    page = html_report([run])
    assert "In progress, or stopped: 36 of 90 cases under editors are recorded" in page
    assert f"Left out: {part} is damaged" in page


def test_what_cannot_be_reported_is_one_line(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    with pytest.raises(PitfallsError, match="nothing to report: give run directories"):
        html_report([])
    with pytest.raises(PitfallsError, match="no run in"):
        html_report([run, tmp_path])
    with pytest.raises(PitfallsError, match=r"--base nowhere is none of the runs"):
        html_report([run], base="nowhere")
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(header | {"schema_version": 99}))
    with pytest.raises(PitfallsError, match="schema_version: is 99, expected 1"):
        html_report([run])


def test_runs_without_common_cases_are_told_apart_not_compared(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", data=("round/easy",))
    other = make_run(tmp_path / "b", data=("round/hard",))
    assert "nothing to compare: needs two runs on the same cases" in html_report([one, other])


def test_a_missing_extra_says_how_to_get_it() -> None:
    with pytest.raises(PitfallsError, match=r"needs no-such, .* pip install 'pitfalls\[report\]'"):
        optional("no_such.thing")


def test_names_from_a_run_are_no_markup(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", editors=("<b>bold", "ft"), model="</script><i>x")
    page = html_report([run])
    assert "<b>bold" not in page and "</script><i>" not in page
    assert as_csv(score_table(score(gather([run]).observations)))


def test_the_published_size_is_a_small_file(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", cases=2500, data=("conflict/composite",), editors=("rome",))
    assert len(html_report([run]).encode()) < 5e6 / 2


def test_what_there_is_no_room_for_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pitfalls.report.html.MOST_RESULTS", 20)
    page = html_report([make_run(tmp_path / "a", cases=5)])
    assert "30 results more are in the runs than this page has room for" in page


@needs_browser
def test_the_scores_of_parts_are_those_of_the_command(opened: Opened, runs: list[Path]) -> None:
    opened.page.get_by_text("By relation", exact=True).click()
    broken = breakdown(gather(runs).observations, "relation")
    titles = opened.page.locator("#parts details[open] .block").all_inner_texts()
    for value in broken:
        assert any(title.startswith(f"relation: {value} · tiny") for title in titles)
    one = next(s for s in broken["P1411"] if s.metric == "d")
    text = opened.page.locator("#parts details[open]").inner_text()
    assert f"{100 * one.value:.2f} [" in text


def test_a_facet_that_tells_nothing_apart_is_not_shown(tmp_path: Path) -> None:
    page = html_report([make_run(tmp_path / "a", data=("round/easy",))])
    assert "By objects" in page and "By rule" not in page
