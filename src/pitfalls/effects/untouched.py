"""Answers to prompts that an edit should leave alone, before and after."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.effects.bystanders import Asked
from pitfalls.effects.shift import FLOOR, Shift
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import Said, greedy
from pitfalls.models.reading.readout import target_logprobs
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True)
class Untouched:
    """A prompt that should be answered as before."""

    prompt: str
    target: str
    """Target of the edit."""
    said_before: Said
    said_after: Said
    answer: Shift | None
    """Probability of the answer: the graph's object if the model knew it, else the first word that
    the model said before; None if it said nothing."""

    @property
    def taken_over(self) -> bool:
        """Whether the model now gives the edit's target here, and did not before."""
        before, after = self.said_before.text, self.said_after.text
        return _names(after, self.target) and not _names(before, self.target)

    def changed(self, kept: float) -> bool:
        """Whether the model now gives the target, or its earlier answer has become improbable.

        Args:
            kept: the share of its probability that the earlier answer must keep.
        """
        return self.taken_over or (self.answer is not None and self.answer.kept < kept)


def read_untouched(
    model: LanguageModel,
    asked: Sequence[tuple[Asked, str]],
    states: tuple[Update, Update],
) -> list[Untouched]:
    """Read the answer to each prompt; each comes with the target of the edit."""
    said = greedy(
        model, [state.question(one.prompt, target) for state in states for one, target in asked]
    )
    pairs = list(zip(said[: len(asked)], said[len(asked) :], strict=True))
    words = [
        (one.object, _first_word(before.text))
        for (one, _), (before, _) in zip(asked, pairs, strict=True)
    ]
    wanted = dict.fromkeys(
        (one.prompt, word)
        for (one, _), both in zip(asked, words, strict=True)
        for word in both
        if word
    )
    of = {(shift.prompt, shift.object): shift for shift in shifts_of(model, list(wanted), states)}
    return [
        Untouched(
            one.prompt, target, *pair, _answer(*(of.get((one.prompt, w or "")) for w in both))
        )
        for (one, target), pair, both in zip(asked, pairs, words, strict=True)
    ]


def shifts_of(
    model: LanguageModel, asked: Sequence[tuple[str, str]], states: tuple[Update, Update]
) -> list[Shift]:
    """Probability of each object after its prompt, in both states."""
    questions = [state.question(*one) for state in states for one in asked]
    found = [each.mean().exp().item() for each in target_logprobs(model, questions)]
    return [
        Shift(*one, before, after)
        for one, before, after in zip(asked, found[: len(asked)], found[len(asked) :], strict=True)
    ]


def _answer(known: Shift | None, own: Shift | None) -> Shift | None:
    return known if known and known.before >= FLOOR else own


def _first_word(text: str) -> str | None:
    word, *_ = text.split() or [""]
    return word.rstrip(".,;:!?") or None


def _names(text: str, name: str) -> bool:
    """Whether the name occurs in the text as a word, ignoring case."""
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))
