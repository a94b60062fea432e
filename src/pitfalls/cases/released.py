"""Cases in the files of the paper's authors, read exactly as they published them.

Conflict files hold two edits a record, round files one: there `edit.object` is o1, the true object
to return to, and `edit.new_object` is o*, the way station. Paraphrases are not in the records but
per relation in a file beside them. Records count from 0, like the position in a case's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from pitfalls.cases.case import Case
from pitfalls.cases.consistency import first_problem
from pitfalls.cases.released_shapes import (
    CompositeShape,
    CoverageShape,
    EditShape,
    FactShape,
    PromptsShape,
    RelationShape,
    ReverseShape,
    RoundShape,
)
from pitfalls.door.text import Source
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Fact, Relation
from pitfalls.shapes import check
from pitfalls.vocabulary import ROUND_KINDS, CaseKind

FILES: dict[CaseKind, str] = {
    "coverage": "coverage_edit.json",
    "reverse": "reverse_edit.json",
    "composite": "composite_edit.json",
    "round-easy": "easy.json",
    "round-hard": "hard.json",
}
"""Kind of case → the authors' file name."""

Prompts: TypeAlias = Mapping[str, tuple[str, ...]]
"""Relation id → its paraphrases."""


def prompts_file(kind: CaseKind) -> str:
    """Name of the file that holds the paraphrases for this kind of case."""
    return "round_prompts.json" if kind in ROUND_KINDS else "conflict_prompts.json"


_CONFLICTS: dict[CaseKind, type[CoverageShape] | type[ReverseShape] | type[CompositeShape]] = {
    "coverage": CoverageShape,
    "reverse": ReverseShape,
    "composite": CompositeShape,
}


def read_released(source: Source, kind: CaseKind, *, prompts: Source) -> list[Case]:
    """All cases of one of the authors' files, in its order.

    Args:
        source: `coverage_edit.json`, `easy.json`, …
        kind: what it holds; EASY and HARD files look alike, so the file cannot tell.
        prompts: `conflict_prompts.json` or `round_prompts.json` as `prompts_file` says.

    Raises:
        PitfallsError: one line that names the file, the record and the field that is wrong.
    """
    records = read_json(source)
    if not isinstance(records, list):
        raise PitfallsError(
            f"{source}: is a JSON {type(records).__name__}, expected a list of cases"
        )
    wordings = _Wordings(read_prompts(prompts), prompts)
    read = _read_round if kind in ROUND_KINDS else _read_conflict
    cases = []
    for position, record in enumerate(records):
        place = _Place(f"{kind}-{position:05d}", kind, f"{source}: record {position}")
        case = read(record, place, wordings)
        if problem := first_problem(case):
            raise PitfallsError(f"{place.where}: {_authors_field(problem[0], kind)}: {problem[1]}")
        cases.append(case)
    return cases


def read_prompts(source: Source) -> Prompts:
    """The paraphrases by relation id.

    Raises:
        PitfallsError: one line that names the file, the relation and what is wrong.
    """
    data = check(PromptsShape, read_json(source), where=str(source))
    return {relation: tuple(templates) for relation, templates in data.root.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Which case a record becomes, and how to name the record in a message."""

    id: str
    kind: CaseKind
    where: str


@dataclass(frozen=True, slots=True)
class _Wordings:
    """Gives a record's relations the paraphrases that the other file keeps for them."""

    paraphrases: Prompts
    source: Source
    known: dict[RelationShape, Relation] = field(default_factory=dict)
    """Relations met before: thousands of records share a dozen of them."""

    def relation(self, shape: RelationShape, where: str) -> Relation:
        if shape not in self.known:
            if shape.id not in self.paraphrases:
                raise PitfallsError(
                    f"{where}: relation {shape.id} ({shape.label}) has no paraphrases "
                    f"in {self.source}"
                )
            wordings = self.paraphrases[shape.id]
            relation = Relation(shape.id, shape.label, shape.prompt, wordings, shape.query)
            self.known[shape] = relation
        return self.known[shape]

    def fact(self, shape: FactShape, where: str) -> Fact:
        relation = self.relation(shape.relation, where)
        return Fact(shape.subject.value(), relation, shape.object.value())

    def edit(self, shape: EditShape, where: str) -> Edit:
        relation = self.relation(shape.relation, where)
        old, new = shape.object.value(), shape.new_object.value()
        return Edit(shape.subject.value(), relation, new, old)


def _read_conflict(record: Any, case: _Place, wordings: _Wordings) -> Case:
    shape = check(_CONFLICTS[case.kind], record, where=case.where)
    first, second = (wordings.edit(each, case.where) for each in shape.edits)
    triples = tuple(wordings.fact(each, case.where) for each in shape.triples)
    tied = triples[0] if shape.prerequisites else None
    return Case(case.id, case.kind, first, second, rule=shape.rule, triples=triples, tied=tied)


def _read_round(record: Any, case: _Place, wordings: _Wordings) -> Case:
    shape = check(RoundShape, record, where=case.where)
    expected = f"1-{len(shape.true_objects)}@{shape.edit.relation.id}"
    if shape.type != expected:
        raise PitfallsError(f"{case.where}: type: is {shape.type!r}, expected {expected!r}")
    away = wordings.edit(shape.edit, case.where)
    back = replace(away, new_object=shape.edit.object.value(), object=away.new_object)
    others = tuple(entity.value() for entity in shape.true_objects)
    return Case(case.id, case.kind, away, back, true_objects=others)


def _authors_field(field: str, kind: CaseKind) -> str:
    """A field of `Case` under the name it has in the authors' files."""
    edits = ("edit", "edit") if kind in ROUND_KINDS else ("edits[0]", "edits[1]")
    for ours, theirs in zip(("first.", "second."), edits, strict=True):
        if field.startswith(ours):
            return f"{theirs}.{field.removeprefix(ours)}"
    return field
