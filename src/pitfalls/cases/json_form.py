"""Cases ⇄ JSON values: one case is one row that names its relations by id.

The rows of a file of cases and the case that a record carries along are written alike, here. Two
edits stand under `first` and `second`; any other number is a list under `edits`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, RootModel

from pitfalls.cases.case import Case
from pitfalls.cases.consistency import first_problem
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Edit, Entity, Fact, Relation
from pitfalls.shapes import EntityShape, Name, Shape, Template, check
from pitfalls.vocabulary import CaseKind

_PAIR = ("first", "second")


class RelationShape(Shape):
    """A relation, under its id."""

    label: Name
    prompt: Template
    query: str
    paraphrases: list[Template]

    def value(self, key: str) -> Relation:
        """The same as the relation of that id."""
        return Relation(key, self.label, self.prompt, tuple(self.paraphrases), self.query)


class _FactShape(Shape):
    subject: EntityShape
    relation: Name
    object: EntityShape


class _EditShape(_FactShape):
    new_object: EntityShape


class _CaseShape(Shape):
    id: Name
    kind: CaseKind
    first: _EditShape | None = None
    second: _EditShape | None = None
    edits: Annotated[list[_EditShape], Field(min_length=1)] | None = None
    rule: Name | None = None
    triples: list[_FactShape] = []  # noqa: RUF012 (pydantic copies defaults)
    tied: _FactShape | None = None
    true_objects: list[EntityShape] = []  # noqa: RUF012

    def in_order(self, where: str) -> list[_EditShape]:
        """The edits, whichever way they are written."""
        pair = dict(zip(_PAIR, (self.first, self.second), strict=True))
        if self.edits is not None:
            if doubled := [name for name, edit in pair.items() if edit is not None]:
                raise PitfallsError(f"{where}: {doubled[0]}: stands beside edits, remove it")
            return self.edits
        if missing := [name for name, edit in pair.items() if edit is None]:
            raise PitfallsError(f"{where}: {missing[0]}: is missing")
        return [edit for edit in pair.values() if edit is not None]


class _RelationTable(RootModel[dict[Name, RelationShape]]):
    pass


def relations_of(cases: Iterable[Case]) -> dict[str, Relation]:
    """Every relation that the cases mention, by id, in order of appearance.

    Raises:
        PitfallsError: two relations of one id are worded differently.
    """
    found: dict[str, Relation] = {}
    for case in cases:
        for fact in (*(edit.after for edit in case.edits), *case.triples):
            relation = fact.relation
            if found.setdefault(relation.id, relation) != relation:
                raise PitfallsError(f"{case.id}: relation {relation.id} has two different wordings")
    return found


def relation_to_dict(relation: Relation) -> dict[str, Any]:
    """The relation with all its wordings, without its id."""
    return {
        "label": relation.label,
        "prompt": relation.prompt,
        "query": relation.query,
        "paraphrases": list(relation.paraphrases),
    }


def relations_from_dict(data: Any, *, where: str = "relations") -> dict[str, Relation]:
    """Relations by id from `{id: relation_to_dict(…)}`.

    Raises:
        PitfallsError: the line starts with `where` and names the field that is wrong.
    """
    shapes = check(_RelationTable, data, where=where).root
    return {key: shape.value(key) for key, shape in shapes.items()}


def case_to_dict(case: Case) -> dict[str, Any]:
    """The case as JSON values; relations by id, so keep `relations_of` beside it.

    Raises:
        PitfallsError: an edit does not name its old object.
    """
    row: dict[str, Any] = {"id": case.id, "kind": case.kind}
    edits = [_edit_row(edit) for edit in case.edits]
    row |= dict(zip(_PAIR, edits, strict=True)) if len(edits) == len(_PAIR) else {"edits": edits}
    if case.rule is not None:
        row["rule"] = case.rule
    if case.triples:
        row["triples"] = [_fact_row(fact) for fact in case.triples]
    if case.tied is not None:
        row["tied"] = _fact_row(case.tied)
    if case.true_objects:
        row["true_objects"] = [_entity_row(entity) for entity in case.true_objects]
    return row


def case_from_dict(data: Any, relations: Mapping[str, Relation], *, where: str = "case") -> Case:
    """The case that `case_to_dict` wrote.

    Raises:
        PitfallsError: the line starts with `where` and names the field that is wrong.
    """
    shape = check(_CaseShape, data, where=where)
    try:
        case = _case(shape, relations, where)
    except UnknownNameError as error:
        raise PitfallsError(f"{where}: {error}") from None
    if problem := first_problem(case):
        raise PitfallsError(f"{where}: {problem[0]}: {problem[1]}")
    return case


def _case(shape: _CaseShape, relations: Mapping[str, Relation], where: str) -> Case:
    def fact(part: _FactShape) -> Fact:
        if part.relation not in relations:
            raise UnknownNameError("relation", part.relation, relations)
        return Fact(part.subject.value(), relations[part.relation], part.object.value())

    def edit(part: _EditShape) -> Edit:
        before = fact(part)
        return Edit(before.subject, before.relation, part.new_object.value(), before.object)

    return Case(
        id=shape.id,
        kind=shape.kind,
        edits=tuple(map(edit, shape.in_order(where))),
        rule=shape.rule,
        triples=tuple(map(fact, shape.triples)),
        tied=None if shape.tied is None else fact(shape.tied),
        true_objects=tuple(entity.value() for entity in shape.true_objects),
    )


def _entity_row(entity: Entity) -> dict[str, str]:
    return {"id": entity.id, "label": entity.label}


def _fact_row(fact: Fact) -> dict[str, Any]:
    return {
        "subject": _entity_row(fact.subject),
        "relation": fact.relation.id,
        "object": _entity_row(fact.object),
    }


def _edit_row(edit: Edit) -> dict[str, Any]:
    return _fact_row(edit.before) | {"new_object": _entity_row(edit.new_object)}
