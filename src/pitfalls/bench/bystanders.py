"""What an edit should leave alone: other objects of what it edits, and facts about something else.

Both are looked up in a graph by the words of the edit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pitfalls.cases.drawing import Dice
from pitfalls.editors.request import Request
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph


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


def unrelated_facts(graph: Graph, requests: Iterable[Request], count: int) -> list[Fact]:
    """So many facts, drawn by lot, that name nothing that any request names.

    The lot hangs on the facts alone, so that different edits are held against the same ones as far
    as possible.
    """
    named = {
        name.casefold()
        for request in requests
        for name in (request.subject, request.target, *request.true_objects)
    }
    apart = [
        fact
        for fact in graph.facts
        if not named & (graph.names_of(fact.subject) | graph.names_of(fact.object))
    ]
    dice = Dice(0)
    apart.sort(key=lambda f: dice.roll("bystander", f.subject.id, f.relation.id, f.object.id))
    return _one_a_subject(apart)[:count]


def _one_a_subject(facts: Sequence[Fact]) -> list[Fact]:
    return list({fact.subject.id: fact for fact in reversed(facts)}.values())[::-1]


def _relation(graph: Graph, prompt: str) -> Relation | None:
    relations = (each.relation for each in graph.predicates.values())
    return next((each for each in relations if prompt in each.prompts), None)


def _called(graph: Graph, name: str) -> list[Entity]:
    return [n.entity for n in graph.nodes.values() if name.casefold() in n.names]
