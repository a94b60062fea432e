"""What an edit does to what a model says: the edited fact, its neighbours, other facts, text.

Everything is read from the model plus changes, before and after; no weight is touched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.bench.bystanders import unrelated_facts
from pitfalls.editors.request import Request
from pitfalls.editors.update import Update
from pitfalls.graph.graph import Graph
from pitfalls.models.corpus import Corpus
from pitfalls.models.greedy import Said, greedy
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.patches import Changes
from pitfalls.models.perplexity import perplexity
from pitfalls.models.readout import Question, target_logprobs
from pitfalls.progress import SILENT, Progress

UNRELATED = 10
"""Facts that are shown."""
DRAWN = 60
"""Facts that they are chosen from: those that the model gives most, for it can forget no others."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A probability before and after, the geometric mean over the object's tokens."""

    prompt: str
    object: str
    before: float
    after: float

    @property
    def drop(self) -> float:
        """How much was lost; below zero if it was won."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Wording:
    """The target after one wording of the prompt."""

    shift: Shift
    said_before: Said
    said_after: Said


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request."""

    request: Request
    wordings: tuple[Wording, ...]
    """The prompt, then its paraphrases."""
    true_objects: tuple[Shift, ...]

    @property
    def taken(self) -> bool:
        """Whether the model now goes on with the target after the prompt."""
        return self.wordings[0].said_after.says_target

    @property
    def likelier(self) -> bool:
        """Whether the target gained at all."""
        return self.wordings[0].shift.drop < 0

    @property
    def paraphrases_taken(self) -> int:
        """After how many paraphrases the model goes on with the target."""
        return sum(wording.said_after.says_target for wording in self.wordings[1:])


@dataclass(frozen=True, slots=True)
class WeightChange:
    """How large the change of a weight is, Frobenius norms."""

    name: str
    norm: float
    weight_norm: float

    @property
    def relative(self) -> float:
        """‖ΔW‖ / ‖W‖; infinite where W is zero."""
        return self.norm / self.weight_norm if self.weight_norm else math.inf


@dataclass(frozen=True, slots=True)
class Effect:
    """What edits did, and to what else."""

    outcomes: tuple[Outcome, ...]
    earlier: tuple[Outcome, ...]
    """The edits that these were made on top of."""
    unrelated: tuple[Shift, ...]
    """Facts about something else, likeliest before first."""
    perplexity_before: float
    perplexity_after: float
    weights: tuple[WeightChange, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The requests that did not take."""
        return tuple(one for one in self.outcomes if not one.taken)

    @property
    def lost(self) -> tuple[Outcome, ...]:
        """Earlier edits that held before these and do not any more."""
        held = [one for one in self.earlier if one.wordings[0].said_before.says_target]
        return tuple(one for one in held if not one.taken)

    @property
    def worst(self) -> Shift | None:
        """The unrelated fact that lost most, None if there are none."""
        return max(self.unrelated, key=lambda shift: shift.drop, default=None)


def effect_of(
    model: LanguageModel,
    requests: Sequence[Request],
    update: Update,
    *,
    graph: Graph,
    corpus: Corpus,
    base: Update | None = None,
    earlier: Sequence[Request] = (),
    max_tokens: int = 2048,
    progress: Progress = SILENT,
) -> Effect:
    """Read what `update` changes.

    Args:
        model: the unedited model.
        requests: what the update was made for.
        update: without what it was made on top of.
        graph: where unrelated facts come from.
        corpus: text to measure perplexity on.
        base: what the update was made on top of; nothing if not given.
        earlier: what that was made for.
        max_tokens: how much of the text is read.
        progress: told of the stages.
    """
    base = base or Update()
    states = (base.changes, (base + update).changes)
    with progress.stage("reading what changed"):
        outcomes = _outcomes(model, [*requests, *earlier], states)
        unrelated = _unrelated(model, graph, [*requests, *earlier], states)
    with progress.stage(f"perplexity on {corpus.name}"):
        before, after = (
            perplexity(model, corpus.texts, state, max_tokens=max_tokens) for state in states
        )
    weights = tuple(
        WeightChange(name, norm, model.weight(name).float().norm().item())
        for name, norm in update.norms.items()
    )
    n = len(requests)
    return Effect(outcomes[:n], outcomes[n:], unrelated, before, after, weights)


def _outcomes(
    model: LanguageModel, requests: Sequence[Request], states: tuple[Changes, Changes]
) -> tuple[Outcome, ...]:
    wordings = [
        (text.format(one.subject), one.target)
        for one in requests
        for text in (one.prompt, *one.paraphrases)
    ]
    objects = [
        (one.prompt.format(one.subject), label) for one in requests for label in one.true_objects
    ]
    shifts = iter(_shifts(model, [*wordings, *objects], states))
    said = greedy(model, [Question(*one, state) for state in states for one in wordings])
    readings = (
        Wording(next(shifts), *both)
        for both in zip(said[: len(wordings)], said[len(wordings) :], strict=True)
    )
    of_each = [tuple(next(readings) for _ in (0, *one.paraphrases)) for one in requests]
    return tuple(
        Outcome(one, texts, tuple(next(shifts) for _ in one.true_objects))
        for one, texts in zip(requests, of_each, strict=True)
    )


def _unrelated(
    model: LanguageModel,
    graph: Graph,
    requests: Sequence[Request],
    states: tuple[Changes, Changes],
) -> tuple[Shift, ...]:
    drawn = unrelated_facts(graph, requests, DRAWN)
    asked = [(f.relation.prompt.format(f.subject.label), f.object.label) for f in drawn]
    shifts = _shifts(model, asked, states)
    return tuple(sorted(shifts, key=lambda shift: -shift.before)[:UNRELATED])


def _shifts(
    model: LanguageModel, asked: Sequence[tuple[str, str]], states: tuple[Changes, Changes]
) -> list[Shift]:
    """Prompt and object → its probability in both states."""
    questions = [Question(*one, state) for state in states for one in asked]
    found = [each.mean().exp().item() for each in target_logprobs(model, questions)]
    return [
        Shift(*one, before, after)
        for one, before, after in zip(asked, found[: len(asked)], found[len(asked) :], strict=True)
    ]
