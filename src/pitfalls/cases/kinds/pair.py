"""Plans, drafts and published records that the conflict kinds share: pairs of edits."""

from dataclasses import dataclass
from typing import Any

from pitfalls.cases.authors_records import edit_record, fact_record
from pitfalls.cases.case import Case
from pitfalls.cases.drafts import is_usable
from pitfalls.cases.kinds.kind import Released
from pitfalls.cases.order import Materials
from pitfalls.cases.released_shapes import CompositeShape, CoverageShape, ReverseShape
from pitfalls.cases.steps import Plan, Probe, State
from pitfalls.cases.wordings import Place, Wordings
from pitfalls.facts import Fact
from pitfalls.shapes import check
from pitfalls.vocabulary import StateName


def pair_states(case: Case) -> dict[StateName, State]:
    """θ0 unedited, θm after e1, θ' after e1 and then e2, θ2 after e2 alone."""
    first, second = (case.first,), (case.second,)
    return {"theta0": (), "theta_m": (first,), "theta_prime": (first, second), "theta2": (second,)}


def logical_plan(case: Case, implied: Fact, *, with_second_alone: bool) -> Plan:
    """The plan of a pair that a rule connects: explicit, implicit and tied facts in one pass."""
    probes = [
        Probe("old", case.first.after),
        Probe("new_explicit", case.second.after),
        Probe("new_implicit", implied),
    ]
    if case.tied is not None:
        probes.append(Probe("tied", case.tied))
    states = pair_states(case)
    if not with_second_alone:
        del states["theta2"]
    return Plan(states, dict.fromkeys(states, tuple(probes)))


def can_conflict(materials: Materials, contested: str, *facts: Fact) -> bool:
    """Whether a conflict over the relation `contested` can be made of the facts."""
    if not is_usable(materials, *facts):
        return False
    if not materials.excludes(contested):
        materials.drop("its relation allows several objects")
    elif not materials.graph.together(*facts):
        materials.drop("its facts held at different times")
    else:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Records:
    """Conflict records of the authors; those of each kind have a shape of their own."""

    shape: type[CoverageShape] | type[ReverseShape] | type[CompositeShape]

    def read(self, record: Any, case: Place, wordings: Wordings) -> Case:
        shape = check(self.shape, record, where=case.where)
        edits = tuple(wordings.edit(each, case.where) for each in shape.edits)
        triples = tuple(wordings.fact(each, case.where) for each in shape.triples)
        tied = triples[0] if shape.prerequisites else None
        return Case(case.id, case.kind, edits, rule=shape.rule, triples=triples, tied=tied)


def released_conflict(
    kind: str, shape: type[CoverageShape] | type[ReverseShape] | type[CompositeShape]
) -> Released:
    """The authors' format of a conflict kind: `coverage_edit.json` and the like."""
    return Released(
        file=f"{kind}_edit.json",
        prompts="conflict_prompts.json",
        read=_Records(shape).read,
        write=_record,
        field=_field,
        says=kind,
    )


def _record(case: Case) -> dict[str, Any]:
    record: dict[str, Any] = {
        "triples": [fact_record(fact) for fact in case.triples],
        "prerequisites": [] if case.tied is None else [0],
        "type": case.kind,
        "edits": [edit_record(case.first), edit_record(case.second)],
    }
    return record if case.rule is None else {"rule": case.rule, **record}


def _field(name: str) -> str:
    for ours, theirs in (("first.", "edits[0]."), ("second.", "edits[1].")):
        if name.startswith(ours):
            return f"{theirs}{name.removeprefix(ours)}"
    return name
