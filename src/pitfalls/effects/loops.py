"""Loops: whether a model that goes on writing says the same again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.greedy import Generated, generate
from pitfalls.models.tokens import tokenize
from pitfalls.models.weights.changes import Changes
from pitfalls.updates.request import Request

TOKENS = 40
"""How much is written."""
RUN = 3
"""Tokens in a row that make a repetition."""
ABOUT = "Tell me about {}."
"""What is asked in chat besides the prompt itself."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the model writes by itself, before and after."""

    prompt: str
    chat: bool
    """Whether the prompt was put as a user's message in the model's chat template."""
    before: Generated
    after: Generated

    @property
    def repeated_before(self) -> float:
        """How much of the text before had been there already."""
        return repetition(self.before.ids)

    @property
    def repeated_after(self) -> float:
        """How much of the text after had been there already."""
        return repetition(self.after.ids)


def repetition(ids: Sequence[int]) -> float:
    """The share of runs of three tokens that stand in the text already, from 0 to below 1.

    >>> repetition([1, 2, 3, 4, 5, 6])
    0.0
    >>> repetition([1, 2, 1, 2, 1, 2, 1, 2])
    0.6666666666666667
    """
    runs = [tuple(ids[i : i + RUN]) for i in range(len(ids) - RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def written(
    model: LanguageModel, requests: Sequence[Request], states: tuple[Changes, Changes]
) -> tuple[Written, ...]:
    """What the model writes after each prompt: plain, and in its chat template if it has one."""
    asked = [(text, False) for text in dict.fromkeys(_filled(one) for one in requests)]
    if model.tokenizer.chat_template:
        about = (ABOUT.format(one.subject) for one in requests)
        asked += [(text, True) for text in dict.fromkeys([text for text, _ in asked] + [*about])]
    ids = [_chat(model, text) if chat else _plain(model, text) for text, chat in asked]
    found = generate(model, [(each, s) for s in states for each in ids], n_tokens=TOKENS)
    pairs = zip(found[: len(asked)], found[len(asked) :], strict=True)
    return tuple(Written(*one, *pair) for one, pair in zip(asked, pairs, strict=True))


def _filled(request: Request) -> str:
    return request.prompt.format(request.subject)


def _plain(model: LanguageModel, text: str) -> tuple[int, ...]:
    return tokenize(model.tokenizer, text).ids


def _chat(model: LanguageModel, text: str) -> tuple[int, ...]:
    """The template writes the tokens for the beginning itself, so the tokenizer must not."""
    message = [{"role": "user", "content": text}]
    framed = model.tokenizer.apply_chat_template(
        message, tokenize=False, add_generation_prompt=True
    )
    return tuple(model.tokenizer(framed, add_special_tokens=False)["input_ids"])
