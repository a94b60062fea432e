"""Summary of a graph in a few readable lines."""

from collections.abc import Iterator

from pitfalls.graph.graph import Graph
from pitfalls.graph.store import Store
from pitfalls.graph.worded import wording_lines


def summary(source: Graph | Store) -> Iterator[str]:
    """Size of the graph, share of typed entities, and origin of the prompts.

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
    """Share of the entities that have a type, and the consequence if some have none."""
    if typed == entities:
        return "types: all entities have one"
    share = f"{100 * typed / entities:.1f}"
    return (
        f"types: {share} % of the entities have one; an object without a type is replaced by one "
        "with similar roles in facts, which may be of the wrong kind"
    )
