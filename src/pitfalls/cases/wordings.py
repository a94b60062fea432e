"""Relations of the authors' files, which keep their paraphrases in a file of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pitfalls.cases.released_shapes import EditShape, FactShape, RelationShape
from pitfalls.door.text import Source
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Fact, Relation
from pitfalls.vocabulary import CaseKind

Prompts: TypeAlias = Mapping[str, tuple[str, ...]]
"""Relation id → its paraphrases."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which case a record becomes, and how to name the record in a message."""

    id: str
    kind: CaseKind
    where: str


@dataclass(frozen=True, slots=True)
class Wordings:
    """Gives a record's relations the paraphrases that the other file keeps for them."""

    paraphrases: Prompts
    source: Source
    known: dict[RelationShape, Relation] = field(default_factory=dict)
    """Relations met before: thousands of records share a dozen of them."""

    def relation(self, shape: RelationShape, where: str) -> Relation:
        """The relation with its paraphrases.

        Raises:
            PitfallsError: the file of paraphrases lacks it; the line starts with `where`.
        """
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
        """The fact, its relation worded as `relation` words it."""
        relation = self.relation(shape.relation, where)
        return Fact(shape.subject.value(), relation, shape.object.value())

    def edit(self, shape: EditShape, where: str) -> Edit:
        """The edit, its relation worded as `relation` words it."""
        relation = self.relation(shape.relation, where)
        old, new = shape.object.value(), shape.new_object.value()
        return Edit(shape.subject.value(), relation, new, old)
