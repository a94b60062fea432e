"""Loops: repetition in text that an edited model generates."""

from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import Generated, generate
from pitfalls.models.tokens import tokenize
from pitfalls.updates.request import Request
from pitfalls.updates.update import Update

TOKENS = 40
"""Tokens generated."""
RUN = 3
"""Length of the token n-grams compared."""
ABOUT = "Tell me about {}."
"""Chat message sent besides the prompt itself."""


@dataclass(frozen=True, slots=True)
class Written:
    """Greedy continuation of a prompt before and after."""

    prompt: str
    chat: bool
    """Whether the prompt was sent as a user message in the model's chat template."""
    before: Generated
    after: Generated

    @property
    def repeated_before(self) -> float:
        """Repetition in the text before, from 0 to below 1."""
        return repetition(self.before.ids)

    @property
    def repeated_after(self) -> float:
        """Repetition in the text after, from 0 to below 1."""
        return repetition(self.after.ids)


def repetition(ids: Sequence[int]) -> float:
    """Share of token trigrams that occur earlier in the text, from 0 to below 1.

    >>> repetition([1, 2, 3, 4, 5, 6])
    0.0
    >>> repetition([1, 2, 1, 2, 1, 2, 1, 2])
    0.6666666666666667
    """
    runs = [tuple(ids[i : i + RUN]) for i in range(len(ids) - RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def written(
    model: LanguageModel, requests: Sequence[Request], states: tuple[Update, Update]
) -> tuple[Written, ...]:
    """Generate text after each prompt: plain, and in the chat template if the model has one."""
    asked = [(text, False) for text in dict.fromkeys(_filled(one) for one in requests)]
    if model.tokenizer.chat_template:
        about = (ABOUT.format(one.subject) for one in requests)
        asked += [(text, True) for text in dict.fromkeys([text for text, _ in asked] + [*about])]
    rows = [
        ((_chat if chat else _plain)(model, state.asked(text)), state.changes)
        for state in states
        for text, chat in asked
    ]
    found = generate(model, rows, n_tokens=TOKENS)
    pairs = zip(found[: len(asked)], found[len(asked) :], strict=True)
    return tuple(Written(*one, *pair) for one, pair in zip(asked, pairs, strict=True))


def _filled(request: Request) -> str:
    return request.prompt.format(request.subject)


def _plain(model: LanguageModel, text: str) -> tuple[int, ...]:
    return tokenize(model.tokenizer, text).ids


def _chat(model: LanguageModel, text: str) -> tuple[int, ...]:
    """Token ids in the chat template, which adds the beginning-of-text tokens itself."""
    message = [{"role": "user", "content": text}]
    framed = model.tokenizer.apply_chat_template(
        message, tokenize=False, add_generation_prompt=True
    )
    return tuple(model.tokenizer(framed, add_special_tokens=False)["input_ids"])
