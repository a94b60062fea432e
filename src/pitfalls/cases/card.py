"""Data card: a page beside a file of cases about its contents and how it was made.

Like the cases it is the same to the byte for the same graph and order: it bears no date.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pitfalls.cases.anomalies import describe, is_degenerate
from pitfalls.cases.audit import audit, counts
from pitfalls.cases.build import Built
from pitfalls.cases.case import Case
from pitfalls.cases.json_form import relations_of
from pitfalls.cases.order import Order
from pitfalls.facts import Relation
from pitfalls.graph.by_name import Sourced
from pitfalls.graph.graph import Graph, true_triples
from pitfalls.graph.summary import typed_line


def data_card(built: Built, order: Order, source: Sourced, *, origin: str, licence: str) -> str:
    """The card as Markdown.

    Args:
        built: the cases and what was dropped on the way.
        order: what was asked for.
        source: the graph and the files that it was read from.
        origin: how the cases were made, as a command line.
        licence: under which the graph, and so the cases, may be used; empty if nobody said.
    """
    parts = [
        f"# {len(built.cases)} {order.kind} cases\n\nMade by `{origin}`.\n",
        _section("Source", _source(source, licence)),
        _section("Cases", _table(("by", "what", "cases"), _spread(built.cases))),
        _section("Prompts", _prompts(built.cases, source.graph)),
        _section("Candidates", _table(("what became of them", "number"), _fates(built))),
        _section("Anomalies", _anomalies(built.cases, source.graph)),
    ]
    return "\n".join(parts)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _source(source: Sourced, licence: str) -> str:
    graph = source.graph
    relations = sum(1 for each in graph.predicates.values() if graph.facts_of(each.relation))
    lines = [
        f"- graph: {source.name}, {len(graph)} facts of {relations} relations about "
        f"{len(graph.nodes)} entities",
        f"- {typed_line(graph.typed, len(graph.nodes))}",
        f"- licence: {licence or source.licence or 'not stated by the source'}",
        *(f"- file: {name}, SHA-256 {digest}" for name, digest in source.files.items()),
        *(f"- {line}" for line in source.bad.lines()),
    ]
    return "".join(f"{line}\n" for line in lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _spread(cases: tuple[Case, ...]) -> Iterator[tuple[str, str, int]]:
    rules = Counter(case.rule for case in cases if case.rule is not None)
    relations = Counter(case.first.relation for case in cases)
    sizes = Counter(len(case.true_objects) for case in cases if case.true_objects)
    yield from (("rule", f"`{rule}`", rules[rule]) for rule in sorted(rules))
    for relation in sorted(relations, key=lambda each: each.id):
        yield "relation of e1", f"{relation.id} {relation.label}", relations[relation]
    yield from (("true objects", str(size), sizes[size]) for size in sorted(sizes))
    yield "subject of e1", "different ones", len({case.first.subject.id for case in cases})


def drafted(cases: Sequence[Case], graph: Graph) -> dict[Relation, int]:
    """The relations whose prompts were drafted → how many cases rest on them."""
    counts = Counter(
        relation
        for case in cases
        for relation in relations_of([case]).values()
        if graph.predicates[relation.id].wording in ("draft", "unsure")
    )
    return {each: counts[each] for each in sorted(counts, key=lambda each: each.id)}


def _prompts(cases: Sequence[Case], graph: Graph) -> str:
    if not (found := drafted(cases, graph)):
        return "No case rests on a drafted prompt.\n"
    told = {"draft": "drafted from the label", "unsure": "drafted, may not be English"}
    rows = (
        (each.id, each.prompt, told[graph.predicates[each.id].wording], number)
        for each, number in found.items()
    )
    return _table(("relation", "prompt", "where from", "cases"), rows)


def _fates(built: Built) -> Iterator[tuple[str, int]]:
    yield "became a case", len(built.cases)
    yield "not needed", built.unused
    yield from ((f"dropped: {reason}", built.dropped[reason]) for reason in sorted(built.dropped))


def _anomalies(cases: tuple[Case, ...], graph: Graph) -> str:
    """Anomalies that make a case worthless, and others that are worth knowing."""
    known = true_triples(graph)
    found = counts(audit(cases, known=known))
    worthless = sum(number for name, number in found.items() if is_degenerate(name))
    rows = [(describe(name), number) for name, number in found.items() if number]
    table = "\n" + _table(("worth knowing", "cases"), rows) if rows else ""
    return f"Cases that measure nothing: {worthless}.\n{table}"
