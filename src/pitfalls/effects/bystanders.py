"""What an edit should leave alone, by words: neighbours, the subject's other relations, the rest.

Facts are looked up in a graph by the words of the edit; the kind of the subject gives what no graph
knows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pitfalls.cases.drawing import Dice
from pitfalls.effects.kinds import Kind
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph
from pitfalls.updates.request import Request

FACTS = 10
"""Facts of a graph, and as many prompts or names beside them, that an edit is held against."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt about something that an edit is not about."""

    prompt: str
    """Filled in."""
    object: str | None
    """What a graph says; None where only the model can tell what it said before."""


def filled_in(request: Request, graph: Graph) -> Request:
    """The request with paraphrases and true objects from `graph`, where it names none itself.

    The relation is known by its prompt or one of its paraphrases, the subject by its label.
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
    """The prompt of the edit about other subjects: from the graph, then those of the same kind."""
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
    """Other prompts about the subject: from the graph, then those that fit its kind."""
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
    """So many random facts that name nothing that any request names.

    Their order depends on the facts alone, so that different edits are held against the same ones
    as far as possible.
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
    """Each prompt once, as it comes first."""
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
