"""The page as a whole, in a real browser without a network."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from browsing import Opened, needs_browser
from runs_on_disk import make_run

from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import breakdown
from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import score
from pitfalls.metrics.table import METRICS
from pitfalls.report.gather import gather
from pitfalls.report.html import html_report
from pitfalls.report.tidy import as_csv, score_table


@needs_browser
def test_it_opens_offline_without_a_complaint(opened: Opened) -> None:
    opened.drawn()
    assert opened.complaints == []
    assert opened.page.locator(".plot svg").count() == opened.page.locator(".plot").count() > 5


@needs_browser
def test_every_picture_and_table_says_what_it_is(opened: Opened) -> None:
    opened.drawn()
    labels = [plot.get_attribute("aria-label") for plot in opened.page.locator(".plot").all()]
    assert all(label and "Vega" not in label for label in labels)
    assert len(set(labels)) == len(labels)
    captions = opened.page.locator("table > caption").all_text_contents()
    assert len(captions) == opened.page.locator("table").count() and all(captions)
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(set(ids)) == len(ids) and not [name for name in ids if len(name.split()) != 1]


@needs_browser
def test_plots_fill_the_window_on_equal_axes(opened: Opened) -> None:
    opened.drawn()
    for width in (420, 1400):
        opened.page.set_viewport_size({"width": width, "height": 900})
        for name in ("overview", "metrics", "objects", "losses"):
            opened.page.wait_for_function(
                "([name, width]) => { const plots = [...document.querySelectorAll(`.${name} svg`)];"
                "const end = Math.max(...plots.map(plot => plot.getBoundingClientRect().right));"
                "return end > 0.9 * width && end <= width; }",
                arg=[name, width],
            )
    ends = [
        plot.locator(".role-axis-label text").all_text_contents()[:6]
        for plot in opened.page.locator(".overview .plot, #plot-cs, #plot-cs_imp, #plot-ir").all()
    ]
    assert ends == [["0", "20", "40", "60", "80", "100"]] * 6


@needs_browser
def test_its_figures_are_those_of_score(opened: Opened, runs: list[Path]) -> None:
    expected = {
        (s.run, s.editor, s.data, METRICS[s.metric].title, str(s.n), f"{100 * s.value:.2f}")
        for s in score(gather(runs).observations)
    }
    rows = opened.rows()
    columns = ("run", "editor", "data", "metric", "n", "value")
    found = {
        tuple(row[name].removesuffix(" ↑").removesuffix(" ↓") for name in columns) for row in rows
    }
    assert found == expected and len(rows) == len(expected)


@needs_browser
def test_the_filters_filter_and_the_heads_sort(opened: Opened) -> None:
    edited = [row for row in opened.rows() if row["editor"] != "undo"]
    opened.page.select_option("#score-filters-editor", "ft")
    assert {row["editor"] for row in opened.rows()} == {"ft"}
    assert len(opened.rows()) == len(edited) / 2
    opened.page.fill("#score-filters-q", "round/easy IR")
    assert {(row["data"], row["metric"]) for row in opened.rows()} == {("round/easy", "IR ↓")}
    opened.page.fill("#score-filters-q", "")
    opened.page.get_by_role("button", name="value", exact=True).press("Enter")
    values = [float(row["value"]) for row in opened.rows()]
    assert values == sorted(values)
    opened.page.get_by_role("button", name="value", exact=True).press("Enter")
    assert [float(row["value"]) for row in opened.rows()] == sorted(values, reverse=True)
    head = opened.page.locator("#scores th[aria-sort]")
    assert head.get_attribute("aria-sort") == "descending"
    assert opened.address == "#scores?editor=ft&sort=-value"


@needs_browser
def test_a_table_is_handed_out_as_csv_as_it_is_shown(opened: Opened) -> None:
    opened.page.select_option("#score-filters-editor", "ft")
    files = {}
    for name in ("scores", "table-1", "differences-run", "runs"):
        with opened.page.expect_download() as download:
            opened.page.locator(f"table[data-file={name}] .csv").click()
        assert download.value.suggested_filename == f"{name}.csv"
        text = Path(download.value.path()).read_text("utf-8-sig")
        files[name] = list(csv.DictReader(io.StringIO(text)))
    shown = opened.rows()
    assert [row["value"] for row in files["scores"]] == [row["value"] for row in shown]
    for written, row in zip(files["scores"], shown, strict=True):
        assert (
            row["interval"].rstrip(" *")
            == f"[{written['interval low']}, {written['interval high']}]"
        )
    ours = [row for row in files["table-1"] if row["block"].startswith("tiny")]
    assert len(ours) == 4 and all(
        float(row["Coverage CS low"]) <= float(row["Coverage CS"]) for row in ours
    )


@needs_browser
def test_value_and_interval_are_on_the_screen_of_a_telephone(opened: Opened) -> None:
    opened.page.set_viewport_size({"width": 420, "height": 900})
    opened.page.select_option("#score-filters-metric", "CS")
    heads = {head.inner_text(): head for head in opened.page.locator("#scores th").all()}
    box = heads["interval"].bounding_box()
    assert heads["value"].bounding_box()["x"] > 0 and box["x"] + box["width"] <= 420


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_scrolls_only_inside_of_its_tables(
    browser: Any, file: Path, scheme: str
) -> None:
    context = browser.new_context(
        offline=True, viewport={"width": 390, "height": 800}, color_scheme=scheme
    )
    opened = Opened(context.new_page(), file)
    page = opened.page
    opened.follow(page.locator("#case-list a").first.click)
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
    with pytest.raises(PitfallsError, match="schema_version: is 99, expected 1 or 2"):
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
    text = " ".join(opened.page.locator("#parts details[open]").inner_text().split())
    assert f"{100 * one.value:.2f} [" in text


def test_a_facet_that_tells_nothing_apart_is_not_shown(tmp_path: Path) -> None:
    page = html_report([make_run(tmp_path / "a", data=("round/easy",))])
    assert "By objects" in page and "By rule" not in page


@needs_browser
def test_what_editors_are_held_against_is_in_tables_and_pictures_but_no_finding(
    opened: Opened,
) -> None:
    editors = opened.page.locator(".findings th[scope=row]").all_inner_texts()
    assert editors == ["ft", "rome"] * 2
    assert "undo" not in opened.page.inner_text("#changes")
    assert {row["editor"] for row in opened.rows()} == {"ft", "rome", "undo"}
    assert "undo" in (opened.page.get_attribute("#overview-distortion", "aria-label") or "")
    listed = opened.page.locator("#case-filters-editor option").all_inner_texts()
    assert listed == ["any", "ft", "rome"] and opened.complaints == []
