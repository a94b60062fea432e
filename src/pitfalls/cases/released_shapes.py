"""The records of the authors' files, field by field as they were published."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from pitfalls.shapes import EntityShape, Name, Shape, Template


class RelationShape(Shape):
    """A relation, repeated in full wherever it is mentioned."""

    id: Name
    label: Name
    prompt: Template
    query: str


class FactShape(Shape):
    """A fact before any edit."""

    relation: RelationShape
    subject: EntityShape
    object: EntityShape


class EditShape(FactShape):
    """An edit; `object` is what it replaces."""

    new_object: EntityShape


class ConflictEditShape(EditShape):
    """An edit of a conflict case."""

    # Only in the composite cases for GPT2-XL, where e2 repeats e1's new object under this name.
    true_object: EntityShape | None = None


class ConflictShape(Shape):
    """The fields of every conflict record."""

    triples: list[FactShape]
    edits: Annotated[list[ConflictEditShape], Field(min_length=2, max_length=2)]
    rule: Name | None = None


class CoverageShape(ConflictShape):
    """A record of `coverage_edit.json`."""

    type: Literal["coverage"]
    prerequisites: Annotated[list[int], Field(max_length=0)]


class ReverseShape(ConflictShape):
    """A record of `reverse_edit.json`."""

    type: Literal["reverse"]
    prerequisites: Annotated[list[int], Field(max_length=0)]


class CompositeShape(ConflictShape):
    """A record of `composite_edit.json`; the first of its triples is the tied fact."""

    type: Literal["composite"]
    triples: Annotated[list[FactShape], Field(min_length=3, max_length=3)]
    prerequisites: Annotated[list[Literal[0]], Field(min_length=1, max_length=1)]


class RoundShape(Shape):
    """A record of `easy.json` or `hard.json`; `type` is `1-N@RELATION`."""

    type: Name
    edit: EditShape
    true_objects: list[EntityShape]


class PromptsShape(RootModel[dict[Name, list[Template]]]):
    """`conflict_prompts.json` or `round_prompts.json`."""
