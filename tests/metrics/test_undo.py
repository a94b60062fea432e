"""The row that says what a perfect restoration would score, and where it must not appear."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.editors.table import EDITORS
from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import breakdown
from pitfalls.metrics.comparison import compare
from pitfalls.metrics.gate import Gate
from pitfalls.metrics.scores import Score, score
from pitfalls.metrics.table import METRICS
from pitfalls.metrics.undo import UNDO, undone
from pitfalls.records.observation import Observation, Source
from pitfalls.vocabulary import PRESETS, Preset

PROBES = ("original", "intermediate", "other/0", "other/1")
STATES = ("theta0", "theta_m", "theta_prime")

probability = st.floats(1e-9, 1)
state = st.tuples(*[probability] * len(PROBES))


def trip(
    position: int, before: tuple[float, ...], *, editor: str = "memit", **changes: object
) -> Observation:
    """A round trip whose two edited states are the unedited one, upside down."""
    found = {("theta0", probe): p for probe, p in zip(PROBES, before, strict=True)}
    for after in ("theta_m", "theta_prime"):
        found |= {(after, probe): p for probe, p in zip(PROBES, before[::-1], strict=True)}
    values = {
        "source": Source("run", "model", editor, "round/easy", "round-easy"),
        "case_id": f"round-easy-{position:05d}",
        "subject": f"Q{position}",
        "probabilities": found,
        "case": {"id": f"round-easy-{position:05d}"},
    }
    return Observation(**(values | changes))


def conflict() -> Observation:
    found = {(state, probe): 0.5 for state in STATES for probe in ("old", "new", "true")}
    source = Source("run", "model", "memit", "conflict/coverage", "coverage")
    return Observation(source, "coverage-00000", "Q1", found)


def of_undo(cases: list[Observation], preset: Preset = "clean") -> dict[str, Score]:
    return {one.metric: one for one in score(cases, preset=preset) if one.reference}


@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None, max_examples=30)
@given(befores=st.lists(state, min_size=1, max_size=5))
def test_undo_is_perfect_but_for_what_the_model_itself_does_not_prefer(
    befores: list[tuple[float, ...]], preset: Preset
) -> None:
    found = of_undo([trip(i, before) for i, before in enumerate(befores)], preset)
    preferred = sum(before[0] > before[1] for before in befores) / len(befores)
    expected = {"succ_round": (1 + preferred) / 2, "succ_back": preferred}
    round_trips = {name for name, one in METRICS.items() if "round-easy" in one.kinds}
    assert {*found} == {name for name in round_trips if preset in METRICS[name].presets}
    for name, one in found.items():
        assert one.n == len(befores)
        assert one.value == pytest.approx(expected.get(name, METRICS[name].best), abs=1e-6), name
        if name not in expected:
            assert one.low == one.value == one.high, "by definition, however few the cases"


def test_one_row_a_run_and_data_set_whatever_the_editors_are() -> None:
    befores = [(0.3, 0.1, 0.2, 0.2), (0.1, 0.3, 0.2, 0.2)]
    one, two = ([trip(i, b, editor=e) for i, b in enumerate(befores)] for e in ("memit", "ft"))
    alone, both = of_undo(one), of_undo([*one, *two])
    assert alone == both
    assert {(each.editor, each.value) for each in both.values() if each.metric == "succ_round"} == {
        (UNDO, 0.75)
    }
    second = [replace(case, source=replace(case.source, run="other")) for case in one]
    runs = [each.run for each in score([*one, *second]) if each.metric == "d" and each.reference]
    assert runs == ["run", "other"]


def test_a_failed_edit_is_undone_all_the_same() -> None:
    cases = [
        trip(0, (0.3, 0.1, 0.2, 0.2), failure="theta_prime: non-finite loss"),
        trip(1, (math.nan, 0.1, 0.2, 0.2)),
    ]
    found = of_undo(cases)
    assert (found["succ_back"].n, found["succ_back"].failed) == (1, 1)


def test_conflict_cases_have_nothing_to_undo() -> None:
    assert not any(one.reference for one in score([conflict()]))
    assert not any(
        one.reference and one.kind == "coverage"
        for one in score([conflict(), trip(0, (0.3, 0.1, 0.2, 0.2))])
    )
    assert list(undone([trip(0, (0.3, 0.1, 0.2, 0.2), probabilities={})])) == []


def test_no_editor_goes_by_its_name() -> None:
    assert UNDO not in EDITORS


def test_parts_of_the_cases_have_their_own_undo() -> None:
    cases = [trip(i, (0.3, 0.1, 0.2, 0.2)) for i in range(2)]
    cases += [trip(2, (0.1, 0.3, 0.2, 0.2)), replace(conflict(), case={"kind": "coverage"})]
    broken = breakdown(cases, "known", preset="clean")
    back = {
        value: [one.value for one in scores if one.reference and one.metric == "succ_back"]
        for value, scores in broken.items()
    }
    assert back == {"yes": [1.0], "no": [0.0]}
    assert "coverage" in {one.kind for one in broken["no"]}, "a tie is no preference"


def test_a_condition_on_editors_does_not_speak_of_undo() -> None:
    scores = score([trip(0, (0.1, 0.3, 0.2, 0.1))])
    assert [one.editor for one in Gate.parse("ir <= 1").holding(scores)] == ["memit"]
    assert [one.editor for one in Gate.parse("undo:ir <= 1").holding(scores)] == [UNDO]


def test_editors_are_compared_with_undo_only_on_request() -> None:
    pytest.importorskip("scipy")
    befores = [(0.3, 0.1, 0.2, 0.2), (0.1, 0.3, 0.2, 0.2)]
    cases = [trip(i, b, editor=e) for i, b in enumerate(befores) for e in ("memit", "ft")]
    assert {(one.base, one.other) for one in compare(cases)} == {("memit", "ft")}
    found = compare(cases, base=UNDO, preset="clean")
    assert {(one.base, one.other) for one in found} == {(UNDO, "memit"), (UNDO, "ft")}
    assert {one.difference for one in found if one.metric == "restored"} == {-1.0}
    with pytest.raises(PitfallsError, match="unknown run 'undo'"):
        compare(cases, axis="run", base=UNDO)
