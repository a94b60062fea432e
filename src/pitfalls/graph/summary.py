"""What a graph holds, in a few lines for a person to read."""

from collections.abc import Iterator

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.graph.worded import wording_lines


def summary(source: Graph | Store) -> Iterator[str]:
    """Its size, how many entities have a type, and where its prompts are from.

    Raises:
        PitfallsError: a table of the store is damaged.
    """
    if isinstance(source, Store):
        facts, entities = source.note.facts, source.note.entities
        relations = source.note.relations
    else:
        facts, entities, relations = len(source), len(source.nodes), len(source.predicates)
    yield f"{facts} facts, {entities} entities, {relations} relations"
    yield typed_line(source.typed, entities)
    yield from wording_lines(source.predicates.values())


def typed_line(typed: int, entities: int) -> str:
    """Which share of the entities have a type, and what it means if not all do."""
    if typed == entities:
        return "types: all entities have one"
    share = f"{100 * typed / entities:.1f}"
    return (
        f"types: {share} % of the entities have one; new objects in the place of one without are "
        "drawn by the parts that it plays in facts, and may be of a wrong kind"
    )
