"""The anomalies of the released data, counted, and what is left out because of them."""

from dataclasses import replace
from typing import TypeAlias, get_args

import pytest
from worlds import World

from pitfalls.cases.anomalies import ANOMALIES, AnomalyName, describe, is_degenerate
from pitfalls.cases.audit import audit, counts, drop_degenerate, known_facts
from pitfalls.cases.build import build_cases
from pitfalls.cases.case import Case
from pitfalls.facts import Edit, Entity
from pitfalls.vocabulary import CASE_KINDS, CaseKind

Published: TypeAlias = dict[tuple[str, CaseKind], list[Case]]

COLUMNS: list[tuple[str, CaseKind]] = [
    ("GPT-J", "coverage"),
    ("GPT2-XL", "coverage"),
    ("GPT-J", "reverse"),
    ("GPT2-XL", "reverse"),
    ("GPT-J", "composite"),
    ("GPT2-XL", "composite"),
    ("GPT-J", "round-easy"),
    ("GPT-J", "round-hard"),
    ("GPT2-XL", "round-easy"),
    ("GPT2-XL", "round-hard"),
]
# Counted in the authors' files without this package.
PUBLISHED_COUNTS: dict[AnomalyName, tuple[int, ...]] = {
    "no-op-edit": (1, 1, 0, 0, 56, 24, 0, 0, 0, 0),
    "true-target-e1": (1, 1, 0, 0, 57, 26, 0, 0, 0, 0),
    "true-target-e2": (0, 0, 0, 0, 0, 5, 0, 0, 0, 0),
    "self-edit-e1": (0, 0, 0, 0, 1, 0, 0, 0, 0, 0),
    "self-edit-e2": (0, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    "same-target": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "bare-id-label": (88, 88, 83, 83, 3, 1, 0, 0, 0, 0),
    "duplicate-true-labels": (0, 0, 0, 0, 0, 0, 2, 1, 2, 6),
    "duplicate-of-o1": (0, 0, 0, 0, 0, 0, 2, 0, 2, 0),
    "nested-true-labels": (0, 0, 0, 0, 0, 0, 194, 153, 268, 142),
    "o1-in-subject": (0, 0, 0, 0, 0, 0, 81, 15, 95, 16),
    "one-character-label": (0, 0, 0, 0, 0, 3, 3, 4, 2, 3),
    "non-ascii-label": (958, 958, 943, 943, 575, 188, 594, 500, 497, 562),
    "repeated-subject": (19, 19, 19, 19, 578, 682, 0, 0, 0, 0),
}


def test_the_published_counts_are_found(published: Published) -> None:
    known = known_facts(case for cases in published.values() for case in cases)
    for position, column in enumerate(COLUMNS):
        found = counts(audit(published[column], known=known))
        assert found == {name: row[position] for name, row in PUBLISHED_COUNTS.items()}, column


def test_degenerate_cases_are_left_out_with_their_reasons(published: Published) -> None:
    cases = published["GPT2-XL", "composite"]
    kept, dropped = drop_degenerate(cases)
    assert len(kept) + len(dropped) == len(cases)
    assert all(finding.anomalies for finding in dropped)
    assert drop_degenerate(kept, known=known_facts(cases))[1] == []
    assert "an edit replaces an object by itself" in "\n".join(map(str, dropped))


@pytest.fixture
def cases() -> dict[CaseKind, Case]:
    """One case of every kind without any anomaly."""
    graph = World(14).graph()
    found = {kind: build_cases(graph, kind, count=1)[0] for kind in CASE_KINDS}
    assert audit(found.values()) == []
    return found


def aim(edit: Edit, target: Entity | None) -> Edit:
    assert target is not None
    return replace(edit, new_object=target)


def with_edits(case: Case, first: Edit | None = None, second: Edit | None = None) -> Case:
    return replace(case, edits=(first or case.first, second or case.second))


def spoil(case: Case, name: AnomalyName) -> Case:
    """The case with that anomaly brought about in the plainest way."""
    first, second, Q42 = case.first, case.second, Entity("Q42", "Q42")
    others, o1 = case.true_objects, case.second.new_object
    same, longer = replace(o1, id="Q1"), Entity("Q1", f"{o1.label.upper()} band")
    spoilt: dict[AnomalyName, Case] = {
        "no-op-edit": with_edits(case, first=aim(first, first.object)),
        "true-target-e1": with_edits(case, first=aim(first, first.object)),
        "true-target-e2": with_edits(case, second=aim(second, second.object)),
        "self-edit-e1": with_edits(case, first=aim(first, first.subject)),
        "self-edit-e2": with_edits(case, second=aim(second, second.subject)),
        "same-target": with_edits(case, second=aim(second, first.new_object)),
        "bare-id-label": with_edits(case, second=aim(second, Q42)),
        "duplicate-true-labels": replace(case, true_objects=(*others, same)),
        "duplicate-of-o1": replace(case, true_objects=(*others, same)),
        "nested-true-labels": replace(case, true_objects=(*others, longer)),
        "o1-in-subject": with_edits(case, second=replace(second, subject=longer)),
        "one-character-label": with_edits(case, second=aim(second, Entity("Q1", "x"))),
        "non-ascii-label": with_edits(case, second=aim(second, Entity("Q1", "Ω"))),
    }
    return spoilt[name]


@pytest.mark.parametrize("name", ANOMALIES)
def test_each_anomaly_is_seen_where_it_is(cases: dict[CaseKind, Case], name: AnomalyName) -> None:
    in_round_trips = name in (
        "duplicate-true-labels", "duplicate-of-o1", "nested-true-labels", "o1-in-subject",
    )  # fmt: skip
    case = spoil(cases["round-easy" if in_round_trips else "composite"], name)
    (finding,) = audit([case])
    assert name in finding.anomalies
    kept, dropped = drop_degenerate([case])
    assert bool(dropped) == any(map(is_degenerate, finding.anomalies)) == (not kept)


def test_a_repetition_is_told_of_the_later_case(cases: dict[CaseKind, Case]) -> None:
    case = cases["coverage"]
    again = replace(case, id="again")
    (finding,) = audit([case, again])
    assert (finding.case, finding.anomalies) == (again, ("repeated-subject",))
    assert drop_degenerate([case, again]) == ([case, again], [])


def test_every_anomaly_has_a_description() -> None:
    assert set(PUBLISHED_COUNTS) == set(get_args(AnomalyName))
    descriptions = [describe(name) for name in get_args(AnomalyName)]
    assert len(set(descriptions)) == len(descriptions)
