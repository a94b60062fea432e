"""Cases in the files of the paper's authors, read exactly as they published them.

Conflict files hold two edits a record, round files one: there `edit.object` is o1, the true object
to return to, and `edit.new_object` is o*, the way station. Paraphrases are not in the records but
per relation in a file beside them. Records count from 0, like the position in a case's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from pitfalls.cases.case import Case
from pitfalls.cases.consistency import first_problem
from pitfalls.cases.reading import Source, parse_json, read_text
from pitfalls.cases.shapes import EntityShape, Name, Shape, Template, check
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Fact, Relation
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


class _Relation(Shape):
    id: Name
    label: Name
    prompt: Template
    query: str


class _Fact(Shape):
    relation: _Relation
    subject: EntityShape
    object: EntityShape


class _Edit(_Fact):
    new_object: EntityShape


class _ConflictEdit(_Edit):
    # Only in the composite cases for GPT2-XL, where e2 repeats e1's new object under this name.
    true_object: EntityShape | None = None


class _Conflict(Shape):
    triples: list[_Fact]
    edits: Annotated[list[_ConflictEdit], Field(min_length=2, max_length=2)]
    rule: Name | None = None


class _Coverage(_Conflict):
    type: Literal["coverage"]
    prerequisites: Annotated[list[int], Field(max_length=0)]


class _Reverse(_Conflict):
    type: Literal["reverse"]
    prerequisites: Annotated[list[int], Field(max_length=0)]


class _Composite(_Conflict):
    type: Literal["composite"]
    triples: Annotated[list[_Fact], Field(min_length=3, max_length=3)]
    prerequisites: Annotated[list[Literal[0]], Field(min_length=1, max_length=1)]


class _Round(Shape):
    type: Name
    edit: _Edit
    true_objects: list[EntityShape]


_ROUND = TypeAdapter(_Round)
_RECORDS: dict[CaseKind, TypeAdapter[Any]] = {
    "coverage": TypeAdapter(_Coverage),
    "reverse": TypeAdapter(_Reverse),
    "composite": TypeAdapter(_Composite),
}
_PROMPTS = TypeAdapter(dict[Name, list[Template]])


def read_released(source: Source, kind: CaseKind, *, prompts: Source) -> list[Case]:
    """All cases of one of the authors' files, in its order.

    Args:
        source: `coverage_edit.json`, `easy.json`, …
        kind: what it holds; EASY and HARD files look alike, so the file cannot tell.
        prompts: `conflict_prompts.json` or `round_prompts.json` as `prompts_file` says.

    Raises:
        PitfallsError: one line that names the file, the record and the field that is wrong.
    """
    records = parse_json(read_text(source), where=str(source))
    if not isinstance(records, list):
        raise PitfallsError(
            f"{source}: is a JSON {type(records).__name__}, expected a list of cases"
        )
    paraphrases = read_prompts(prompts)
    read = _read_round if kind in ROUND_KINDS else _read_conflict
    cases = []
    for position, record in enumerate(records):
        where = f"{source}: record {position}"
        wordings = _Wordings(paraphrases, source=prompts, where=where)
        case = read(record, kind, id=f"{kind}-{position:05d}", wordings=wordings)
        if problem := first_problem(case):
            raise PitfallsError(f"{where}: {_authors_field(problem[0], kind)}: {problem[1]}")
        cases.append(case)
    return cases


def read_prompts(source: Source) -> Prompts:
    """The paraphrases by relation id.

    Raises:
        PitfallsError: one line that names the file, the relation and what is wrong.
    """
    data = check(_PROMPTS, parse_json(read_text(source), where=str(source)), where=str(source))
    return {relation: tuple(templates) for relation, templates in data.items()}


@dataclass(frozen=True, slots=True)
class _Wordings:
    """Gives a record's relations the paraphrases that the other file keeps for them."""

    paraphrases: Prompts
    source: Source
    where: str

    def relation(self, shape: _Relation) -> Relation:
        if shape.id not in self.paraphrases:
            raise PitfallsError(
                f"{self.where}: relation {shape.id} ({shape.label}) has no paraphrases "
                f"in {self.source}"
            )
        return Relation(
            shape.id, shape.label, shape.prompt, self.paraphrases[shape.id], shape.query
        )

    def fact(self, shape: _Fact) -> Fact:
        return Fact(shape.subject.value(), self.relation(shape.relation), shape.object.value())

    def edit(self, shape: _Edit) -> Edit:
        before = self.fact(shape)
        return Edit(before.subject, before.relation, shape.new_object.value(), before.object)


def _read_conflict(record: Any, kind: CaseKind, *, id: str, wordings: _Wordings) -> Case:
    shape: _Coverage | _Reverse | _Composite = check(_RECORDS[kind], record, where=wordings.where)
    first, second = map(wordings.edit, shape.edits)
    triples = tuple(map(wordings.fact, shape.triples))
    tied = triples[0] if shape.prerequisites else None
    return Case(id, kind, first, second, rule=shape.rule, triples=triples, tied=tied)


def _read_round(record: Any, kind: CaseKind, *, id: str, wordings: _Wordings) -> Case:
    shape = check(_ROUND, record, where=wordings.where)
    expected = f"1-{len(shape.true_objects)}@{shape.edit.relation.id}"
    if shape.type != expected:
        raise PitfallsError(f"{wordings.where}: type: is {shape.type!r}, expected {expected!r}")
    away = wordings.edit(shape.edit)
    back = replace(away, new_object=shape.edit.object.value(), object=away.new_object)
    others = tuple(entity.value() for entity in shape.true_objects)
    return Case(id, kind, away, back, true_objects=others)


def _authors_field(field: str, kind: CaseKind) -> str:
    """A field of `Case` under the name it has in the authors' files."""
    edits = ("edit", "edit") if kind in ROUND_KINDS else ("edits[0]", "edits[1]")
    for ours, theirs in zip(("first.", "second."), edits, strict=True):
        if field.startswith(ours):
            return f"{theirs}.{field.removeprefix(ours)}"
    return field
