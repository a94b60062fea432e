"""The anomalies by name, each with its description and how it shows in a case."""

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
    """Whether a case with it does not measure what its kind should measure."""


def describe(name: AnomalyName) -> str:
    """The anomaly in words."""
    return _REPEATED if name == "repeated-subject" else ANOMALIES[name].description


def is_degenerate(name: AnomalyName) -> bool:
    """Whether `drop_degenerate` leaves a case out for it."""
    return name != "repeated-subject" and ANOMALIES[name].degenerate


def _entities(case: Case) -> Iterator[Entity]:
    """Everything whose label takes part: the edits, the facts around them, the true objects."""
    for edit in case.edits:
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


def _leads_to_truth(case: Case, known: Known) -> bool:
    # The way back of a round trip leads to a true object on purpose.
    home = {entity.id for entity in case.true_objects}
    return any(_after(edit) in known for edit in _later(case) if edit.new_object.id not in home)


def _is_own_subject(edit: Edit) -> bool:
    return edit.new_object.id == edit.subject.id


def _later(case: Case) -> tuple[Edit, ...]:
    return case.edits[1:]


def _last_object(case: Case) -> Entity:
    """o1 of a round trip."""
    return case.edits[-1].new_object


def _after(edit: Edit) -> tuple[str, str, str]:
    return edit.subject.id, edit.relation.id, edit.new_object.id


ANOMALIES: dict[AnomalyName, Anomaly] = {
    "no-op-edit": Anomaly(
        "an edit replaces an object by itself",
        lambda case, known: any(map(_changes_nothing, case.edits)),
        degenerate=True,
    ),
    "true-target-e1": Anomaly(
        "the first edit's target is a known true object",
        lambda case, known: _after(case.first) in known,
        degenerate=True,
    ),
    "true-target-e2": Anomaly(
        "the second edit's target is a known true object",
        lambda case, known: _leads_to_truth(case, known),
        degenerate=True,
    ),
    "self-edit-e1": Anomaly(
        "the first edit's target is its own subject",
        lambda case, known: _is_own_subject(case.first),
        degenerate=True,
    ),
    "self-edit-e2": Anomaly(
        "the second edit's target is its own subject",
        lambda case, known: any(map(_is_own_subject, _later(case))),
        degenerate=True,
    ),
    "same-target": Anomaly(
        "both edits have the same target",
        lambda case, known: len({edit.new_object.id for edit in case.edits}) < len(case.edits),
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
        lambda case, known: _labels(case).count(_last_object(case).label) > 1,
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
            and _last_object(case).label.lower() in case.edits[-1].subject.label.lower()
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
"""Anomaly → how to tell it from one case and the known triples."""

_REPEATED = "an earlier case has the same subject and relation in its first edit"
