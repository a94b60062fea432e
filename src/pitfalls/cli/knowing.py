"""Which composite cases a model can be measured on: those whose tied fact it knows."""

from collections.abc import Sequence
from statistics import fmean

from pitfalls.cases.build import Knows
from pitfalls.cases.case import Case
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.cli.progress import progress_on
from pitfalls.facts import Entity, Fact
from pitfalls.graph.graph import Graph

RIVALS = 4
"""Wrong objects that a known fact's must be more probable than."""


def ties_known_by(name: str, graph: Graph) -> Knows:
    """A judge of cases: does the model prefer the tied fact's object to four of its kind?

    The object's probability, as in every metric the mean over the relation's prompts of the
    geometric mean over its tokens, must be above those of the rivals, which are drawn at random from
    the same relation's objects of the same type and are no true objects. How the paper told which
    facts a model knows was not published.

    Raises:
        PitfallsError: no such model.
    """
    from pitfalls.models.language_model import LanguageModel  # torch, only where it is asked for
    from pitfalls.models.readout import Question, target_logprobs

    model = LanguageModel.load(name, progress=progress_on())
    targets = Targets.of(graph, Dice(0))

    def knows(cases: Sequence[Case]) -> list[bool]:
        ties = [case.tied for case in cases if case.tied is not None]
        asked = [(tied, [tied.object, *_rivals(targets, tied)]) for tied in ties]
        questions = [
            Question(prompt.format(tied.subject.label), each.label, {})
            for tied, objects in asked
            for each in objects
            for prompt in tied.relation.prompts
        ]
        answers = (float(each.mean().exp()) for each in target_logprobs(model, questions))
        known = []
        for tied, objects in asked:
            right, *wrong = [fmean(next(answers) for _ in tied.relation.prompts) for _ in objects]
            known.append(bool(wrong) and right > max(wrong))
        return known

    return knows


def _rivals(targets: Targets, tied: Fact) -> list[Entity]:
    found: list[Entity] = []
    for n in range(RIVALS):
        if (rival := targets.draw(tied, "rival", str(n), avoid=found)) is not None:
            found.append(rival)
    return found
