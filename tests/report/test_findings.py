"""Words of the page: laws over every interval, and sentences as they read."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs_on_disk import make_run

from pitfalls.metrics.comparison import Comparison
from pitfalls.metrics.scores import Score, score
from pitfalls.metrics.table import METRICS
from pitfalls.report.differences import Change, certain
from pitfalls.report.findings import NARROW, answer, findings, level, needed
from pitfalls.report.gather import gather
from pitfalls.report.measures import (
    CONFLICT,
    DISTORTION,
    EDITS,
    ROUND_EDITS,
    Measure,
    main_metrics,
    measures,
)
from pitfalls.vocabulary import CASE_KINDS, PRESETS, CaseKind

MEASURES = (EDITS, ROUND_EDITS, CONFLICT, DISTORTION)
ENDS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


def made(kind: CaseKind, metric: str, value: float, low: float, high: float, n: int = 60) -> Score:
    return Score(
        run="r",
        model="tiny",
        editor="rome",
        data=kind,
        kind=kind,
        metric=metric,
        preset="authors",
        n=n,
        guarded=0,
        failed=0,
        value=value,
        low=low,
        high=high,
        guard_reasons={},
        failure_reasons={},
        subjects=n,
    )


def words(measure: Measure, *scores: Score) -> str:
    return "".join(piece.text for piece in answer(measure, scores)).replace("\u00a0", " ")


@given(ENDS)
def test_nothing_is_said_that_a_value_of_the_interval_contradicts(ends: list[float]) -> None:
    low, high = ends
    holds = {
        "all": low >= 0.9,
        "most": low > 0.5,
        "half": low <= 0.5 <= high and high - low <= NARROW,
        "few": high < 0.5,
        "none": high <= 0.1,
        "open": low <= 0.5 <= high and high - low > NARROW,
    }
    assert holds[level(low, high)]


@given(ENDS, st.floats(0, 1), st.floats(0, 1))
def test_more_cases_never_take_back_what_was_said(ends: list[float], a: float, b: float) -> None:
    """An interval inside another says the same or more, never the opposite."""
    low, high = ends
    inner = sorted(low + (high - low) * share for share in (a, b))
    wide, narrow = level(low, high), level(*inner)
    above, below = {"most", "all"}, {"few", "none"}
    assert not (wide in above and narrow not in above)
    assert not (wide in below and narrow not in below)


@given(ENDS)
def test_a_share_and_its_complement_are_told_alike(ends: list[float]) -> None:
    low, high = ends
    opposite = {"all": "none", "none": "all", "most": "few", "few": "most"}
    told = level(low, high)
    edge = any(math.isclose(end, at, abs_tol=1e-9) for end in ends for at in (0.1, 0.5, 0.9))
    if not edge and not math.isclose(high - low, NARROW, abs_tol=1e-9):
        assert level(1 - high, 1 - low) == opposite.get(told, told)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: next(iter(one.metrics.values())))
def test_measures_are_shares_that_the_preset_has(measure: Measure, preset: str) -> None:
    for kind, name in measure.metrics.items():
        metric = METRICS[name]
        assert kind in metric.kinds and metric.increasing == measure.increasing
        assert metric.presets[preset].value_range == (0.0, 1.0)


def test_every_kind_of_case_has_a_main_metric_and_words() -> None:
    assert set(main_metrics()) == set(CASE_KINDS)


def test_sentences_read_as_they_should() -> None:
    coverage = made("coverage", "cs", 1.0, 0.94, 1.0)
    reverse = made("reverse", "cs_imp", 0.03, 0.0, 0.08)
    composite = made("composite", "cs_imp", 0.5, 0.0, 1.0, n=4)
    easy, hard = (made(kind, "ir", 0.62, 0.51, 0.72) for kind in ("round-easy", "round-hard"))
    assert words(CONFLICT, coverage, reverse, composite) == (
        "The newer edit wins in nearly all of the coverage cases (100 % [94, 100]), hardly any of "
        "the reverse cases (3 % [0, 8]). Too few cases to tell whether the newer edit wins: "
        "composite cases (50 % [0, 100])."
    )
    assert words(DISTORTION, easy, hard) == (
        "A round trip lowers the probability of most of the other true objects of easy cases "
        "(62 % [51, 72]) and hard cases (62 % [51, 72])."
    )
    nothing = made("coverage", "succ_single", math.nan, math.nan, math.nan, n=0)
    assert words(EDITS, nothing) == "No number for coverage cases."
    assert words(EDITS, easy) == "Not measured."


def test_too_few_cases_are_told_with_what_more_would_do() -> None:
    few = made("reverse", "cs_imp", 0.5, 0.0, 1.0, n=4)
    enough = made("reverse", "cs_imp", 0.5, 0.4, 0.6, n=96)
    assert needed([few, enough], [CONFLICT]) == (
        "With 4 independent cases, a share near one half is known to ± 49 points; with 100 it "
        "would be ± 10."
    )
    assert needed([enough], [CONFLICT]) == ""


def test_single_edits_tell_whether_edits_take_if_there_are_any() -> None:
    single = made("coverage", "succ_single", 1.0, 0.9, 1.0)
    there_and_back = made("round-easy", "succ_round", 0.7, 0.6, 0.8)
    assert measures([single, there_and_back]) == (EDITS,)
    assert measures([there_and_back]) == (ROUND_EDITS,)
    assert measures([]) == ()


def test_every_editor_of_a_run_has_an_answer_to_everything(tmp_path: Path) -> None:
    everything = score(gather([make_run(tmp_path / "a", cases=6)]).observations)
    scores = [one for one in everything if not one.reference]
    asked = measures(scores)
    (group,) = findings(scores, asked)
    assert group.title == "tiny"
    assert {row.editor for row in group.rows} == {"rome", "ft"}
    for row in group.rows:
        told = [piece.score for pieces in row.answers for piece in pieces if piece.score]
        assert [(one.kind, one.metric) for one in told if one.kind in CONFLICT.metrics]
        assert {(one.kind, one.metric) for one in told} == {
            place for measure in asked for place in measure.metrics.items()
        }


def test_a_difference_is_told_if_it_outlives_the_correction() -> None:
    def differs(metric: str, difference: float, p: float) -> Comparison:
        sides = {"run": "r", "model": "tiny", "editor": "rome", "data": "reverse"}
        return Comparison(
            axis="editor", base="ft", other="rome", **sides, kind="reverse", metric=metric,
            preset="authors", n=60, subjects=60, difference=difference, low=difference - 0.1,
            high=difference + 0.1, p=p, p_holm=p, detectable=0.1,
        )  # fmt: skip

    found = (differs("cs_imp", -0.3, 0.0002), differs("cm", 0.9, 0.0002))
    change = Change("Editors, against ft", "editor", "ft", found)
    assert certain(change, [CONFLICT]) == [
        "Conflict in reverse cases: rome is worse than ft by 30 points; difference [-40, -20], "
        "p <0.001"
    ]
    unsure = Change("Editors, against ft", "editor", "ft", (differs("cs_imp", 0.3, 0.2),))
    assert certain(unsure, [CONFLICT]) == []
