"""Context templates: beginnings that keys and values are averaged over.

Without them an edit hangs on its prompt standing at the start of a text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor
from transformers import LogitsProcessor

from pitfalls.errors import PitfallsError
from pitfalls.facts import template_fault
from pitfalls.models.beginning import beginning
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split
from pitfalls.settings import Count, Seed, Settings

TRIES = 20
LIKELIEST = 5
PROSE = re.compile(r"(?:[^\W\d_]|[ ,;.'’\-])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts(Settings):
    """Given templates, or how to sample them from the model itself."""

    templates: tuple[str, ...] = ()
    """Used as they are, each with one `{}` for the prompt; the first should be `{}`."""
    lengths: tuple[tuple[Count, Count], ...] = ((5, 10), (10, 10))
    """Pairs (number of new tokens, number of texts) to sample where no templates are given."""
    words: Annotated[tuple[str, ...], Field(min_length=1)] = ("",)
    """First words of sampled texts, in turn; the empty word stands for the model's own
    beginning-of-text token, which is what ROME uses."""
    seed: Seed = 0
    """Same model, same seed, same templates; nobody else's random numbers are touched."""

    def of(self, model: LanguageModel) -> tuple[str, ...]:
        """The templates for `model`: `{}` and short texts of its own, each followed by `. {}`.

        Raises:
            PitfallsError: the model gives nothing that reads as text, or a given template does
                not have exactly one `{}`.
        """
        for template in self.templates:
            if fault := template_fault(template, "prompt"):
                raise PitfallsError(f"context {template!r} {fault}")
        return self.templates or model.remember(self, lambda: self._sampled(model))

    def expected(self) -> tuple[str, ...]:
        """As many templates of about the same length, without asking a model for them."""
        sampled = [f"{'so ' * n}. {{}}" for n, n_texts in self.lengths for _ in range(n_texts)]
        return self.templates or ("{}", *sampled)

    def _sampled(self, model: LanguageModel) -> tuple[str, ...]:
        sampling = _Sampling(torch.Generator().manual_seed(self.seed))
        texts = [
            text
            for n_tokens, n_texts in self.lengths
            for text in _sample(
                model, [self.words[i % len(self.words)] for i in range(n_texts)], n_tokens, sampling
            )
        ]
        return ("{}", *(f"{text}. {{}}" for text in texts))


class _Sampling(LogitsProcessor):
    """Sampling among the five likeliest tokens at each step, as ROME does, on every device alike.

    The numbers drawn are the CPU's: an accelerator has random numbers of its own.
    """

    def __init__(self, random: torch.Generator) -> None:
        self._random = random

    def __call__(
        self, input_ids: Int[Tensor, "rows tokens"], scores: Float[Tensor, "rows vocabulary"]
    ) -> Float[Tensor, "rows vocabulary"]:
        """Scores that leave one token to choose."""
        logits = scores.float().cpu()
        least = logits.topk(LIKELIEST).values[:, -1:]
        p = logits.masked_fill(logits < least, -torch.inf).softmax(-1)
        drawn = torch.multinomial(p, 1, generator=self._random)
        only = torch.full_like(logits, -torch.inf).scatter_(1, drawn, 0.0)
        return only.to(scores)


def _sample(
    model: LanguageModel, words: Sequence[str], n_tokens: int, sampling: _Sampling
) -> list[str]:
    """A text per word, all sampled together; those that do not read as text are sampled again."""
    texts = [""] * len(words)
    wanting = list(range(len(words)))
    for _ in range(TRIES):
        for i, text in zip(
            wanting, _continue(model, [words[i] for i in wanting], n_tokens, sampling), strict=True
        ):
            texts[i] = text
        wanting = [i for i in wanting if not _is_text(texts[i])]
        if not wanting:
            return texts
    raise PitfallsError(
        f"{model.name} does not go on from {words[wanting[0]]!r} with text but with "
        f"{texts[wanting[0]]!r}: give context templates in the editor's settings"
    )


@torch.no_grad()
def _continue(
    model: LanguageModel, words: Sequence[str], n_tokens: int, sampling: _Sampling
) -> list[str]:
    begun = [tuple(model.tokenizer(word)["input_ids"]) or (_beginning(model),) for word in words]
    batch = model.batch([Split(ids, (0,)) for ids in begun])  # left parts are padded on the left
    new = model.network.generate(  # type: ignore[operator]
        batch.left,
        attention_mask=batch.mask[:, :-1].long(),
        do_sample=False,  # `sampling` leaves one token to choose
        top_k=None,
        temperature=None,
        top_p=None,
        logits_processor=[sampling],
        max_new_tokens=n_tokens,
        min_new_tokens=n_tokens,
        pad_token_id=0,
    )
    rows = zip(begun, new[:, batch.left.shape[1] :].tolist(), strict=True)
    texts = (model.tokenizer.decode([*ids, *more], skip_special_tokens=True) for ids, more in rows)
    return [" ".join(str(t).replace("{", " ").replace("}", " ").split()) for t in texts]


def _beginning(model: LanguageModel) -> int:
    token = beginning(model.tokenizer)
    if token is None:
        raise PitfallsError(
            f"{model.name} has no beginning-of-text token to sample contexts from: "
            "name the words that contexts begin with"
        )
    return token


def _is_text(text: str) -> bool:
    """Words and their punctuation: a template of code or brackets averages over nothing."""
    return len(text.split()) >= 2 and PROSE.fullmatch(text) is not None
