"""Small graphs to mine, in memory and as stores."""

from pathlib import Path

from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.span import Span
from pitfalls.graph.store import Store
from pitfalls.graph.tables import make_tables
from pitfalls.graph.writer import StoreWriter
from pitfalls.rules.limits import Limits

EVERYTHING = Limits(support=1, head_coverage=0.0, confidence=0.0, pca_confidence=0.0)

FAMILY: list[Triple] = [
    *(("ann", "mother", "eve"), ("bob", "mother", "eve"), ("cid", "mother", "fay")),
    *(("eve", "child", "ann"), ("eve", "child", "dan"), ("gus", "child", "ann")),
    *(("eve", "spouse", "gus"), ("gus", "spouse", "eve"), ("fay", "spouse", "hal")),
]


def make(triples: list[Triple], spans: dict[Triple, tuple[Span, ...]] | None = None) -> Graph:
    ends = sorted({end for s, _, o in triples for end in (s, o)})
    relations = sorted({relation for _, relation, _ in triples})
    return Graph(
        [Node(Entity(end, end)) for end in ends],
        [Predicate(Relation(id, id, f"The {id} of {{}} is")) for id in relations],
        triples,
        spans or {},
    )


def stored(graph: Graph, folder: Path) -> Store:
    writer = StoreWriter.begin(folder, {}, resume=False)
    for id in (*graph.nodes, *graph.predicates):
        writer.name("", id, f"word {id}")  # a letter alone makes no prompts
    for fact in graph.facts:
        for span in graph.spans_of(fact):
            days = (
                day and "-".join(f"{part:02}" for part in day) for day in (span.start, span.end)
            )
            triple = fact.subject.id, fact.relation.id, fact.object.id
            writer.fact("", triple, *(day or "" for day in days))
    writer.keep(stage="read")
    make_tables(writer)
    return Store.open(folder)
