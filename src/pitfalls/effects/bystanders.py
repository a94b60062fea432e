"""Bystanders of an edit: neighbours, other relations of the subject, and unrelated facts.

Facts are looked up in a graph by the words of the edit. The kind of the subject supplies prompts
and names where the graph has none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pitfalls.cases.drawing import Dice
from pitfalls.effects.kinds import Kind
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph
from pitfalls.updates.request import Request

FACTS = 10
"""Facts of the graph to check an edit against, and as many names from the kind of the subject."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt that an edit should leave alone."""

    prompt: str
    """With the subject filled in."""
    object: str | None
    """Object in the graph; None if only the model's earlier answer is known."""


def filled_in(request: Request, graph: Graph) -> Request:
    """Fill in paraphrases and true objects from `graph`, where the request has none.

    The relation is found by its prompt or a paraphrase, the subject by a name.
    """
    relation = _relation(graph, request.prompt)
    if relation is None:
        return request
    wordings = tuple(text for text in relation.prompts if text != request.prompt)
    objects = [
        each.label
        for subject in _called(graph, request.subject)
        for each in graph.objects(subject, relation)
        if each.label != request.target
    ]
    return replace(
        request,
        paraphrases=request.paraphrases or wordings,
        true_objects=request.true_objects or tuple(dict.fromkeys(objects)),
    )


def neighbours(request: Request, graph: Graph, kind: Kind) -> list[Asked]:
    """Prompts of the edit for other subjects: from the graph, then of the same kind."""
    relation = _relation(graph, request.prompt)
    facts = graph.facts_of(relation) if relation else ()
    named = _names(request)
    apart = [
        fact
        for fact in _shuffled(facts, "neighbour")
        if not named & (graph.names_of(fact.subject) | graph.names_of(fact.object))
    ]
    known = [
        Asked(request.prompt.format(fact.subject.label), fact.object.label)
        for fact in _one_a_subject(apart)[:FACTS]
    ]
    others = [
        Asked(request.prompt.format(name), None)
        for name in kind.names
        if not any(each in name.casefold() or name.casefold() in each for each in named)
    ]
    return list(_of_one_prompt([*known, *others[:FACTS]]))


def other_relations(request: Request, graph: Graph, kind: Kind) -> list[Asked]:
    """Other prompts about the subject: from the graph, then for its kind."""
    relation = _relation(graph, request.prompt)
    wordings = {request.prompt, *request.paraphrases, *(relation.prompts if relation else ())}
    facts = [
        fact
        for subject in _called(graph, request.subject)
        for fact in _shuffled(graph.outgoing(subject), "relation")
        if fact.relation != relation
    ]
    known = [Asked(f.relation.prompt.format(request.subject), f.object.label) for f in facts]
    others = [
        Asked(text.format(request.subject), None) for text in kind.prompts if text not in wordings
    ]
    return list(_of_one_prompt([*list(_of_one_prompt(known))[:FACTS], *others]))


def unrelated_facts(graph: Graph, requests: Iterable[Request], count: int) -> list[Fact]:
    """Draw `count` facts that share no name with any request.

    Their order depends on the facts alone, so that different edits are checked against the same
    facts as far as possible.
    """
    named = {name for request in requests for name in _names(request)}
    apart = [
        fact
        for fact in graph.facts
        if not named & (graph.names_of(fact.subject) | graph.names_of(fact.object))
    ]
    return _one_a_subject(_shuffled(apart, "bystander"))[:count]


def _names(request: Request) -> set[str]:
    words = (request.subject, request.target, *request.true_objects)
    return {name.casefold() for name in words}


def _shuffled(facts: Sequence[Fact], what_for: str) -> list[Fact]:
    dice = Dice(0)
    return sorted(
        facts, key=lambda f: dice.roll(what_for, f.subject.id, f.relation.id, f.object.id)
    )


def _one_a_subject(facts: Sequence[Fact]) -> list[Fact]:
    return list({fact.subject.id: fact for fact in reversed(facts)}.values())[::-1]


def _of_one_prompt(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Each prompt once, at its first occurrence."""
    seen: set[str] = set()
    for one in asked:
        if one.prompt not in seen:
            seen.add(one.prompt)
            yield one


def _relation(graph: Graph, prompt: str) -> Relation | None:
    relations = (each.relation for each in graph.predicates.values())
    return next((each for each in relations if prompt in each.prompts), None)


def _called(graph: Graph, name: str) -> list[Entity]:
    return [n.entity for n in graph.nodes.values() if name.casefold() in n.names]
