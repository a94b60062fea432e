"""Checks of how the parts of a case belong together, shared by the kinds.

A plan reads its probes off these ties: a reverse case whose second edit is not about the first
edit's new object would be measured without complaint and mean nothing.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.facts import Entity, Fact, Relation

Problem: TypeAlias = tuple[str, str]
"""(field of the case, what is wrong with it)."""
Ties: TypeAlias = Callable[[Case], Iterator[Problem]]
"""The problems of a case, the gravest first."""


def of_pair(check: Ties) -> Ties:
    """The check of a kind of two edits; a case of another number of edits has just that problem."""

    def checked(case: Case) -> Iterator[Problem]:
        if len(case.edits) == 2:
            yield from check(case)
        else:
            yield "edits", f"has {len(case.edits)}, expected 2 for {case.kind} cases"

    return checked


def same(
    field: str, came: Entity | Relation, expected: Entity | Relation, meaning: str
) -> Iterator[Problem]:
    """An entity or relation that must be another one of the case."""
    if came.id != expected.id:
        yield field, f"is {named(came)}, expected {meaning}, {named(expected)}"


def old(field: str, came: Entity | None, expected: Entity, meaning: str) -> Iterator[Problem]:
    """The object that an edit replaces."""
    if came is None:
        yield field, f"is missing, expected {meaning}, {named(expected)}"
    else:
        yield from same(field, came, expected, meaning)


def same_question(case: Case) -> Iterator[Problem]:
    """Two edits of one (s, r); the second replaces the new object of the first."""
    first, second = case.edits
    yield from same("second.subject", second.subject, first.subject, "the first edit's subject")
    yield from same("second.relation", second.relation, first.relation, "the first edit's")
    yield from old("second.object", second.object, first.new_object, "the first edit's new object")


def rule(case: Case, expected: str | None) -> Iterator[Problem]:
    """The rule that the relations of the case spell."""
    if case.rule == expected:
        return
    came = "is missing" if case.rule is None else f"is {case.rule!r}"
    wanted = "none for this kind" if expected is None else f"{expected!r} by its relations"
    yield "rule", f"{came}, expected {wanted}"


def facts(case: Case, expected: tuple[Fact, ...]) -> Iterator[Problem]:
    """The facts before the edits."""
    if len(case.triples) != len(expected):
        yield "triples", f"has {len(case.triples)}, expected {len(expected)}"
        return
    for position, (came, wanted) in enumerate(zip(case.triples, expected, strict=True)):
        if _ids(came) != _ids(wanted):
            problem = f"is {' '.join(_ids(came))}, expected {' '.join(_ids(wanted))}"
            yield f"triples[{position}]", f"{problem} as in the edits"


def named(thing: Entity | Relation) -> str:
    """`Q42 (Douglas Adams)`."""
    return f"{thing.id} ({thing.label})"


def _ids(fact: Fact) -> tuple[str, str, str]:
    return fact.subject.id, fact.relation.id, fact.object.id
