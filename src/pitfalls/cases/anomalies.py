"""The anomalies by name: what each is and how it shows in a case."""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pitfalls.cases.case import Case
from pitfalls.cases.drawing import is_bare_id
from pitfalls.facts import Edit, Entity

AnomalyName: TypeAlias = Literal[
    "no-op-edit",
    "true-target-e1",
    "true-target-e2",
    "self-edit-e1",
    "self-edit-e2",
    "same-target",
    "bare-id-label",
    "duplicate-true-labels",
    "duplicate-of-o1",
    "nested-true-labels",
    "o1-in-subject",
    "one-character-label",
    "non-ascii-label",
    "repeated-subject",
]
Known: TypeAlias = Set[tuple[str, str, str]]
"""True triples, by the ids of subject, relation and object."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that can be odd about a case."""

    description: str
    holds: Callable[[Case, Known], bool]
    degenerate: bool = False
    """Whether a case with it measures nothing, or something else than it says."""


def describe(name: AnomalyName) -> str:
    """What the anomaly is, in words."""
    return _REPEATED if name == "repeated-subject" else ANOMALIES[name].description


def is_degenerate(name: AnomalyName) -> bool:
    """Whether `drop_degenerate` leaves a case out for it."""
    return name != "repeated-subject" and ANOMALIES[name].degenerate


def _entities(case: Case) -> Iterator[Entity]:
    """Everything whose label takes part: both edits, the facts around them, the true objects."""
    for edit in (case.first, case.second):
        yield from (edit.subject, edit.new_object)
        yield from (edit.object,) if edit.object is not None else ()
    for fact in case.triples:
        yield from (fact.subject, fact.object)
    yield from case.true_objects


def _changes_nothing(edit: Edit) -> bool:
    return edit.object is not None and edit.object.id == edit.new_object.id


def _labels(case: Case) -> list[str]:
    return [entity.label for entity in case.true_objects]


def _nested(case: Case) -> bool:
    # Labels that differ in nothing but case are the same label here, not one inside the other.
    labels = {label.lower() for label in _labels(case)}
    return any(a != b and a in b for a in labels for b in labels)


def _true_target(edit: Edit, case: Case, known: Known, *, is_way_back: bool) -> bool:
    # The way back of a round trip leads to a true object on purpose.
    return not (is_way_back and case.true_objects) and _after(edit) in known


def _after(edit: Edit) -> tuple[str, str, str]:
    return edit.subject.id, edit.relation.id, edit.new_object.id


ANOMALIES: dict[AnomalyName, Anomaly] = {
    "no-op-edit": Anomaly(
        "an edit replaces an object by itself",
        lambda case, known: _changes_nothing(case.first) or _changes_nothing(case.second),
        degenerate=True,
    ),
    "true-target-e1": Anomaly(
        "the first edit's target is a known true object",
        lambda case, known: _true_target(case.first, case, known, is_way_back=False),
        degenerate=True,
    ),
    "true-target-e2": Anomaly(
        "the second edit's target is a known true object",
        lambda case, known: _true_target(case.second, case, known, is_way_back=True),
        degenerate=True,
    ),
    "self-edit-e1": Anomaly(
        "the first edit's target is its own subject",
        lambda case, known: case.first.new_object.id == case.first.subject.id,
        degenerate=True,
    ),
    "self-edit-e2": Anomaly(
        "the second edit's target is its own subject",
        lambda case, known: case.second.new_object.id == case.second.subject.id,
        degenerate=True,
    ),
    "same-target": Anomaly(
        "both edits have the same target",
        lambda case, known: case.first.new_object.id == case.second.new_object.id,
    ),
    "bare-id-label": Anomaly(
        "some label is a bare id, like Q42",
        lambda case, known: any(is_bare_id(entity.label) for entity in _entities(case)),
        degenerate=True,
    ),
    "duplicate-true-labels": Anomaly(
        "two true objects have the same label",
        lambda case, known: len(set(_labels(case))) < len(case.true_objects),
        degenerate=True,
    ),
    "duplicate-of-o1": Anomaly(
        "another true object has the label of o1",
        lambda case, known: _labels(case).count(case.second.new_object.label) > 1,
        degenerate=True,
    ),
    "nested-true-labels": Anomaly(
        "one true label is a part of another, whatever the case of the letters",
        lambda case, known: _nested(case),
    ),
    "o1-in-subject": Anomaly(
        "the label of o1 is a part of the subject's, whatever the case of the letters",
        lambda case, known: (
            bool(case.true_objects)
            and case.second.new_object.label.lower() in case.second.subject.label.lower()
        ),
    ),
    "one-character-label": Anomaly(
        "some label has a single character",
        lambda case, known: any(len(entity.label) == 1 for entity in _entities(case)),
    ),
    "non-ascii-label": Anomaly(
        "some label has a character beyond ASCII",
        lambda case, known: not all(entity.label.isascii() for entity in _entities(case)),
    ),
}
"""Every anomaly that one case can have by itself, beside the triples that are known."""

_REPEATED = "an earlier case has the same subject and relation in its first edit"
