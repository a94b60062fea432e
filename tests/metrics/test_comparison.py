"""Two sides on the same cases: what is paired, what is chance, what a table of tests costs."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import binomtest

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.breakdown import FACETS, NOT_READ, UNKNOWN, breakdown
from pitfalls.metrics.comparison import Comparison, compare
from pitfalls.metrics.gate import Gate
from pitfalls.metrics.intervals import agreement_bound
from pitfalls.metrics.permutation import holm, permutation_p
from pitfalls.metrics.power import detectable, visible_difference
from pitfalls.metrics.scores import score
from pitfalls.records.observation import Observation, Source


def cases(editor: str, afters: list[float], **source: str) -> Iterator[Observation]:
    named = {"run": "a", "model": "m"} | source
    for i, after in enumerate(afters):
        yield Observation(
            source=Source(editor=editor, data="conflict/coverage", kind="coverage", **named),
            case_id=f"coverage-{i:05d}",
            subject=f"Q{i}",
            probabilities={
                ("theta_m", "old"): 0.5,
                ("theta_prime", "old"): after,
                ("theta_prime", "new"): 0.25,
            },
            case={"id": f"coverage-{i:05d}"},
        )


def cm(found: list[Comparison]) -> Comparison:
    return next(one for one in found if one.metric == "cm")


def test_the_difference_is_of_the_pairs_and_its_sign_is_other_minus_base() -> None:
    both = [*cases("rome", [0.5, 0.4, 0.3]), *cases("ft", [0.1, 0.2, 0.3])]
    one = cm(compare(both, base="rome"))
    assert (one.base, one.other, one.n, one.subjects) == ("rome", "ft", 3, 3)
    assert one.difference == pytest.approx((0.8 + 0.4 + 0) / 3)
    assert one.low <= one.difference <= one.high
    assert cm(compare(both, base="ft")).difference == pytest.approx(-one.difference)


def test_only_cases_that_both_sides_have_are_compared() -> None:
    other = [*cases("ft", [0.1, 0.2, 0.3])]
    assert cm(compare([*cases("rome", [0.5, 0.4]), *other])).n == 2


def test_cases_of_one_name_with_other_contents_are_not_the_same() -> None:
    strangers = [
        Observation(one.source, one.case_id, one.subject, one.probabilities, case={"id": "x"})
        for one in cases("ft", [0.1, 0.2])
    ]
    assert compare([*cases("rome", [0.5, 0.4]), *strangers]) == []


def test_a_clear_difference_is_no_chance_and_none_at_all_is() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.uniform(0.3, 0.5, 30), generator.uniform(0, 0.2, 30)
    one = cm(compare([*cases("rome", first.tolist()), *cases("ft", second.tolist())]))
    assert one.p < 0.001 < 0.05 and one.detectable < one.difference
    same = cm(compare([*cases("rome", first.tolist()), *cases("ft", first.tolist())]))
    assert same.p == 1 and math.isnan(same.detectable)
    assert same.low < 0 == same.difference < same.high, "30 equal cases exclude little"


def test_few_pairs_are_tried_exhaustively() -> None:
    assert permutation_p(np.array([1.0, 1.0, 1.0]), seed=0) == pytest.approx(2 / 8)
    assert permutation_p(np.array([1.0, 0.0]), seed=0) == 1
    assert permutation_p(np.zeros(3), seed=0) == 1


def test_cases_of_one_subject_swap_sides_together() -> None:
    many = [
        Observation(one.source, one.case_id, "Q1", one.probabilities, case=one.case)
        for editor, after in (("rome", 0.5), ("ft", 0.1))
        for one in cases(editor, [after] * 20)
    ]
    one = cm(compare(many))
    assert (one.n, one.subjects, one.p) == (20, 1, 1.0)
    assert one.high - one.low > 3, "a single subject leaves nearly everything open"


def test_holm_over_the_whole_table() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    found = compare([*cases("rome", [0.5] * 9), *cases("ft", [0.1] * 9), *cases("mend", [0.2] * 9)])
    assert len(found) == 3 * 2
    assert [one.p_holm for one in found] == pytest.approx(holm([one.p for one in found]))


def test_models_and_runs_are_compared_across_runs() -> None:
    first, second = cases("rome", [0.5, 0.4]), cases("rome", [0.1, 0.2], run="b", model="n")
    both = [*first, *second]
    assert {(one.base, one.other) for one in compare(both, axis="model")} == {("m", "n")}
    with pytest.raises(PitfallsError, match="nothing to compare: needs two editors"):
        compare(both)
    again = [*cases("rome", [0.5, 0.4]), *cases("rome", [0.1, 0.2], run="b")]
    assert {(one.base, one.other) for one in compare(again, axis="run", base="b")} == {("b", "a")}
    with pytest.raises(UnknownNameError, match="unknown run 'c'"):
        compare(again, axis="run", base="c")


@pytest.mark.parametrize("n", [1, 5, 60, 2500])
def test_agreeing_votes_have_the_clopper_pearson_interval(n: int) -> None:
    exact = binomtest(n, n).proportion_ci(0.95, method="exact")
    assert agreement_bound(1.0, n, (0.0, 1.0)) == pytest.approx((exact.low, exact.high))
    exact = binomtest(0, n).proportion_ci(0.95, method="exact")
    assert agreement_bound(0.0, n, (0.0, 1.0)) == pytest.approx((exact.low, exact.high))


def test_agreement_within_the_range_and_without_one() -> None:
    low, high = agreement_bound(0.5, 10, (0.0, 1.0))
    assert low < 0.5 < high and high - 0.5 == pytest.approx(0.5 - low)
    assert agreement_bound(0.5, 10, (-math.inf, 1.0))[0] == -math.inf


def test_a_score_says_what_agreeing_cases_leave_open() -> None:
    one = next(one for one in score(cases("rome", [0.1] * 60)) if one.metric == "cs")
    assert (one.value, one.high, one.agree, one.subjects) == (1, 1, True, 60)
    assert one.low == pytest.approx(0.9404, abs=1e-4)
    mixed = next(one for one in score(cases("rome", [0.1, 0.5])) if one.metric == "cs")
    assert not mixed.agree


def test_what_so_many_cases_can_show() -> None:
    assert visible_difference(60) == pytest.approx(0.1265, abs=1e-4)
    assert visible_difference(240) == pytest.approx(visible_difference(60) / 2)
    assert visible_difference(0 + 1) <= 1
    assert detectable(0.1) == pytest.approx(0.28, abs=1e-3)


def described(case: dict[str, object], **tokens: int) -> Observation:
    one = next(cases("rome", [0.1]))
    return Observation(
        one.source, one.case_id, one.subject, one.probabilities, case=case, tokens=tokens
    )


def edit(relation: str, old: str, new: str) -> dict[str, object]:
    return {
        "subject": {"id": "Q1"},
        "relation": relation,
        "object": {"id": old},
        "new_object": {"id": new},
    }


@pytest.mark.parametrize(
    ("facet", "case", "value"),
    [
        ("rule", {"rule": "P22>P40"}, "P22>P40"),
        ("rule", {"id": "x"}, "none"),
        ("relation", {"first": edit("P22", "Q2", "Q3")}, "P22"),
        ("objects", {"true_objects": [{}, {}]}, "2"),
        ("degenerate", {"first": edit("P22", "Q2", "Q2")}, "degenerate"),
        ("degenerate", {"first": edit("P22", "Q2", "Q1")}, "degenerate"),
        ("degenerate", {"first": edit("P22", "Q2", "Q3")}, "sound"),
        ("exclusive", {e: edit("P22", "Q2", "Q3") for e in ("first", "second")}, "exclusive"),
        (
            "exclusive",
            {"first": edit("P22", "", ""), "second": edit("P40", "", "")},
            "several objects",
        ),
        ("exclusive", {e: edit("P9", "Q2", "Q3") for e in ("first", "second")}, "not known"),
    ],
)
def test_what_cases_are_told_apart_by(facet: str, case: dict[str, object], value: str) -> None:
    assert list(breakdown([described(case)], facet)) == [value]


def test_parts_have_their_own_scores_in_the_order_of_numbers() -> None:
    parts = [described({"id": "x"}, new_explicit=n) for n in (10, 2, 2, 1)]
    broken = breakdown(parts, "target-tokens")
    assert list(broken) == ["1", "2", "10"]
    assert [scores[0].n for scores in broken.values()] == [1, 2, 1]


@pytest.mark.parametrize("facet", FACETS)
def test_a_case_that_says_nothing_of_itself_is_not_guessed_at(facet: str) -> None:
    assert list(breakdown([described({})], facet)) == [NOT_READ if facet == "known" else UNKNOWN]


def test_a_condition_names_editor_metric_and_data() -> None:
    scores = score([*cases("rome", [0.1]), *cases("ft", [0.5])])
    assert [one.editor for one in Gate.parse("cm > 0.5").holding(scores)] == ["rome"]
    assert Gate.parse("ft:cm > 0.5").holding(scores) == []
    assert len(Gate.parse("cm@conflict/coverage >= 0").holding(scores)) == 2
    assert Gate.parse("ft:cs<1e0").holding(scores)[0].editor == "ft"


@pytest.mark.parametrize("text", ["", "cm", "cm > x", "cm = 1", "a:b:cm > 1", "cm > 1.2.3"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(PitfallsError, match="is no condition: expected"):
        Gate.parse(text)


def test_a_condition_that_can_never_hold_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric"):
        Gate.parse("irr > 1")
    with pytest.raises(PitfallsError, match="concerns none of the scores; known: rome:cs@"):
        Gate.parse("memit:cm > 0").holding(score(cases("rome", [0.1])))


def test_a_score_without_a_value_passes_no_condition() -> None:
    lost = score(cases("rome", [float("nan")]))
    with pytest.raises(PitfallsError, match="cannot be told: cm of rome on conflict/coverage is"):
        Gate.parse("cm < 0").holding(lost)


def test_a_large_table_can_still_find_something() -> None:
    """Holm multiplies by the number of tests, and so many permutations have to be tried."""
    draw = np.random.default_rng(0).uniform(0.5, 1, 40)
    assert permutation_p(draw, seed=0, tests=1000) * 1000 < 0.05
