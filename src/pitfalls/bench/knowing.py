"""Whether a model knows a fact: the true object is more probable than what may stand there."""

from collections.abc import Sequence
from statistics import fmean

from pitfalls.cases.build import Knows
from pitfalls.cases.case import Case
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.facts import Entity, Fact
from pitfalls.graph.graph import Graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.progress import Advance

RIVALS = 4
"""Wrong objects that the object of a tied fact must be more probable than."""


def known(model: LanguageModel, asked: Sequence[tuple[Fact, Sequence[Entity]]]) -> list[bool]:
    """Which facts the model knows.

    An object's probability is that of every metric: the mean over the relation's prompts of the
    geometric mean over the object's tokens. It must be above that of each rival.

    Args:
        model: as it is, unedited.
        asked: facts, each with the objects that it must win against; without any, nothing tells
            that the model knows it.
    """
    candidates = [(fact, [fact.object, *rivals]) for fact, rivals in asked]
    questions = [
        Question(prompt.format(fact.subject.label), each.label, {})
        for fact, objects in candidates
        for each in objects
        for prompt in fact.relation.prompts
    ]
    answers = (float(each.mean().exp()) for each in target_logprobs(model, questions))
    found = []
    for fact, objects in candidates:
        right, *wrong = [fmean(next(answers) for _ in fact.relation.prompts) for _ in objects]
        found.append(bool(wrong) and right > max(wrong))
    return found


def first_facts_known_by(model: LanguageModel, advance: Advance) -> Knows:
    """A judge of cases: does the model prefer e1's true object to the one that e1 puts there?

    Args:
        model: as it is, unedited.
        advance: told how many cases were judged.
    """

    def knows(cases: Sequence[Case]) -> list[bool]:
        found = known(model, [(case.first.before, [case.first.new_object]) for case in cases])
        advance(len(cases))
        return found

    return knows


def ties_known_by(model: LanguageModel, graph: Graph) -> Knows:
    """A judge of cases: does the model prefer the tied fact's object to four others?

    The others are objects of the same relation and type that are not true, drawn at random. How the
    paper told which facts a model knows was not published.

    Args:
        model: as it is, unedited.
        graph: gives the other objects.
    """
    targets = Targets.of(graph, Dice(0))

    def knows(cases: Sequence[Case]) -> list[bool]:
        ties = [case.tied for case in cases if case.tied is not None]
        return known(model, [(tied, _rivals(targets, tied)) for tied in ties])

    return knows


def _rivals(targets: Targets, tied: Fact) -> list[Entity]:
    found: list[Entity] = []
    for n in range(RIVALS):
        if (rival := targets.draw(tied, "rival", str(n), avoid=found)) is not None:
            found.append(rival)
    return found
