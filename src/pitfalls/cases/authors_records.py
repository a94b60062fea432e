"""Edits and facts as the records of the authors' files hold them."""

from typing import Any

from pitfalls.facts import Edit, Entity, Fact, Relation


def edit_record(edit: Edit) -> dict[str, Any]:
    """An edit; its relation is repeated in full.

    Raises:
        PitfallsError: the edit does not name its old object.
    """
    return fact_record(edit.before) | {"new_object": entity_record(edit.new_object)}


def fact_record(fact: Fact) -> dict[str, Any]:
    """A fact; its relation is repeated in full."""
    return {
        "relation": _relation(fact.relation),
        "subject": entity_record(fact.subject),
        "object": entity_record(fact.object),
    }


def entity_record(entity: Entity) -> dict[str, str]:
    """An entity."""
    return {"id": entity.id, "label": entity.label}


def _relation(relation: Relation) -> dict[str, str]:
    return {
        "id": relation.id,
        "prompt": relation.prompt,
        "query": relation.query,
        "label": relation.label,
    }
