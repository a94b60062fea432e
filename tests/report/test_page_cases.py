"""The page's cases: found by outcome, ordered, paged, opened by keyboard and by address."""

from pathlib import Path
from typing import Any

import pytest
from browsing import Opened, needs_browser
from runs_on_disk import make_run

from pitfalls.metrics.case_value import case_value
from pitfalls.metrics.table import METRICS
from pitfalls.report.gather import gather
from pitfalls.report.html import html_report

pytestmark = needs_browser


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of more reverse cases than a page of the list holds."""
    return make_run(tmp_path_factory.mktemp("many") / "r", cases=120, data=("conflict/reverse",))


@pytest.fixture(scope="module")
def long_file(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("long") / "report.html"
    made.write_text(html_report([many]), "utf-8")
    return made


def failed(run: Path, editor: str, metric: str) -> list[str]:
    """Ids of the cases that got nothing of a metric whose worst value is 0."""
    return [
        case.case_id
        for case in gather([run]).observations
        if case.source.editor == editor and case_value(METRICS[metric], case, "authors") == 0
    ]


def test_a_case_opens_from_the_keyboard(opened: Opened) -> None:
    page = opened.page
    page.select_option("#case-filters-rule", "P40&P25>P26")
    assert page.locator("#case-list li").count() == 6
    page.fill("#case-filters-q", "ada <3>")
    opened.follow(lambda: page.locator("#case-list a").press("Enter"))
    text = page.locator("#case").inner_text()
    assert "Bob <3> & Söhne (composite-00003, rule P40&P25>P26)" in text
    assert "e1: Bob <3> & Söhne's mother is Cleo <3> & Söhne → Dan <3> & Söhne" in text
    assert "TFD" in text and "after both (θ')" in text
    told = page.locator("#case svg").get_attribute("aria-label")
    assert told.startswith("Ada <3> & Söhne, child: Bob <3> & Söhne; ")
    assert page.evaluate("document.activeElement.id") == "case"
    assert opened.complaints == []


@pytest.mark.parametrize("kind", ["coverage", "reverse", "composite", "round-easy", "round-hard"])
def test_every_kind_of_case_can_be_opened(opened: Opened, kind: str) -> None:
    opened.page.fill("#case-filters-q", f"{kind}-00001")
    opened.follow(opened.page.locator("#case-list a").first.click)
    assert opened.page.locator("#case .bar").count() >= 4 * 6
    words = opened.page.locator("#case td strong").all_inner_texts()
    assert words and set(words) <= {"passed", "failed", "in part"}
    assert opened.complaints == []


def test_cases_are_found_by_editor_metric_and_outcome(
    context: Any, many: Path, long_file: Path
) -> None:
    expected = failed(many, "rome", "cs_imp")
    address = "#cases?editor=rome&metric=cs_imp&outcome=failed"
    opened = Opened(context.new_page(), long_file, address)
    assert 0 < len(expected) < 120 and len(expected) > 50
    assert opened.page.inner_text("#case-count") == f"{len(expected)} of 120 cases"
    assert opened.page.input_value("#case-filters-outcome") == "failed"
    assert opened.listed() == expected[:50]
    marks = opened.page.locator("#case-list .mark").evaluate_all(
        "all => all.map(one => one.textContent)"
    )
    assert set(marks) == {"✗ rome failed"}


def test_every_case_can_be_reached_page_by_page(context: Any, long_file: Path) -> None:
    opened = Opened(context.new_page(), long_file)
    found = opened.listed()
    while (forward := opened.page.locator("#case-pages a", has_text="Next")).count():
        opened.follow(forward.click)
        found += opened.listed()
    assert found == [f"reverse-{i:05d}" for i in range(120)]
    assert opened.address == "#cases?page=3"


def test_worst_first_is_ordered_by_the_metric(context: Any, many: Path, long_file: Path) -> None:
    opened = Opened(context.new_page(), long_file, "#cases?editor=ft&metric=cm&sort=worst")
    cases = [case for case in gather([many]).observations if case.source.editor == "ft"]
    values = {case.case_id: case_value(METRICS["cm"], case, "authors") for case in cases}
    assert [values[name] for name in opened.listed()] == sorted(values.values())[:50]


def test_the_address_leads_back_and_can_be_shared(context: Any, long_file: Path) -> None:
    opened = Opened(context.new_page(), long_file)
    page = opened.page
    page.select_option("#case-filters-editor", "rome")
    opened.follow(page.locator("#case-list a").nth(2).click)
    page.keyboard.press("ArrowRight")
    shared = opened.address
    assert shared == "#cases?editor=rome&case=conflict/reverse/reverse-00003"
    page.go_back()
    page.wait_for_function(
        "document.querySelector('#case h3').textContent.includes('reverse-00002')"
    )
    page.go_back()
    page.wait_for_function("!document.querySelector('#case h3')")
    assert page.input_value("#case-filters-editor") == "rome"
    page.go_back()
    page.wait_for_function("document.querySelector('#case-filters-editor').value === ''")
    other = Opened(context.new_page(), long_file, shared)
    assert "reverse-00003" in other.page.inner_text("#case h3")
    assert other.page.locator("#case-list [aria-current]").count() == 1
    assert other.page.locator("#case").bounding_box()["y"] < 900
    assert opened.complaints == other.complaints == []


def test_a_search_is_one_step_of_the_history(context: Any, long_file: Path) -> None:
    opened = Opened(context.new_page(), long_file)
    opened.page.select_option("#case-filters-editor", "ft")
    opened.page.type("#case-filters-q", "00011")
    assert opened.listed() == ["reverse-00011"]
    opened.page.go_back()
    opened.page.wait_for_function("location.hash === ''")


def test_next_and_previous_cross_the_pages_of_the_list(context: Any, long_file: Path) -> None:
    opened = Opened(context.new_page(), long_file, "#cases?case=conflict/reverse/reverse-00049")
    page = opened.page
    assert opened.listed()[-1] == "reverse-00049"
    opened.follow(page.get_by_role("link", name="Next case").click)
    assert opened.listed()[0] == "reverse-00050"
    page.keyboard.press("ArrowLeft")
    assert "reverse-00049" in page.inner_text("#case h3") and opened.listed()[-1] == "reverse-00049"
    page.locator("#case-list a").first.focus()
    page.keyboard.press("ArrowDown")
    assert "reverse-00001" in page.evaluate("document.activeElement.textContent")


def test_numbers_of_a_case_are_written_in_one_way(opened: Opened) -> None:
    opened.follow(opened.page.locator("#case-list a").first.click)
    cells = opened.page.locator("#case td.belief").evaluate_all(
        "all => all.map(one => one.textContent)"
    )
    assert cells and all(cell.endswith(" %") and "e" not in cell for cell in cells)
    values = opened.page.locator("#case td .number").all_inner_texts()
    assert values and all(len(value.partition(".")[2]) == 2 for value in values)
    written = opened.page.evaluate("[0, 1, 0.0137, 0.00099, 1e-5, 9.994e-6, 3.2e-9].map(percent)")
    assert written == [
        "0 %",
        "100 %",
        "1.37 %",
        "0.0990 %",
        "0.00100 %",
        "9.99 × 10⁻⁴ %",
        "3.20 × 10⁻⁷ %",
    ]


def test_a_finding_leads_to_its_cases(opened: Opened) -> None:
    link = opened.page.locator(".findings a", has_text="reverse").first
    link.click()
    opened.page.wait_for_function(
        "document.querySelector('#case-filters-metric').value === 'cs_imp'"
    )
    assert {name.split("-")[0] for name in opened.listed()} == {"reverse"}
    opened.page.wait_for_function(
        "document.querySelector('#cases').getBoundingClientRect().top < 200"
    )
