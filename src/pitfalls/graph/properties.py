"""Prompts for the most frequent Wikidata properties: `properties.tsv`, written for this project.

    id        id of the property
    label     its English label in Wikidata
    prompt    rewrite prompt: one {} for the subject, the object follows after a space
    noun      noun for the object that fits "The NOUN of {} is"; may be empty
    inverse   ids of inverse properties, its own id if it is symmetric; may be empty
    objects   `one` if a subject usually has one object at a time, or `many`
    value     kind of thing that the objects are

All properties have items as values: no edit is about a date, a quantity or a text.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from pitfalls.door.text import read_text
from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation
from pitfalls.graph.label_shapes import article
from pitfalls.graph.wording import clause_templates, noun_templates, relation_of
from pitfalls.shapes import Name, Shape, Template, check

Value: TypeAlias = Literal[
    "award",
    "building",
    "character",
    "city",
    "class",
    "competition",
    "country",
    "currency",
    "disease",
    "drug",
    "event",
    "family",
    "field",
    "genre",
    "heavenly body",
    "ideology",
    "instrument",
    "language",
    "material",
    "movement",
    "name",
    "occupation",
    "organisation",
    "party",
    "people",
    "person",
    "place",
    "position",
    "religion",
    "route",
    "school",
    "software",
    "sport",
    "taxon",
    "team",
    "thing",
    "vehicle",
    "work",
]
"""`class` is a class of things, `people` an ethnic group; `thing` may be anything."""


def _words(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


class Property(Shape):
    """A row of the table."""

    id: Name
    label: Name
    prompt: Template
    noun: str
    inverse: Annotated[tuple[str, ...], BeforeValidator(_words)]
    objects: Literal["one", "many"]
    value: Value

    @property
    def many(self) -> bool:
        """Whether a subject often has several objects at a time."""
        return self.objects == "many"

    def relation(self) -> Relation:
        """The relation, with ten paraphrases made from the noun and the prompt."""
        told = f"{article(self.noun)} {self.noun}" if self.many else f"The {self.noun}"
        nouns = [f"{told} of {{}} is", *noun_templates(self.noun)] if self.noun else []
        query = f"What is the {self.noun} of {{}}?" if self.noun else f"{self.prompt} what?"
        templates = (self.prompt, *nouns[:4], *clause_templates(self.prompt))
        return relation_of(self.id, self.label, templates, query)


@cache
def properties() -> Mapping[str, Property]:
    """The table by id.

    Raises:
        PitfallsError: it is damaged; the line says where.
    """
    source = resources.files("pitfalls.data") / "properties.tsv"
    header, *rows = read_text(source).splitlines()
    columns = header.split("\t")
    found: dict[str, Property] = {}
    for number, row in enumerate(rows, start=2):
        where = f"properties.tsv: line {number}"
        cells = row.split("\t")
        if len(cells) != len(columns):
            raise PitfallsError(f"{where}: has {len(cells)} columns, expected {len(columns)}")
        each = check(Property, dict(zip(columns, cells, strict=True)), where=where)
        if found.setdefault(each.id, each) is not each:
            raise PitfallsError(f"{where}: {each.id} is listed twice")
    return found
