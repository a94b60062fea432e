"""Lessons for MEND out of a graph and a text, none of them about a subject that is evaluated."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import subjects_of
from pitfalls.door.paths import place
from pitfalls.editors.mend.practice import Lesson
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Entity, Fact, Relation
from pitfalls.graph.graph import Graph
from pitfalls.graph.practice import practice_for, practice_wordings
from pitfalls.graph.starter import read_graph, starter_graph
from pitfalls.models.text.corpus import load_corpus
from pitfalls.progress import SILENT, Progress

TEXT_WORDS = 20
"""How much of a passage is used."""

PASSAGES = 4000
"""How many passages are drawn from at most."""

HELD_OUT = 0.1
"""Share of the subjects, and of the passages, that training never sees."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Lessons to learn from, and others that only examine. No subject is in both."""

    training: tuple[Lesson, ...]
    validation: tuple[Lesson, ...]


def lessons_of(
    data: str,
    corpus: str,
    *,
    leave_out: Iterable[str],
    per_fact: int = 1,
    progress: Progress = SILENT,
) -> Lessons:
    """Lessons from names, as on the command line.

    Args:
        data: `starter`, or a folder with `relations.toml`, `entities.tsv` and `facts.tsv`.
        corpus: as `load_corpus` takes it; its first passages are used.
        leave_out: data sets whose subjects no lesson may be about.
        per_fact: training lessons from one fact.
        progress: told of downloads.

    Raises:
        PitfallsError: something of that name cannot be read, or too little is left.
    """
    graph = starter_graph() if data == "starter" else read_graph(place(data))
    avoid = subjects_of(case for name in leave_out for case in load_cases(name))
    texts = load_corpus(corpus, progress=progress).texts[:PASSAGES]
    return make_lessons(graph, texts, avoid=avoid, per_fact=per_fact)


def make_lessons(
    graph: Graph, texts: Sequence[str], *, avoid: Collection[str], per_fact: int = 1, seed: int = 0
) -> Lessons:
    """Edits of the graph's facts towards another object of the same type.

    Wordings are those to practise with, which no probe reads; training and validation have none in
    common.

    Args:
        graph: facts to edit.
        texts: passages, for what must stay as it is.
        avoid: ids of subjects that no lesson may be about.
        per_fact: training lessons from one fact; one is made for validation.
        seed: the same seed gives the same lessons.

    Raises:
        PitfallsError: nothing is left to learn from, or to examine.
    """
    random = Random(seed)
    facts = [fact for fact in graph.facts if fact.subject.id not in avoid]
    subjects = sorted({fact.subject.id for fact in facts})
    random.shuffle(subjects)
    held_out = set(subjects[: round(HELD_OUT * len(subjects))])
    passages = [" ".join(text.split()[:TEXT_WORDS]) for text in texts]
    cut = round(HELD_OUT * len(passages))
    apart = [fact for fact in facts if fact.subject.id in held_out]
    rest = [fact for fact in facts if fact.subject.id not in held_out] * per_fact
    random.shuffle(rest)
    table = practice_wordings()

    def to_train(relation: Relation) -> Sequence[str]:
        return practice_for(relation, table)[0]

    def to_examine(relation: Relation) -> Sequence[str]:
        return practice_for(relation, table)[1:]

    lessons = Lessons(
        training=tuple(_lessons(graph, rest, passages[cut:], random, to_train)),
        validation=tuple(_lessons(graph, apart, passages[:cut], random, to_examine)),
    )
    if not lessons.training or not lessons.validation:
        raise PitfallsError(
            f"{len(facts)} facts and {len(texts)} passages make {len(lessons.training)} lessons to "
            f"train and {len(lessons.validation)} to validate: give a larger graph or more text"
        )
    return lessons


Wordings: TypeAlias = Callable[[Relation], Sequence[str]]
"""Templates to read a relation with."""


def _lessons(
    graph: Graph,
    facts: Sequence[Fact],
    passages: Sequence[str],
    random: Random,
    wordings: Wordings,
) -> Iterator[Lesson]:
    """One lesson per fact; every other unrelated text is a passage, the rest are other facts."""
    for i, fact in enumerate(facts):
        drawn = random.sample(facts, min(8, len(facts)))
        unrelated = [other for other in drawn if other.subject != fact.subject]
        objects = _other_objects(graph, fact)
        if not objects or not unrelated or not passages:
            continue
        edit = Edit(fact.subject, fact.relation, random.choice(objects), fact.object)
        text = random.choice(passages) if i % 2 else _sentence(unrelated[0], random, wordings)
        yield Lesson(edit, random.choice(wordings(fact.relation)), text)


def _other_objects(graph: Graph, fact: Fact) -> list[Entity]:
    """Entities of the object's type that are not true of the subject, and are called otherwise."""
    kind = graph.type_of(fact.object)
    at_hand = (fact.subject, fact.relation)
    true = {entity.label for entity in (*graph.objects(*at_hand), *graph.also_objects(*at_hand))}
    true.add(fact.subject.label)
    return [
        node.entity
        for node in graph.nodes.values()
        if node.type == kind and node.entity.label not in true
    ]


def _sentence(fact: Fact, random: Random, wordings: Wordings) -> str:
    prompt = random.choice(wordings(fact.relation)).format(fact.subject.label)
    return f"{prompt} {fact.object.label}."
