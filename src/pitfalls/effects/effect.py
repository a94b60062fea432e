"""Effects of an edit on a model's answers.

They are read from the model plus its changes, before and after; no weight is modified.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.effects.bystanders import Asked, neighbours, other_relations, unrelated_facts
from pitfalls.effects.checks import Check, loops, share_changed
from pitfalls.effects.contradictions import overwriting
from pitfalls.effects.guess import kinds_of
from pitfalls.effects.limits import Limits
from pitfalls.effects.loops import Written, written
from pitfalls.effects.outcome import Outcome, Wording
from pitfalls.effects.shift import Shift
from pitfalls.effects.untouched import Untouched, read_untouched, shifts_of
from pitfalls.graph.graph import Graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import greedy
from pitfalls.models.reading.perplexity import perplexity
from pitfalls.models.text.corpus import Corpus
from pitfalls.progress import SILENT, Progress
from pitfalls.updates.request import Request
from pitfalls.updates.update import Update

UNRELATED = 10
"""Unrelated facts shown."""
DRAWN = 60
"""Facts drawn, of which the most probable are shown: a model can only forget what it knows."""


@dataclass(frozen=True, slots=True)
class WeightChange:
    """Size of the change of a weight, as Frobenius norms."""

    name: str
    norm: float
    weight_norm: float

    @property
    def relative(self) -> float:
        """‖ΔW‖ / ‖W‖; infinite where W is zero."""
        return self.norm / self.weight_norm if self.weight_norm else math.inf


@dataclass(frozen=True, slots=True)
class Around:
    """Bystanders of one edit."""

    neighbours: tuple[Untouched, ...]
    """The edit's prompt with other subjects."""
    relations: tuple[Untouched, ...]
    """Other prompts with the edit's subject."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Outcomes and side effects of edits."""

    outcomes: tuple[Outcome, ...]
    earlier: tuple[Outcome, ...]
    """Outcomes of the edits that these were made on top of."""
    around: tuple[Around, ...]
    """Bystanders of each edit in `outcomes`."""
    texts: tuple[Written, ...]
    unrelated: tuple[Shift, ...]
    """Unrelated facts, by falling probability before the edits."""
    perplexity_before: float
    perplexity_after: float
    weights: tuple[WeightChange, ...]
    limits: Limits

    def __repr__(self) -> str:
        """Summary on one line."""
        taken = sum(one.taken for one in self.outcomes)
        harmed = ", ".join(check.name for check in self.harmed) or "none"
        return f"<Effect: {taken} of {len(self.outcomes)} edits took; failed checks: {harmed}>"

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Requests that did not take and that no later one overwrites."""
        return tuple(one for one in self.outcomes if one.failed)

    @property
    def overwritten(self) -> tuple[Outcome, ...]:
        """Requests that a later one overwrites."""
        every = (*self.earlier, *self.outcomes)
        return tuple(one for one in every if one.overwritten_by is not None)

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """Earlier edits that held before these, do not hold now, and were not overwritten."""
        held = [one for one in self.earlier if one.wordings[0].said_before.says_target]
        return tuple(one for one in held if one.failed)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Check of every side effect against its limit."""
        limits, kept = self.limits, self.limits.kept
        near = (one.neighbours for one in self.around)
        same = (one.relations for one in self.around)
        plain = (text for text in self.texts if not text.chat)
        chat = (text for text in self.texts if text.chat)
        return (
            share_changed("neighbours", near, limits.neighbours, kept=kept),
            share_changed("other relations", same, limits.relations, kept=kept),
            loops("loops", plain, limits.repeated),
            loops("loops in chat", chat, limits.repeated),
        )

    @property
    def harmed(self) -> tuple[Check, ...]:
        """Failed checks."""
        return tuple(check for check in self.checks if check.passed is False)

    @property
    def worst(self) -> Shift | None:
        """The unrelated fact that lost the largest share of its probability; None if none."""
        return min(self.unrelated, key=lambda shift: shift.log_ratio, default=None)


def effect_of(
    model: LanguageModel,
    requests: Sequence[Request],
    update: Update,
    *,
    graph: Graph,
    corpus: Corpus,
    base: Update | None = None,
    earlier: Sequence[Request] = (),
    limits: Limits | None = None,
    max_tokens: int = 2048,
    progress: Progress = SILENT,
) -> Effect:
    """Measure the effects of `update`.

    Args:
        model: the unedited model.
        requests: the requests that the update implements.
        update: the update alone, without `base`.
        graph: source of neighbours, other relations and unrelated facts.
        corpus: text to measure perplexity on.
        base: the update that this one was made on top of; none by default.
        earlier: the requests that `base` implements.
        limits: limits on side effects; the defaults if not given.
        max_tokens: tokens of the corpus to read.
        progress: notified of the stages.
    """
    base = base or Update()
    states = (base, base + update)
    with progress.stage("reading what changed"):
        outcomes = _outcomes(model, [*earlier, *requests], states)
        around = _around(model, graph, requests, states)
        unrelated = _unrelated(model, graph, [*requests, *earlier], states)
        texts = written(model, requests, states)
    with progress.stage(f"perplexity on {corpus.name}"):
        before, after = _perplexities(model, corpus, states, max_tokens)
    n = len(earlier)
    return Effect(
        outcomes=outcomes[n:],
        earlier=outcomes[:n],
        around=around,
        texts=texts,
        unrelated=unrelated,
        perplexity_before=before,
        perplexity_after=after,
        weights=_weight_changes(model, update),
        limits=limits or Limits(),
    )


def _perplexities(
    model: LanguageModel, corpus: Corpus, states: tuple[Update, Update], max_tokens: int
) -> tuple[float, float]:
    """Perplexity of the weights alone: a text is no prompt, so nothing is put in front of it."""
    before, after = (
        perplexity(model, corpus.texts, state.changes, max_tokens=max_tokens) for state in states
    )
    return before, after


def _weight_changes(model: LanguageModel, update: Update) -> tuple[WeightChange, ...]:
    return tuple(
        WeightChange(name, norm, model.weight(name).float().norm().item())
        for name, norm in update.norms.items()
    )


def _outcomes(
    model: LanguageModel, requests: Sequence[Request], states: tuple[Update, Update]
) -> tuple[Outcome, ...]:
    """Outcomes of requests given in the order in which they were made."""
    wordings = [
        (text.format(one.subject), one.target)
        for one in requests
        for text in (one.prompt, *one.paraphrases)
    ]
    objects = [
        (one.prompt.format(one.subject), label) for one in requests for label in one.true_objects
    ]
    shifts = iter(shifts_of(model, [*wordings, *objects], states))
    said = greedy(model, [state.question(*one) for state in states for one in wordings])
    readings = (
        Wording(next(shifts), *both)
        for both in zip(said[: len(wordings)], said[len(wordings) :], strict=True)
    )
    of_each = [tuple(next(readings) for _ in (0, *one.paraphrases)) for one in requests]
    return tuple(
        Outcome(
            one,
            of_each[place],
            tuple(next(shifts) for _ in one.true_objects),
            overwriting(one, requests[place + 1 :]),
        )
        for place, one in enumerate(requests)
    )


def _around(
    model: LanguageModel,
    graph: Graph,
    requests: Sequence[Request],
    states: tuple[Update, Update],
) -> tuple[Around, ...]:
    """Bystanders of each request, without prompts that are edited themselves."""
    edited = {
        text.format(one.subject).casefold()
        for one in requests
        for text in (one.prompt, *one.paraphrases)
    }
    sides: list[list[tuple[Asked, str]]] = []
    kinds = kinds_of(model, graph, [one.subject for one in requests])
    for one, kind in zip(requests, kinds, strict=True):
        for side in (neighbours(one, graph, kind), other_relations(one, graph, kind)):
            apart = [each for each in side if each.prompt.casefold() not in edited]
            sides.append([(each, one.target) for each in apart])
    read = iter(read_untouched(model, [each for side in sides for each in side], states))
    found = [tuple(next(read) for _ in side) for side in sides]
    return tuple(Around(*pair) for pair in zip(found[::2], found[1::2], strict=True))


def _unrelated(
    model: LanguageModel,
    graph: Graph,
    requests: Sequence[Request],
    states: tuple[Update, Update],
) -> tuple[Shift, ...]:
    drawn = unrelated_facts(graph, requests, DRAWN)
    asked = [(f.relation.prompt.format(f.subject.label), f.object.label) for f in drawn]
    shifts = shifts_of(model, asked, states)
    return tuple(sorted(shifts, key=lambda shift: -shift.before)[:UNRELATED])
