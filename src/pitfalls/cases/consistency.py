"""What must hold between the parts of a case, whatever file it came from.

A plan reads its probes off these ties: a reverse case whose second edit is not about the first
edit's new object would be measured without complaint and mean nothing.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.vocabulary import CaseKind

Problem: TypeAlias = tuple[str, str]
"""(field of the case, what is wrong with it)."""


def first_problem(case: Case) -> Problem | None:
    """The first tie of the case's kind that does not hold; None for a sound case."""
    return next(_TIES[case.kind](case), None)


def _coverage(case: Case) -> Iterator[Problem]:
    first, second = case.first, case.second
    yield from _same("second.subject", second.subject, first.subject, "the first edit's subject")
    yield from _same("second.relation", second.relation, first.relation, "the first edit's")
    yield from _old("second.object", second.object, first.new_object, "the first edit's new object")
    yield from _facts(case, (first.before,))
    yield from _rule(case, None)


def _reverse(case: Case) -> Iterator[Problem]:
    first, second = case.first, case.second
    new = "the first edit's new object"
    yield from _same("second.subject", second.subject, first.new_object, new)
    yield from _old("second.object", second.object, first.subject, "the first edit's subject")
    yield from _rule(case, f"{first.relation.id}>{second.relation.id}")
    inverse = Fact(first.before.object, second.relation, first.subject)
    yield from _facts(case, (first.before, inverse))


def _composite(case: Case) -> Iterator[Problem]:
    if len(case.triples) != 3 or case.tied is None or case.tied != case.triples[0]:
        yield "triples", f"has {len(case.triples)}, expected 3: the tied fact, the body, the head"
        return
    tied, first, second = case.tied, case.first, case.second
    yield from _same("first.subject", first.subject, tied.object, "the tied fact's object")
    yield from _same("second.subject", second.subject, tied.subject, "the tied fact's subject")
    yield from _rule(case, f"{tied.relation.id}&{first.relation.id}>{second.relation.id}")
    yield from _facts(case, (tied, first.before, second.before))


def _round(case: Case) -> Iterator[Problem]:
    first, second = case.first, case.second
    yield from _same("second.subject", second.subject, first.subject, "the first edit's subject")
    yield from _same("second.relation", second.relation, first.relation, "the first edit's")
    yield from _old("second.object", second.object, first.new_object, "the first edit's new object")
    yield from _old("first.object", first.object, second.new_object, "what the second returns to")
    if len(case.true_objects) < 2:
        count = len(case.true_objects)
        yield "true_objects", f"has {count}, expected at least two: o1 and one that may be ignored"
    if second.new_object.id not in {entity.id for entity in case.true_objects}:
        yield "true_objects", f"lacks o1, {_named(second.new_object)}"


def _same(
    field: str, came: Entity | Relation, expected: Entity | Relation, meaning: str
) -> Iterator[Problem]:
    if came.id != expected.id:
        yield field, f"is {_named(came)}, expected {meaning}, {_named(expected)}"


def _old(field: str, came: Entity | None, expected: Entity, meaning: str) -> Iterator[Problem]:
    if came is None:
        yield field, f"is missing, expected {meaning}, {_named(expected)}"
    else:
        yield from _same(field, came, expected, meaning)


def _rule(case: Case, expected: str | None) -> Iterator[Problem]:
    if case.rule == expected:
        return
    came = "is missing" if case.rule is None else f"is {case.rule!r}"
    wanted = "none for this kind" if expected is None else f"{expected!r} by its relations"
    yield "rule", f"{came}, expected {wanted}"


def _facts(case: Case, expected: tuple[Fact, ...]) -> Iterator[Problem]:
    if len(case.triples) != len(expected):
        yield "triples", f"has {len(case.triples)}, expected {len(expected)}"
        return
    for position, (came, wanted) in enumerate(zip(case.triples, expected, strict=True)):
        if _ids(came) != _ids(wanted):
            problem = f"is {' '.join(_ids(came))}, expected {' '.join(_ids(wanted))}"
            yield f"triples[{position}]", f"{problem} as in the edits"


def _ids(fact: Fact) -> tuple[str, str, str]:
    return fact.subject.id, fact.relation.id, fact.object.id


def _named(thing: Entity | Relation) -> str:
    return f"{thing.id} ({thing.label})"


_TIES: dict[CaseKind, Callable[[Case], Iterator[Problem]]] = {
    "coverage": _coverage,
    "reverse": _reverse,
    "composite": _composite,
    "round-easy": _round,
    "round-hard": _round,
}
