"""Round trips: there and back again from one of several true objects (paper §3)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pitfalls.cases.authors_records import edit_record, entity_record
from pitfalls.cases.case import Case
from pitfalls.cases.kinds import ties
from pitfalls.cases.kinds.kind import Kind, Recipe, Released
from pitfalls.cases.kinds.round_drafts import named_relations, round_case, round_drafts
from pitfalls.cases.released_shapes import RoundShape
from pitfalls.cases.steps import Plan, Probe, State
from pitfalls.cases.wordings import Place, Wordings
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity
from pitfalls.shapes import check
from pitfalls.vocabulary import StateName


def plan_round(case: Case, multi_label: bool) -> Plan:
    """e1 = (s, r, o1→o*), e2 = (s, r, o*→o1): does the way back lead home?"""
    first, second = case.first, case.second
    back = (
        tuple(replace(second, new_object=entity) for entity in case.true_objects)
        if multi_label
        else (second,)
    )
    others = (
        Probe(f"other/{position}", replace(first.before, object=entity))
        for position, entity in enumerate(other_objects(case))
    )
    everything = (
        Probe("original", second.after),
        Probe("intermediate", first.after),
        *others,
    )
    states: dict[StateName, State] = {
        "theta0": (),
        "theta_m": ((first,),),
        "theta_prime": ((first,), back),
    }
    return Plan(states, dict.fromkeys(states, everything))


def other_objects(case: Case) -> tuple[Entity, ...]:
    """Obj without o1, in file order.

    Only the first entity that carries o1's label is taken out, as the authors' code does; a
    second one of the same label stays among the others (the audit counts such cases).
    """
    labels = [entity.label for entity in case.true_objects]
    if (label := case.second.new_object.label) not in labels:
        return case.true_objects
    position = labels.index(label)
    return case.true_objects[:position] + case.true_objects[position + 1 :]


@ties.of_pair
def _ties(case: Case) -> Iterator[ties.Problem]:
    first, second = case.edits
    yield from ties.same_question(case)
    meaning = "what the second returns to"
    yield from ties.old("first.object", first.object, second.new_object, meaning)
    if len(case.true_objects) < 2:
        count = len(case.true_objects)
        yield "true_objects", f"has {count}, expected at least two: o1 and one that may be ignored"
    if second.new_object.id not in {entity.id for entity in case.true_objects}:
        yield "true_objects", f"lacks o1, {ties.named(second.new_object)}"


def _read(record: Any, case: Place, wordings: Wordings) -> Case:
    shape = check(RoundShape, record, where=case.where)
    expected = f"1-{len(shape.true_objects)}@{shape.edit.relation.id}"
    if shape.type != expected:
        raise PitfallsError(f"{case.where}: type: is {shape.type!r}, expected {expected!r}")
    away = wordings.edit(shape.edit, case.where)
    back = replace(away, new_object=shape.edit.object.value(), object=away.new_object)
    others = tuple(entity.value() for entity in shape.true_objects)
    return Case(case.id, case.kind, (away, back), true_objects=others)


def _write(case: Case) -> dict[str, Any]:
    return {
        "type": f"1-{len(case.true_objects)}@{case.first.relation.id}",
        "edit": edit_record(case.first),
        "true_objects": [entity_record(each) for each in case.true_objects],
    }


def _field(name: str) -> str:
    for ours in ("first.", "second."):
        if name.startswith(ours):
            return f"edit.{name.removeprefix(ours)}"
    return name


def _round(file: str) -> Kind:
    return Kind(
        plan=plan_round,
        ties=_ties,
        recipe=Recipe(
            drafts=round_drafts,
            finish=round_case,
            subjects=named_relations,
            # How close two objects are is told by everything that is known of them.
            needs=lambda order: None,
        ),
        released=Released(
            file=file, prompts="round_prompts.json", read=_read, write=_write, field=_field
        ),
    )


ROUND_EASY = _round("easy.json")
ROUND_HARD = _round("hard.json")
